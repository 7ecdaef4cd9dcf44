"""The command line as its user meets it: a process of its own in an empty directory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A function that runs a command in *tmp_path* with a bare environment."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kada_athena_async", *arguments],
            cwd=tmp_path,
            env={
                "PATH": os.environ.get("PATH", ""),
                # Lets the coverage of the command be measured too.
                **{k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")},
                "HOME": str(tmp_path),
                "PYTHONPATH": str(ROOT),
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
