"""File names made from hostile names."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kada_athena_async.sinks.staging import is_run_id, safe_name

HOSTILE = [
    "",
    ".",
    "..",
    "../../etc/passwd",
    "a/b",
    "a\\b",
    "C:\\x",
    "a\x00b",
    "CON",
    "nul.txt",
    "com1",
    "trailing.",
    "trailing ",
    "-rf",
    "~",
    "a:stream",
    "\u202egnp.exe",
    "\ud800",
    "x" * 5000,
    "\u65e5" * 300,
]
TWINS = [
    ("Sales", "sales"),
    (unicodedata.normalize("NFC", "\u00e9"), unicodedata.normalize("NFD", "\u00e9")),
    ("x" * 5000, "x" * 5001),
    ("a%2Fb", "a/b"),
    ("a.b", "a_b"),
    ("\ufb01", "fi"),
]


def is_harmless(name: str) -> bool:
    """A plain file name everywhere."""
    return (
        name.isascii()
        and 0 < len(name) <= 120
        and not name.startswith((".", "-", "~"))
        and not name.endswith((".", " "))
        and not set(name) & set('/\\:*?"<>|\x00 ')
        and name.split(".")[0].lower() not in {"con", "nul", "aux", "prn", "com1", "lpt1"}
        and Path("/out", name).resolve().parent == Path("/out")
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_s4_no_name_leaves_its_directory(text: str) -> None:
    """S4: whatever a workgroup or a schema is called, its file lies where it should."""
    assert is_harmless(safe_name(text))


@given(st.text())
def test_s4_no_text_leaves_its_directory(text: str) -> None:
    """S4: the same for any text at all."""
    assert is_harmless(safe_name(text))


@pytest.mark.parametrize(("one", "other"), TWINS)
def test_s4_twins_do_not_share_a_file(one: str, other: str) -> None:
    """S4: names that a file system may take for the same one get different files."""
    assert safe_name(one).lower() != safe_name(other).lower()


@given(st.text(), st.text())
def test_s4_different_names_have_different_files(one: str, other: str) -> None:
    """S4: the same for any two texts."""
    assert (safe_name(one).lower() == safe_name(other).lower()) == (one == other)


def test_run_ids_are_checked() -> None:
    """A run id names a directory; the suffix of one that is being removed is not part of it."""
    assert is_run_id("20261123T050607Z-1a2b")
    assert not is_run_id("20261123T050607Z.done")
    assert not is_run_id("..")
