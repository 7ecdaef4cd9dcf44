"""Shell completion, asked the way that shells ask."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli

VARIABLE = "_KADA_ATHENA_ASYNC_COMPLETE"


def test_bash_is_answered(cli: Cli) -> None:
    """Commands, options and choices, a line each."""

    def ask(line: str, word: int) -> list[str]:
        done = cli(**{VARIABLE: "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(word)})
        return done.stdout.split()

    assert ask("kada-athena-async ", 1)[:3] == ["run", "plan", "push"]
    assert ask("kada-athena-async config ", 2) == ["init", "check", "schema"]
    assert "--on-error" in ask("kada-athena-async run --o", 2)
    assert ask("kada-athena-async run --metadata-source ", 3) == ["auto", "sql", "api"]
    assert ask("kada-athena-async run --set met", 3) == ["metadata_source="]


def test_sites_are_those_of_the_file(cli: Cli, tmp_path: Path) -> None:
    """Whatever else is wrong with it; nothing where there is none."""
    asked = {VARIABLE: "complete_bash", "COMP_CWORD": "5"}
    line = "kada-athena-async run -c sites.json --site pr"
    assert cli(**asked, COMP_WORDS=line).stdout.strip() == ""

    sites = [{"name": "prod_au"}, {"name": "prod_eu"}, {"name": "test"}]
    (tmp_path / "sites.json").write_text(json.dumps({"region": 7, "sites": sites}))
    assert cli(**asked, COMP_WORDS=line).stdout.split() == ["prod_au", "prod_eu"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_zsh_and_fish_are_answered(cli: Cli, shell: str) -> None:
    """With a word of help for each."""
    typed = "kada-athena-async ru"

    done = cli(
        **{VARIABLE: f"complete_{shell}", "_TYPER_COMPLETE_ARGS": typed},
        _TYPER_COMPLETE_FISH_ACTION="get-args",
    )

    assert "run" in done.stdout
    assert "Extract everything since the last run" in done.stdout
    assert "push" not in done.stdout


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_script_for_bash_completes(cli: Cli, tmp_path: Path) -> None:
    """A real bash loads the output of `--show-completion`, and then completes."""
    script = cli(**{VARIABLE: "source_bash"}).stdout
    program = tmp_path / "kada-athena-async"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m kada_athena_async "$@"\n')
    program.chmod(0o755)
    body = f"""
    {script}
    COMP_WORDS=(kada-athena-async con) COMP_CWORD=1
    $(complete -p kada-athena-async | sed 's/.*-F \\([^ ]*\\).*/\\1/')  kada-athena-async con ''
    echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", body],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )

    assert done.stdout.strip() == "config", done.stderr
