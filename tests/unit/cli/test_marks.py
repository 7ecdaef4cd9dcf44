"""The high-water mark, shown and set from the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_mark_is_set_and_shown(cli: Cli, tmp_path: Path) -> None:
    """The mark that was set is shown, in the vendor's file and format."""
    done = cli("hwm", "set", "2026-01-02 03:04:05")
    shown = cli("hwm", "show")

    assert (done.returncode, done.stdout, done.stderr) == (0, "2026-01-02 03:04:05\n", "")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "2026-01-02 03:04:05\n", "")
    assert (tmp_path / "athena_hwm.txt").read_text() == "2026-01-02 03:04:05\n"


def test_each_name_and_path_has_its_own_mark(cli: Cli, tmp_path: Path) -> None:
    """--name chooses the file, --hwm-path names it."""
    cli("hwm", "set", "2026-01-01 00:00:00", "-n", "sydney")
    cli("hwm", "set", "2026-02-02 00:00:00", "--hwm-path", str(tmp_path / "mark.txt"))

    assert (tmp_path / "sydney_hwm.txt").read_text() == "2026-01-01 00:00:00\n"
    assert (tmp_path / "mark.txt").read_text() == "2026-02-02 00:00:00\n"


def test_no_mark_is_no_error(cli: Cli) -> None:
    """Before the first run there is nothing on stdout and a sentence on stderr."""
    shown = cli("hwm", "show")

    assert (shown.returncode, shown.stdout) == (0, "")
    assert "the next run reads all it can" in shown.stderr


def test_json_is_for_programs(cli: Cli, tmp_path: Path) -> None:
    """One object, on stdout."""
    cli("hwm", "set", "2026-01-02 03:04:05")

    facts = json.loads(cli("hwm", "show", "--json").stdout)

    assert facts["hwm"] == "2026-01-02 03:04:05"
    assert facts["path"] == str(tmp_path / "athena_hwm.txt")


def test_a_step_forwards_warns_of_the_gap(cli: Cli) -> None:
    """History that is left out is named, and how to take it back."""
    cli("hwm", "set", "2026-01-01 00:00:00")
    forwards = cli("hwm", "set", "2026-02-01 00:00:00")
    backwards = cli("hwm", "set", "2026-01-15 00:00:00")

    assert forwards.returncode == 0
    assert "2026-01-01 00:00:00 to 2026-02-01 00:00:00 will not be extracted" in forwards.stderr
    assert "-m kada_athena_async hwm set '2026-01-01 00:00:00' to undo it" in forwards.stderr
    assert "2026-01-15 00:00:00 to 2026-02-01 00:00:00 what is published" in backwards.stderr


@pytest.mark.parametrize(
    ("time", "remedy"),
    [
        ("yesterday", "write YYYY-MM-DD HH:MM:SS in UTC and in quotes"),
        ("2026-02-30 00:00:00", "write YYYY-MM-DD HH:MM:SS in UTC and in quotes"),
        ("2999-01-01 00:00:00", "must not lie in the future"),
        ("0001-01-01", "give a time of 1970 or later"),
        ("99999d", "give a time of 1970 or later"),
        ("\x1b]0;x\x07", "write YYYY-MM-DD HH:MM:SS in UTC and in quotes"),
    ],
)
def test_a_bad_time_is_refused_and_nothing_is_written(
    cli: Cli, tmp_path: Path, time: str, remedy: str
) -> None:
    """Exit code 2, a remedy, no file."""
    done = cli("hwm", "set", time)

    assert done.returncode == 2
    assert remedy in done.stderr
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "athena_hwm.txt").exists()


def test_a_mark_that_windows_wrote_is_read(cli: Cli, tmp_path: Path) -> None:
    """An editor puts a byte order mark before it and another line end behind it."""
    (tmp_path / "athena_hwm.txt").write_bytes(b"\xef\xbb\xbf2026-01-01 00:00:00\r\n")

    assert cli("hwm", "show").stdout == "2026-01-01 00:00:00\n"


def test_junk_in_the_file_is_explained(cli: Cli, tmp_path: Path) -> None:
    """Exit code 3: the file, what is in it, what to put there."""
    (tmp_path / "athena_hwm.txt").write_text("last tuesday\n")

    done = cli("hwm", "show")

    assert done.returncode == 3
    assert "athena_hwm.txt cannot be used" in done.stderr
    assert "last tuesday" in done.stderr
    assert "try: put one line like" in done.stderr


def test_junk_is_replaced_as_its_remedy_says(cli: Cli, tmp_path: Path) -> None:
    """`hwm set` writes over what cannot be read, and says what that was."""
    (tmp_path / "athena_hwm.txt").write_text("last tuesday\n")

    done = cli("hwm", "set", "2026-01-02 03:04:05")

    assert (done.returncode, done.stdout) == (0, "2026-01-02 03:04:05\n")
    assert "replaced what could not be read" in done.stderr
    assert "last tuesday" in done.stderr
    assert (tmp_path / "athena_hwm.txt").read_text() == "2026-01-02 03:04:05\n"


def test_a_name_must_be_fit_for_a_file(cli: Cli, tmp_path: Path) -> None:
    """A name cannot lead out of the directory."""
    done = cli("hwm", "set", "2026-01-01 00:00:00", "-n", "../athena")

    assert done.returncode == 2
    assert '--name = "../athena": write 1 to 64 letters' in done.stderr
    assert not list(tmp_path.parent.glob("athena_hwm.txt"))
