"""The messages of the guide are those of the code, and none that ends a run is missing."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from kada_athena_async.codes import ExitCode, WarningCode

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "kada_athena_async"

ENDING = {
    "AccessDeniedError", "CommitError", "CredentialsError", "DeliveryError", "DerivationError",
    "LockedError", "NetworkError", "ResultError", "RetriesExhaustedError", "StateError",
    "UnreachableError",
}  # fmt: skip
"""Errors that a user meets in our own words; others repeat AWS's."""


def template(node: ast.AST) -> str | None:
    """The text that *node* makes, ``…`` for what is filled in; None if it makes none."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(template(part) or "…" for part in parts)
        case _:
            return None


@cache
def trees() -> tuple[ast.Module, ...]:
    return tuple(
        ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "sandbox" not in path.parts
    )


@cache
def texts() -> frozenset[str]:
    """Every text of the package."""
    return frozenset(t for tree in trees() for node in ast.walk(tree) if (t := template(node)))


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Name of what is called, and the call."""
    for tree in trees():
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                    yield name, node


def section() -> str:
    page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- messages -->(.*?)<!-- end of messages -->", page, re.DOTALL)
    assert found
    return found[1]


def quoted() -> list[str]:
    """The messages in the first column."""
    cells = re.findall(r"^\| ([^|]*)\|", section(), re.MULTILINE)
    return [message for cell in cells[1:] for message in re.findall(r"`([^`]+)`", cell)]


def fits(message: str, text: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in re.split("…+", message))
    return re.fullmatch(pattern, text, re.DOTALL) is not None


@pytest.mark.parametrize("message", quoted())
def test_each_message_exists(message: str) -> None:
    """Word for word, with anything where the page says ``…``."""
    assert any(fits(message, text) for text in texts())


def test_no_error_is_missing() -> None:
    """A new error that can end a run is explained before it is met."""
    made = [template(call.args[0]) for name, call in calls() if name in ENDING and call.args]
    told = sorted(filter(None, made))

    assert len(told) > 30
    assert [text for text in told if not any(fits(row, text) for row in quoted())] == []


def test_each_warning_code_is_given_somewhere() -> None:
    """A code that nothing warns with any more is removed from the enum."""
    named = {
        node.attr
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "WarningCode"
    }

    assert {code.name for code in WarningCode} - named == set()


@pytest.mark.parametrize("code", [*ExitCode, *WarningCode])
def test_each_code_is_explained(code: ExitCode | WarningCode) -> None:
    """A sentence, and the plain value wherever a program reads the code."""
    assert len(code.meaning.split()) >= 4
    assert f"{code} {code!s}" == f"{code.value} {code.value}"
    assert json.loads(json.dumps(code)) == code.value


def test_the_groups_of_the_messages_are_the_exit_codes() -> None:
    """Each group of the table of messages is headed by an exit code and what it means."""
    headings = re.findall(r"^\| \*\*exit code (\d): ([^*]*)\*\*", section(), re.MULTILINE)

    assert headings
    for value, meaning in headings:
        assert meaning == ExitCode(int(value)).meaning


BARE = re.compile(r"(?<![Hh]igh-water )(?<![\w./{}<>*`=-])marks?\b(?![\w*=`(])")
"""The word alone; names of files, fields and codes that hold it are left as they are."""


def test_one_term_for_the_high_water_mark() -> None:
    """The command line never calls it a mark and leaves the reader to guess which."""
    files = sorted((PACKAGE / "cli").rglob("*.py"))
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8")))]
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    messages = {
        text
        for node in nodes
        if id(node) not in docstrings
        if isinstance(node, ast.JoinedStr | ast.Constant)
        if (text := template(node)) and " " in text and "\n" not in text
    }
    lines = (ROOT / "docs/commands.md").read_text("utf-8").splitlines()

    assert sorted(text for text in messages if BARE.search(text)) == []
    assert [line for line in lines if BARE.search(line)] == []
