"""Contents of an installation for the program that embeds the package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_an_editable_install_gives_its_types(tmp_path: Path) -> None:
    """It is a path in a ``.pth`` file: no type checker follows an import hook."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)

    package = tmp_path / "kada_athena_async"
    package.mkdir()
    for name in ("__init__.py", "version.py", "py.typed"):
        shutil.copy(ROOT / "kada_athena_async" / name, package)

    out = tmp_path / "out"
    out.mkdir()
    code = f"import setuptools.build_meta as build; build.build_editable({str(out)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".pth")]
        path = archive.read(name).decode().strip()

    assert Path(path) == tmp_path


@dataclass(frozen=True)
class Absent:
    """Modules of an extra that are not installed, and what a user then does and reads."""

    modules: tuple[str, ...]
    words: tuple[str, ...]
    says: str


@pytest.mark.parametrize(
    "extra",
    [
        Absent(
            ("duckdb", "moto"),
            ("-m", "kada_athena_async", "run", "--sandbox"),
            "install it: pip install 'kada-athena-async[sandbox]'",
        ),
        Absent(
            ("azure",),
            ("-m", "kada_athena_async", "run", "-c", "config.json"),
            'run: pip install "kada-athena-async[azure]"',
        ),
        Absent(
            ("starlette", "uvicorn"),
            ("-m", "kada_athena_async.examples.service"),
            "the service needs uvicorn: pip install 'kada-athena-async[service]'",
        ),
        Absent(
            ("airflow",),
            ("-c", "from kada_athena_async.airflow import KadaAthenaOperator"),
            "Airflow's classes need airflow: pip install 'kada-athena-async[airflow]'",
        ),
    ],
    ids=lambda extra: extra.modules[0],
)
def test_an_extra_that_is_missing_says_how_to_install_it(extra: Absent, tmp_path: Path) -> None:
    """Whatever needs packages of an extra ends in the command that installs them."""
    for module in extra.modules:
        text = f"raise ModuleNotFoundError('no', name={module!r})"
        (tmp_path / f"{module}.py").write_text(text)

    config = {"server": "a", "region": "eu-west-1", "bucket": "s3://results/here"}
    landing = {"landing": "https://account.blob.core.windows.net/container?sv=1&sig=abc"}
    out = {"output_path": str(tmp_path / "out")}
    (tmp_path / "config.json").write_text(json.dumps({**config, **landing, **out}))
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, *extra.words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert extra.says in done.stderr


# What moto's extra "server" brings for services that the sandbox does not have, and pyarrow.
SPARED = ("pyarrow", "cfnlint", "docker", "graphql", "jsonpath_ng", "joserfc", "antlr4", "numpy")

SANDBOX_WITHOUT = """
import sys
from pathlib import Path
sys.modules.update(dict.fromkeys(sys.argv[1:]))
import anyio
from kada_athena_async import Extractor
from kada_athena_async.sandbox import Sandbox

async def main():
    with Sandbox(scale=0.05) as sandbox:
        fields = sandbox.config(Path("out").absolute(), results="s3", workgroups=["primary"])
        async with Extractor(**fields) as extractor:
            return await extractor.run(manage_hwm=False)

report = anyio.run(main)
print(report.committed, report.rows["metadata_columns"] > 10)
"""


def test_the_sandbox_runs_without_the_large_packages(tmp_path: Path) -> None:
    """Its extra is small because a run by SQL, with results from S3, needs none of these."""
    done = subprocess.run(
        [sys.executable, "-c", SANDBOX_WITHOUT, *SPARED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "True True\n", done.stderr
