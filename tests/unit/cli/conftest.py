"""The command line as its user meets it: a process of its own in an empty directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.command import ROOT, Done, run_command

Cli = Callable[..., Done]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A function that runs a command in *tmp_path* with a bare environment."""

    def run(*arguments: str, **variables: str) -> Done:
        return run_command(
            arguments,
            cwd=tmp_path,
            env={
                "PATH": os.environ.get("PATH", ""),
                # Lets the coverage of the command be measured too.
                **{k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")},
                "HOME": str(tmp_path),
                "PYTHONPATH": str(ROOT),
                **variables,
            },
        )

    return run
