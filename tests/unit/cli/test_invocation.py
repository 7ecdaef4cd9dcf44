"""Commands that we suggest work as they stand."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from kada_athena_async.cli.invocation import again, options, suggestion

pytestmark = pytest.mark.skipif(os.name != "posix", reason="quotes for a POSIX shell")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A console script in a virtual environment below the working directory."""
    script = tmp_path / ".venv" / "bin" / "kada-athena-async"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return script


def test_a_script_is_called_as_it_was(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its path, or by its name where that finds the same one."""
    monkeypatch.setattr(sys, "argv", [str(program), "run"])
    monkeypatch.setenv("PATH", "")
    assert suggestion("run") == ".venv/bin/kada-athena-async run"

    monkeypatch.setenv("PATH", str(program.parent))
    assert suggestion("run") == "kada-athena-async run"


def test_a_module_is_called_by_its_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m` has no script that could be named."""
    monkeypatch.setattr(sys, "argv", ["/somewhere/kada_athena_async/__main__.py", "run"])

    assert shlex.split(suggestion("run"))[1:] == ["-m", "kada_athena_async", "run"]


def test_the_same_command_once_more(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its options, quoted; without those that would spoil it, and nothing added twice."""
    words = [str(program), "run", "-c", "my prod.json", "--fresh", "--on-error", "skip"]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.setenv("PATH", str(program.parent))

    assert again("--on-error", "skip", without=("--fresh",)) == (
        "kada-athena-async run -c 'my prod.json' --on-error skip"
    )
    assert again("-v").endswith("--on-error skip -v")
    assert again(exchanged={"skip": "fail"}).endswith("--on-error fail")
    assert options("-c", "--on-error", "-n") == ["-c", "my prod.json", "--on-error", "skip"]


def test_options_are_repeated_with_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they were typed; none where there are no words at all, as inside another program."""
    monkeypatch.setattr(sys, "argv", ["x", "run", "-c", "a.json", "--site=au", "-q", "-n", "b"])
    assert options("-c", "--site", "-n") == ["-c", "a.json", "--site=au", "-n", "b"]

    monkeypatch.setattr(sys, "argv", ["-c"])
    assert options("-c") == []
