"""The help is good enough to live without other documentation, and quick."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kada_athena_async.cli.options import OnError, Source
from kada_athena_async.config import DEFAULT_FILE, Config
from tests.unit.cli.readme_blocks import COMMANDS, README, commands, help_of, names_in, rendered

# Costs seconds to import, or an extra that need not be installed.
HEAVY = {"aioboto3", "aiobotocore", "botocore", "duckdb", "moto", "sqlglot", "anyio", "rich"}


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in ("hwm", "config")])
def test_every_command_shows_an_example(command: str) -> None:
    """An example says more than a list of options."""
    page = help_of(command)

    assert "Example" in page
    assert f"  kada-athena-async {command}" in page


def test_every_command_is_listed() -> None:
    """A new command cannot be left out of help tests and README."""
    assert commands() == set(COMMANDS)


@pytest.mark.skipif("<!-- begin" not in README.read_text(), reason="the README is not written yet")
def test_the_readme_shows_the_real_help_and_configuration() -> None:
    """Each command's help and the table of fields, word for word as they are now."""
    readme = README.read_text(encoding="utf-8")

    assert names_in(readme) == {*(f"help {command}" for command in COMMANDS), "config table"}
    assert rendered(readme) == readme


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_nothing_heavy(command: str) -> None:
    """Help comes at once, and works where an extra is missing."""
    code = (
        "import sys; from kada_athena_async.cli.app import app\n"
        f"try: app({[*command.split(), '--help']!r})\n"
        "except SystemExit: pass\n"
        f"heavy = {HEAVY!r} & set(sys.modules)\n"
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_choices_are_those_of_the_configuration() -> None:
    """The options offer what the configuration accepts."""
    fields = Config.model_fields

    assert set(fields["metadata_source"].annotation.__args__) == {c.value for c in Source}
    assert set(fields["on_error"].annotation.__args__) == {c.value for c in OnError}


def test_the_default_file_is_named() -> None:
    """Help and code agree about the file that is looked for."""
    assert DEFAULT_FILE in help_of("run")
