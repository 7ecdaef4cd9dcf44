"""Wheel and source distribution hold what a user needs, and no stray file."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel and source distribution, built of what is committed or will be, tests included."""
    checkout = tmp_path_factory.mktemp("checkout")
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).exists():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)

    out = tmp_path_factory.mktemp("out")
    for kind in ("sdist", "wheel"):
        code = f"import setuptools.build_meta as build; build.build_{kind}({str(out)!r})"
        subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, check=True)

    return out


def test_the_wheel_holds_the_package_and_nothing_else(distributions: Path) -> None:
    """Every module and data file of the package, and the metadata."""
    (wheel,) = distributions.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "kada_athena_async").rglob("*")
        if path.suffix in {".py", ".sql", ".css", ".html", ".js", ".typed"}
        or path.name == "py.typed"
    }

    assert package <= names
    others = {name for name in names - package if ".dist-info/" not in name}
    assert others == set()
    (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
    text = zipfile.ZipFile(wheel).read(metadata).decode()
    assert "\nProject-URL: " in text
    assert "\nKeywords: athena" in text


def test_the_source_distribution_carries_no_tests(distributions: Path) -> None:
    """The sources of the wheel, licence, changelog and guides; no test, no benchmark."""
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}

    tops = {name.partition("/")[0] for name in names}
    assert tops == {
        *("CHANGELOG.md", "LICENSE", "MANIFEST.in", "PKG-INFO", "README.md", "pyproject.toml"),
        *("docs", "kada_athena_async", "kada_athena_async.egg-info", "setup.cfg"),
    }
    assert {"docs/operation/Dockerfile", "docs/operation/kada-athena.service"} <= names
    assert {"docs/extracts.md", "kada_athena_async/sources/statements/tables.sql"} <= names
