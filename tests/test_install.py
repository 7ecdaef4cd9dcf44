"""What an installation gives to the program that embeds the package."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

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
