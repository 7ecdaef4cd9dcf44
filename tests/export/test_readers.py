"""The files in the hands of their real readers, each in an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.export.conftest import ROOT, Export

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

BIN = "Scripts" if os.name == "nt" else "bin"


def environment(name: str, *packages: str) -> Path:
    """The programs of an environment with *packages*; kept for the next time."""
    directory = ROOT / f".venv-{name}"
    stamp = directory / "installed"
    if not stamp.exists() or stamp.read_text() != " ".join(packages):
        shutil.rmtree(directory, ignore_errors=True)
        make = [sys.executable, "-m", "venv", str(directory)]
        subprocess.run(make, check=True, capture_output=True)
        pip = [str(directory / BIN / "python"), "-m", "pip", "install", "--quiet"]
        done = subprocess.run(
            [*pip, "--only-binary", ":all:", *packages], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        stamp.write_text(" ".join(packages))

    return directory / BIN


def output_of(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "DO_NOT_TRACK": "1", "DATAHUB_TELEMETRY_ENABLED": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


DATAHUB = """
import json, pathlib
from unittest.mock import MagicMock  # in place of a server, which the source asks for schemas
from datahub.ingestion.api.common import PipelineContext
from datahub.ingestion.source.file import read_metadata_file
from datahub.ingestion.source.sql_queries import SqlQueriesSource

proposals = list(read_metadata_file(pathlib.Path("metadata.json")))
assert all(proposal.validate() for proposal in proposals)
context = PipelineContext(run_id="test")
context.graph = MagicMock()
source = SqlQueriesSource.create({
    "query_file": "queries.jsonl", "platform": "athena", "use_schema_resolver": False,
    "override_dialect": "athena",
}, context)
aspects = {unit.metadata.aspectName for unit in source.get_workunits_internal()}
report = source.get_report()
print(json.dumps([len(proposals), report.num_queries_processed, report.num_entries_failed,
                  report.num_queries_aggregator_failures, sorted(aspects)]))
"""


def test_datahub_reads_both_files(exported: Export, tmp_path: Path) -> None:
    """DataHub's own client takes every aspect and every query, and finds usage and lineage."""
    report = exported("datahub")
    programs = environment("datahub", "acryl-datahub[sql-queries]")

    last = output_of(str(programs / "python"), "-c", DATAHUB, cwd=tmp_path).splitlines()[-1]

    proposals, queries, failed, not_aggregated, aspects = json.loads(last)
    assert [queries, proposals] == [*report.files.values()]
    assert (failed, not_aggregated) == (0, 0)
    assert {"datasetUsageStatistics", "upstreamLineage", "operation"} <= set(aspects)


def test_dbt_parses_the_sources(exported: Export, tmp_path: Path) -> None:
    """dbt finds every table as a source of its own."""
    report = exported("dbt-sources", tmp_path / "models")
    (tmp_path / "dbt_project.yml").write_text('name: kada\nversion: "1.0"\nprofile: kada\n')
    (tmp_path / "profiles.yml").write_text(
        'kada:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: ":memory:"}\n'
    )
    programs = environment("dbt", "dbt-core", "dbt-duckdb")

    output_of(str(programs / "dbt"), "parse", "--profiles-dir", ".", cwd=tmp_path)

    manifest = json.loads((tmp_path / "target/manifest.json").read_text())
    assert [len(manifest["sources"])] == [*report.files.values()]


FRAMES = """
import json, pandas, polars
one = pandas.read_parquet("databaselog.parquet")
other = polars.read_parquet("databaselog.parquet")
tables = polars.read_parquet("metadata_tables.parquet")
print(json.dumps([len(one), str(one.dtypes["submitted_at"]), other.height,
                  str(other.schema["scanned_bytes"]), str(other.schema["reused_result"]),
                  str(tables.schema["partition_keys"])]))
"""


def test_pandas_and_polars_read_the_parquet(exported: Export, tmp_path: Path) -> None:
    """Both see the rows and the types of the dictionary."""
    report = exported("parquet")
    programs = environment("frames", "pandas", "polars", "pyarrow")

    found = json.loads(output_of(str(programs / "python"), "-c", FRAMES, cwd=tmp_path))

    count = report.files[tmp_path / "databaselog.parquet"]
    types = ["Int64", "Boolean", "List(String)"]
    assert found == [count, "datetime64[ms, UTC]", count, *types]
