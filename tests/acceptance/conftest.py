"""The command in a process of its own, against a sandbox."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kada_athena_async.sandbox import Sandbox
from tests.kit.command import ROOT, Done, run_command
from tests.kit.estates import few_schemas

Cli = Callable[..., Done]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A small estate, shared by a file of tests that only read it."""
    with few_schemas(scale=0.05) as sandbox:
        yield sandbox


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of the machine's own AWS settings reaches the command."""
    return {
        "PATH": os.environ.get("PATH", ""),
        # Lets the coverage of the command be measured too.
        **{k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")},
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture
def cli(tmp_path: Path, environment: dict[str, str]) -> Cli:
    """Runs a command in *tmp_path* to its end."""

    def run(*arguments: str, **variables: str) -> Done:
        return run_command(arguments, cwd=tmp_path, env={**environment, **variables})

    return run


@pytest.fixture
def configure(tmp_path: Path, sandbox: Sandbox) -> Callable[..., Path]:
    """Writes a configuration for the sandbox to the default file; None leaves a field out."""

    def write(**changes: object) -> Path:
        values = {**sandbox.config(tmp_path / "output"), **changes}
        path = tmp_path / "kada_athena_extractor_config.json"
        path.write_text(json.dumps({k: v for k, v in values.items() if v is not None}))
        path.chmod(0o600)
        return path

    return write


def in_sight(path: Path) -> list[str]:
    """The names of the files that a consumer of *path* would see."""
    return sorted(p.name for p in path.iterdir() if p.is_file() and p.name[0] != ".")
