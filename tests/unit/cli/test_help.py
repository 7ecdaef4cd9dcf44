"""The help is good enough to live without other documentation, and quick."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from kada_athena_async.cli.app import app
from kada_athena_async.config import DEFAULT_FILE
from kada_athena_async.config.config_file import ENVIRONMENT_PREFIX
from kada_athena_async.errors import AbortError, ConfigError, DeliveryError, UnitError
from kada_athena_async.version import __version__
from tests.unit.cli.readme_blocks import (
    COMMANDS,
    PAGES,
    blocks,
    help_of,
    names_in,
    rendered,
)

# Costs seconds to import, or an extra that need not be installed.
HEAVY = {"aioboto3", "aiobotocore", "botocore", "duckdb", "moto", "sqlglot", "anyio", "rich"}


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in ("hwm", "config", "schema")])
def test_every_command_shows_an_example(command: str) -> None:
    """An example says more than a list of options."""
    page = help_of(command)

    assert "Example" in page
    assert f"  kada-athena-async {command}" in page


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_e4_no_terminal_has_to_break_a_word_of_help(command: str, width: int) -> None:
    """Each line fits, but for a command that is to be copied; names of Python's types are none."""
    page = help_of(command, width=width)

    long = [line for line in page.splitlines() if len(line) > width]
    assert [line for line in long if not line.startswith("    kada-athena-async ")] == []
    assert "..." not in page.replace("AWS_...", "").replace("[ARGS]...", "")
    assert "<str>" not in page


def test_the_guides_show_what_the_code_has() -> None:
    """Help pages and tables, each once and word for word; else run tests.unit.cli.readme_blocks."""
    pages = [path.read_text(encoding="utf-8") for path in PAGES]

    assert sorted(name for page in pages for name in names_in(page)) == sorted(blocks())
    for page in pages:
        assert rendered(page) == page


def test_help_loads_nothing_heavy() -> None:
    """Help of every command comes at once, and works where an extra is missing."""
    code = (
        "import sys; from kada_athena_async.cli.app import app\n"
        f"for command in {['', *COMMANDS]!r}:\n"
        "    try: app([*command.split(), '--help'])\n"
        "    except SystemExit as end: assert not end.code, command\n"
        f"    heavy = {HEAVY!r} & set(sys.modules)\n"
        "    if heavy: sys.exit(f'{command}: {sorted(heavy)}')"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Usage: ") == len(COMMANDS) + 1


def test_the_default_file_is_named() -> None:
    """Help and code agree about the file that is looked for."""
    assert DEFAULT_FILE in help_of("run")


def test_the_first_page_is_enough_to_begin() -> None:
    """Commands in groups, examples that exist, every exit code, and it fits 80 columns."""
    page = help_of("")
    codes = {error.exit_code for error in (ConfigError, AbortError, UnitError, DeliveryError)}

    assert all(len(line) <= 80 for line in page.splitlines())
    assert [f"{code} " in page for code in (0, 130, *codes)] == [True] * (2 + len(codes))
    assert DEFAULT_FILE in page
    assert ENVIRONMENT_PREFIX in page
    for example in re.findall(r"^    kada-athena-async ([\w-]+(?: \w+)?) +", page, re.MULTILINE):
        assert example in COMMANDS
    assert "Other commands" not in page


def test_the_version_is_told() -> None:
    """As the package has it."""
    result = CliRunner().invoke(app, ["--version"])

    assert (result.exit_code, result.output) == (0, f"kada-athena-async {__version__}\n")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["rnu"], "there is no such command; did you mean 'run'"),
        (["run", "--confg", "x"], "--config"),
    ],
)
def test_the_mistyped_is_guessed(typed: list[str], message: str) -> None:
    """A command or option that almost exists is named; the exit code is that of usage."""
    result = CliRunner().invoke(app, typed)

    assert result.exit_code == 2
    assert message in result.output
