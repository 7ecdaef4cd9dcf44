"""The generated parts of the guides: each command's help, and the tables made from the code.

A part stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``. To bring them up to date:

    python -m tests.unit.cli.readme_blocks
"""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from kada_athena_async.cli.app import app
from tests.kit.guide_tables import (
    FIRST_FIELDS,
    config_table,
    exit_code_table,
    extracts_page,
    manifest_page,
    warning_table,
)

_ROOT = Path(__file__).parents[3]
README = _ROOT / "README.md"
PAGES = (README, *sorted((_ROOT / "docs").glob("*.md")))
"""Pages for users: the README and the guides."""

_BLOCK = re.compile(r"(<!-- begin (?P<name>[^>]+) -->\n).*?(<!-- end (?P=name) -->)", re.DOTALL)
_PROGRAM = "kada-athena-async"


def help_of(command: str, *, width: int = 80) -> str:
    """The help page of *command* on a terminal of *width* columns."""
    result = CliRunner().invoke(
        app,
        [*command.split(), "--help"],
        prog_name=_PROGRAM,
        env={"COLUMNS": str(width), "TERM": "dumb"},
        terminal_width=width,
    )
    assert result.exit_code == 0, result.output
    return result.output


def blocks() -> dict[str, str]:
    """Name of a generated part -> its Markdown."""
    pages = {
        f"help {name}": f"```text\n$ {_PROGRAM} {name} --help\n{help_of(name).strip()}\n```\n"
        for name in COMMANDS
    }
    return {
        **pages,
        "config table": config_table(),
        "config fields": config_table(FIRST_FIELDS),
        "exit codes": exit_code_table(),
        "warnings": warning_table(),
        "extracts": extracts_page(),
        "manifest": manifest_page(),
    }


def rendered(page: str) -> str:
    """The text *page* with every generated part brought up to date."""
    parts = blocks()
    return _BLOCK.sub(lambda m: f"{m[1]}{parts[m['name']]}{m[3]}", page)


def names_in(page: str) -> list[str]:
    """The generated parts that the text *page* has a place for."""
    return [match["name"] for match in _BLOCK.finditer(page)]


def _below(command: object, path: str) -> list[str]:
    found = []
    for name, child in getattr(command, "commands", {}).items():
        typed = f"{path} {name}".strip()
        found += [typed, *_below(child, typed)]

    return found


COMMANDS = tuple(_below(get_command(app), ""))
"""Every command of the application, as typed."""


if __name__ == "__main__":
    for file in PAGES:
        file.write_text(rendered(file.read_text(encoding="utf-8")), encoding="utf-8")
