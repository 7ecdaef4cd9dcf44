"""Packages: found by their manifests, read row by row, and never believed when they are torn."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import pytest

from kada_athena_async.errors import StateError
from kada_athena_async.extracts import newest_packages, packages
from kada_athena_async.files import Files
from tests.unit.extracts.making import make_package, query

LONG = "SELECT '" + "x" * 262_000 + '\' AS a,\n"b"\r\n'


def test_packages_come_by_window(tmp_path: Path) -> None:
    """Oldest first, or newest first; another collector's are not among them."""
    for day in (1, 0, 2):
        make_package(tmp_path, {}, day=day)
    make_package(tmp_path, {}, name="athena-eu", day=9)

    assert [each.manifest.run_id for each in packages(tmp_path, "athena")] == [
        "run-0",
        "run-1",
        "run-2",
    ]
    newest = newest_packages(tmp_path, "athena", Files(), count=2)
    assert [each.manifest.run_id for each in newest] == ["run-2", "run-1"]


@pytest.mark.parametrize("compress", [True, False])
def test_rows_are_read_back(tmp_path: Path, compress: bool) -> None:
    """Texts with quotes, line ends and 262,000 characters come as they were; null comes empty."""
    texts = [LONG, 'a "b", c', None]
    rows = [query(number, query=text) for number, text in enumerate(texts)]
    package = make_package(tmp_path, {"databaselog": rows}, compress=compress)

    found = list(package.rows("databaselog", "query", "query_id"))

    assert found == [(LONG, "q0"), ('a "b", c', "q1"), ("", "q2")]
    package.check(Files())


def test_who_is_there_is_said(tmp_path: Path) -> None:
    """Where nothing is, the names of those that are there are the remedy."""
    make_package(tmp_path, {}, name="prod")

    with pytest.raises(StateError) as raised:
        packages(tmp_path, "athena")
    assert str(raised.value) == (
        f"there are no extracts of 'athena' in {tmp_path}\n"
        "  try: `name=...` with one of those that are there: prod"
    )
    with pytest.raises(StateError, match="no extracts of 'athena'"):
        packages(tmp_path / "nowhere", "athena")


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("harm", ["cut", "longer", "changed", "gone", "fewer rows"])
def test_what_is_torn_is_not_believed(tmp_path: Path, compress: bool, harm: str) -> None:
    """A file that is not what its manifest says is an error that names it and a remedy."""
    rows = [query(number, query=f"SELECT {number}") for number in range(50)]
    package = make_package(tmp_path, {"databaselog": rows}, compress=compress)
    (path,) = package.extracts("databaselog")
    data = path.read_bytes()
    if harm == "gone":
        path.unlink()
    elif harm == "fewer rows":
        files = [
            msgspec.structs.replace(file, rows=file.rows + 1) for file in package.manifest.files
        ]
        manifest = msgspec.structs.replace(package.manifest, files=tuple(files))
        package = dataclasses.replace(package, manifest=manifest)
    elif harm == "changed":
        path.write_bytes(data[:-40] + b'"' + data[-39:])
    else:
        path.write_bytes(data[:-30] if harm == "cut" else data + data)

    with pytest.raises(StateError) as raised:
        list(package.rows("databaselog", "query"))
    what = "is gone, though" if harm == "gone" else "is torn: it holds other bytes than"
    assert f"{path} {what} athena_manifest_" in raised.value.message
    assert "restore it" in raised.value.hint


def test_an_unknown_column_is_named(tmp_path: Path) -> None:
    """Extracts of another version may lack a column."""
    package = make_package(tmp_path, {"users": []})

    with pytest.raises(StateError, match="no column 'mood': another version"):
        list(package.rows("users", "mood"))
