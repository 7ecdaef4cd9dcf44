"""Extracts and manifest are described, in full, by what the code prints about them."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from kada_athena_async import Extractor
from kada_athena_async.config import load_config
from kada_athena_async.extracts.schema import (
    dictionary,
    extracts_schema,
    manifest_schema,
)
from kada_athena_async.records import KINDS, RECORD_TYPES
from kada_athena_async.sandbox import Sandbox
from tests.kit.guide_tables import manifest_members

csv.field_size_limit(2**20)


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_is_explained(kind: str) -> None:
    """In the order of the extract, with a meaning, an example, and a unit where it counts."""
    columns = dictionary(kind)

    assert [column.name for column in columns] == list(RECORD_TYPES[kind]._fields)
    for column in columns:
        assert column.meaning, f"write a string below {kind}.{column.name} in records.py"
        assert column.example, f"write 'Example: ``...``' below {kind}.{column.name} in records.py"
        if column.type in ("integer", "number") and not column.name.startswith("error_"):
            assert column.unit, f"extracts/schema.py has no unit for {kind}.{column.name}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_is_a_value_of_its_column(kind: str) -> None:
    """As the schema of the rows has it."""
    for column in dictionary(kind):
        assert re.fullmatch(column.pattern or ".*", column.example), column


def test_every_member_of_the_manifest_is_explained() -> None:
    """Those of its members too."""
    assert len(manifest_members()) > 50
    assert [path for path, _, meaning in manifest_members() if not meaning] == []


@pytest.mark.parametrize("make", [extracts_schema, manifest_schema])
def test_schemas_are_valid_and_named(make: object) -> None:
    """By the meta-schema that they name, and each has an identifier of its own."""
    schema = make()  # type: ignore[operator]

    assert validator_for(schema) is Draft202012Validator
    Draft202012Validator.check_schema(schema)
    assert schema["$id"].startswith("urn:kada-athena-async:schema:")


async def _run(package: Path) -> None:
    with Sandbox(scale=0.1) as sandbox:
        async with Extractor(
            load_config(None, environment={}, overrides=sandbox.config(package)),
            hwm_path=package / "hwm.txt",
        ) as extractor:
            assert (await extractor.run()).exit_code == 0


def test_real_extracts_fit_their_schemas(tmp_path: Path) -> None:
    """Each row and the manifest of a run; and what is not one is refused."""
    asyncio.run(_run(tmp_path))
    (path,) = tmp_path.glob("*_manifest_*.json")
    manifest = json.loads(path.read_text())
    rows = {}
    for file in manifest["files"]:
        with gzip.open(tmp_path / file["name"], "rt", encoding="utf-8", newline="") as lines:
            rows[file["kind"]] = list(csv.DictReader(lines))

    of_rows = Draft202012Validator(extracts_schema())
    of_manifest = Draft202012Validator(manifest_schema())
    assert list(rows) == list(KINDS)
    assert len(rows["databaselog"]) > 100
    assert [error.message for error in of_rows.iter_errors(rows)] == []
    assert [error.message for error in of_manifest.iter_errors(manifest)] == []

    assert not of_rows.is_valid({"databaselog": [{**rows["databaselog"][0], "total_ms": "soon"}]})
    assert not of_rows.is_valid({"databaselog": [{"server": "athena"}]})
    assert not of_manifest.is_valid({**manifest, "files": [{"name": "x.csv"}]})


def test_the_command_prints_them() -> None:
    """``schema extracts`` and ``schema manifest``, as JSON on stdout."""
    from typer.testing import CliRunner

    from kada_athena_async.cli.app import app

    for name, expected in (("extracts", extracts_schema()), ("manifest", manifest_schema())):
        done = CliRunner().invoke(app, ["schema", name])

        assert done.exit_code == 0
        assert json.loads(done.stdout) == json.loads(json.dumps(expected))
