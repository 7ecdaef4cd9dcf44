"""The files in the hands of their real readers, each in an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

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


class DataHub:
    """A server that takes what DataHub's own takes from its client, and remembers it.

    Attributes:
        aspects: Entity and name of each aspect, in the order in which they came.
    """

    CONFIG: ClassVar = {
        "noCode": "true",
        "statefulIngestionCapable": True,
        "versions": {"acryldata/datahub": {"version": "v1.3.0", "commit": "none"}},
    }

    def __init__(self) -> None:
        aspects: list[tuple[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(DataHub.CONFIG)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                proposal = body["proposal"]
                urn = json.loads(f'"{proposal["entityUrn"]}"')  # the client escapes it twice
                aspects.append((urn, proposal["aspectName"]))
                self._answer({"value": proposal["entityUrn"]})

            def _answer(self, document: object) -> None:
                data = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """Say nothing: the client may go away."""

        self.aspects = aspects
        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> DataHub:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def ingest(self, programs: Path, kind: str, directory: Path, **source: object) -> str:
        """Run ``datahub ingest`` with a source of ours and this server as its sink; its report."""
        server = f"http://127.0.0.1:{self._server.server_port}"
        recipe = {
            "source": {"type": kind, "config": source},
            "sink": {"type": "datahub-rest", "config": {"server": server, "mode": "SYNC"}},
        }
        path = directory / f"{kind}.yml"
        path.write_text(json.dumps(recipe))  # JSON is YAML
        return output_of(str(programs / "datahub"), "ingest", "-c", str(path), cwd=directory)


def test_datahub_reads_both_files(exported: Export, tmp_path: Path) -> None:
    """``datahub ingest`` sends every aspect and every query to a server, and finds lineage."""
    report = exported("datahub")
    programs = environment("datahub", "acryl-datahub[sql-queries,datahub-rest]")
    with DataHub() as server:
        server.ingest(programs, "file", tmp_path, path="metadata.json")
        sent = [aspect for aspect in server.aspects if ":dataset:" in aspect[0]]
        server.aspects.clear()
        said = server.ingest(
            programs,
            "sql-queries",
            tmp_path,
            query_file="queries.jsonl",
            platform="athena",
            use_schema_resolver=False,
            override_dialect="athena",
        )

    proposals = json.loads((tmp_path / "metadata.json").read_text())
    assert sorted(sent) == sorted((p["entityUrn"], p["aspectName"]) for p in proposals)
    assert f"'num_queries_processed': {report.files[tmp_path / 'queries.jsonl']}" in said
    assert "'num_entries_failed': 0" in said
    assert "'num_queries_aggregator_failures': 0" in said
    assert {"datasetUsageStatistics", "upstreamLineage", "operation", "querySubjects"} <= {
        name for _, name in server.aspects
    }


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
