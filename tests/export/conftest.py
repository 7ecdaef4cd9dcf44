"""One run against the sandbox, and its exports."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kada_athena_async import Extractor
from kada_athena_async.export import ExportReport, export
from kada_athena_async.sandbox import Sandbox
from tests.kit.command import ROOT, Done, run_command

Cli = Callable[..., Done]


@pytest.fixture(scope="session")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extracts of a run over a small estate with every kind of oddity."""
    output_path = tmp_path_factory.mktemp("run") / "extracts"
    output_path.mkdir()

    async def run() -> int:
        with Sandbox(scale=0.1) as sandbox:
            config = sandbox.config(output_path, on_error="skip", catalogs=["*"])
            async with Extractor(**config, hwm_path=output_path.parent / "hwm.txt") as extractor:
                return (await extractor.run()).exit_code

    assert asyncio.run(run()) == 0
    return output_path


Export = Callable[..., ExportReport]


@pytest.fixture
def exported(extracts: Path, tmp_path: Path) -> Export:
    """Exports the run into *tmp_path*."""

    def work(target: str, directory: Path = tmp_path) -> ExportReport:
        return asyncio.run(export(target, output_path=extracts, directory=directory))

    return work


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Runs ``export`` in *tmp_path* to its end."""

    def run(*arguments: str, **variables: str) -> Done:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
        return run_command(["export", *arguments], cwd=tmp_path, env=environment)

    return run
