"""The files of the other targets, read as their readers read them."""

from __future__ import annotations

import asyncio
import csv
import gzip
import hashlib
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import anyio
import duckdb
import pyarrow.parquet
import pytest
import yaml

from kada_athena_async.errors import CommitError, ConfigError, KadaAthenaError, StateError
from kada_athena_async.export import TARGETS, export
from kada_athena_async.files import Files, to_bytes
from kada_athena_async.manifest import read_manifest
from kada_athena_async.records import RECORD_TYPES
from tests.export.conftest import Cli, Export
from tests.kit.disks import Mount, small_disk
from tests.unit.extracts.making import AT, columns, make_package, query, record, table

__all__ = ["small_disk"]

TYPES = {
    "str": "string",
    "int": "int64",
    "float": "double",
    "bool": "bool",
    "datetime": "timestamp[ms, tz=UTC]",
    "tuple[str, ...]": "list<element: string>",
    "Mapping[str, str]": "map<string, string>",
}


def sums(directory: Path) -> dict[str, str]:
    """Name -> hash of each file that is not hidden."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.iterdir())
        if not path.name.startswith(".")
    }


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"duckdb"}))
def test_the_same_runs_give_the_same_bytes(target: str, exported: Export, tmp_path: Path) -> None:
    """An export can be repeated: nothing in it depends on when or where it is made."""
    exported(target, tmp_path / "one")
    exported(target, tmp_path / "two")

    assert sums(tmp_path / "one") == sums(tmp_path / "two") != {}


def test_parquet_has_the_types_of_the_dictionary(exported: Export, tmp_path: Path) -> None:
    """Every kind is a file, every column has the type that ``records.py`` gives it."""
    exported("parquet")
    for kind, make in RECORD_TYPES.items():
        schema = pyarrow.parquet.read_schema(tmp_path / f"{kind}.parquet")
        hints = {name: hint.__forward_arg__ for name, hint in make.__annotations__.items()}
        expected = {name: TYPES[hint.removesuffix(" | None")] for name, hint in hints.items()}
        found = {field.name: str(field.type) for field in schema}
        assert {name: found[name].replace(" ('parameters')", "") for name in expected} == expected
        assert set(found) - set(expected) == {"run_id", "window_end"}


def test_duckdb_and_parquet_hold_every_row(
    exported: Export, tmp_path: Path, extracts: Path
) -> None:
    """Both have the rows that the manifest counts, and the same values."""
    exported("parquet")
    exported("duckdb")
    (path,) = extracts.glob("*_manifest_*.json")
    found = read_manifest(path, Files())
    assert found
    with duckdb.connect(str(tmp_path / "athena.duckdb"), read_only=True) as database:
        for file in found.manifest.files:
            parquet = f"read_parquet('{tmp_path / file.kind}.parquet')"
            counts = database.execute(f"SELECT count(*) FROM {file.kind}").fetchone()
            differing = f"SELECT * FROM {file.kind} EXCEPT ALL SELECT * FROM {parquet}"
            other = database.execute(f"SELECT count(*) FROM ({differing})").fetchone()
            assert (counts, other) == ((file.rows,), (0,))


def read_csv(directory: Path, name: str) -> list[dict[str, str]]:
    (path,) = directory.glob(f"*-{name}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_coalesce_files_refer_to_each_other(exported: Export, tmp_path: Path) -> None:
    """All seven files, ids unique, every reference there; no value looks quoted twice."""
    exported("coalesce")
    names = ("database", "schema", "table", "column", "user", "view_ddl", "query")
    files = {name: read_csv(tmp_path, name) for name in names}
    assert all(files.values())
    ids = {name: [row["id"] for row in files[name]] for name in names[:5]}
    assert all(len(set(found)) == len(found) for found in ids.values())
    for name, key, target in (
        ("schema", "database_id", "database"),
        ("table", "schema_id", "schema"),
        ("column", "table_id", "table"),
        ("query", "database_id", "database"),
        ("query", "user_id", "user"),
    ):
        assert {row[key] for row in files[name]} <= set(ids[target]), name

    texts = [r["query_text"] for r in files["query"]] + [
        r["view_definition"] for r in files["view_ddl"]
    ]
    assert all(text == text.strip('"') for text in texts)
    assert any(text.endswith('" ') for text in texts)
    assert {row["type"] for row in files["table"]} == {"TABLE", "VIEW"}


def test_datahub_gets_queries_and_aspects(exported: Export, tmp_path: Path) -> None:
    """Queries name their tables as DataHub's Athena source does; tables have their aspects."""
    exported("datahub")
    entries = [*map(json.loads, (tmp_path / "queries.jsonl").read_bytes().splitlines())]
    assert any("sales.orders" in entry["upstream_tables"] for entry in entries)
    assert any(entry["downstream_tables"] for entry in entries)
    proposals = json.loads((tmp_path / "metadata.json").read_text())
    urn = "urn:li:dataset:(urn:li:dataPlatform:athena,sales.orders,PROD)"
    aspects = {p["aspectName"] for p in proposals if p["entityUrn"] == urn}
    assert aspects >= {"datasetProperties", "schemaMetadata", "subTypes", "ownership"}
    assert {"viewProperties", "upstreamLineage"} <= {p["aspectName"] for p in proposals}


def one_package(directory: Path, **tables: Any) -> None:
    make_package(
        directory,
        {
            "metadata_schemas": [
                record("metadata_schemas", server="srv", catalog=catalog, schema="sales")
                for catalog in ("AwsDataCatalog", "crm", "awsdatacatalog_2")
            ],
            "metadata_tables": [table("orders", comment="{{ env_var('X') }} {% raw %} {# a #}")],
            "metadata_columns": columns("orders", id="bigint"),
            **tables,
        },
    )


def run(target: str, extracts: Path, directory: Path, **arguments: Any) -> Any:
    return asyncio.run(export(target, output_path=extracts, directory=directory, **arguments))


@pytest.mark.parametrize(("what", "kind"), [("WRITE", "INSERT"), ("ALTER", "RENAME")])
def test_lineage_says_where_it_is_not_sure(tmp_path: Path, what: str, kind: str) -> None:
    """A column that may be another table's is no fact to another catalogue either."""
    edge = {"linkage_type": kind, "query_id": "q1", "dependency": "direct", "executions": 1}
    for side in ("source", "target"):
        edge |= {f"{side}_catalog": "AwsDataCatalog", f"{side}_schema": "sales"}
    edges = [
        record("linkages", **edge, source_table=name, source_column="id", target_table="orders",
               target_column="id", transformation="identity", confidence=confidence)
        for name, confidence in (("sure", "exact"), ("doubtful", "partial"))
    ]  # fmt: skip
    write = {"query_id": "q1", "event_type": what, "user": "u", "occurred_at": AT}
    names = {"catalog": "AwsDataCatalog", "schema": "sales", "table": "orders"}
    facts = {"user": "u", "submitted_at": AT, "completed_at": AT, "query": kind}
    events = [record("events", **write, **names)]
    one_package(tmp_path, linkages=edges, databaselog=[query(1, **facts)], events=events)

    run("datahub", tmp_path, tmp_path / "a")
    run("openlineage", tmp_path, tmp_path / "b", region="eu-west-1")

    aspects = json.loads((tmp_path / "a/metadata.json").read_text())
    (lineage,) = (a["aspect"]["json"] for a in aspects if a["aspectName"] == "upstreamLineage")
    assert {
        (each["upstreams"][0].split(",")[1], each["confidenceScore"])
        for each in lineage["fineGrainedLineages"]
    } == {("sales.sure", 1.0), ("sales.doubtful", 0.5)}
    *_, line = (tmp_path / "b/openlineage.ndjson").read_text().splitlines()
    (output,) = json.loads(line)["outputs"]
    found = {
        field["name"].rpartition(".")[2]: "not sure" in str(field["transformations"])
        for field in output["facets"]["columnLineage"]["fields"]["id"]["inputFields"]
    }
    assert found == {"sure": False, "doubtful": True}


def test_coalesce_values_pass_the_checks_of_its_importer(tmp_path: Path) -> None:
    """It refuses what begins or ends with a double quote, and a column without a type."""
    found = {**dict.fromkeys(['"of', 'day"'], "bigint"), "bare": ""}
    one_package(
        tmp_path, metadata_tables=[table('"odd"')], metadata_columns=columns('"odd"', **found)
    )

    run("coalesce", tmp_path, tmp_path / "out")

    files = {name: read_csv(tmp_path / "out", name) for name in ("table", "column")}
    assert [row["data_type"] for row in files["column"]] == ["bigint", "bigint", "unknown"]
    assert [row["column_name"].strip() for row in files["column"]] == [*found]
    assert {row["table_id"] for row in files["column"]} == {row["id"] for row in files["table"]}
    texts = [text for rows in files.values() for row in rows for text in row.values()]
    assert all(text == text.strip('"') for text in texts)


def test_dbt_sources_are_one_a_schema_and_no_template(tmp_path: Path) -> None:
    """Sources have different names, and comments are texts to dbt, not Jinja."""
    one_package(tmp_path)

    run("dbt-sources", tmp_path, tmp_path / "out")

    sources = yaml.safe_load((tmp_path / "out/sources.yml").read_text())["sources"]
    assert [(s["name"], s["database"], s["schema"]) for s in sources] == [
        ("sales", "AwsDataCatalog", "sales"),
        ("crm_sales", "crm", "sales"),
        ("awsdatacatalog_2_sales", "awsdatacatalog_2", "sales"),
    ]
    (orders,) = sources[0]["tables"]
    assert orders["columns"] == [{"name": "id", "data_type": "bigint"}]
    assert orders["description"] == ("{{ '{{' }} env_var('X') }} {{ '{%' }} raw %} {{ '{#' }} a #}")


def test_an_execution_that_was_extracted_again_comes_once(tmp_path: Path) -> None:
    """The later run's row stands; runs can be chosen by time, or the newest alone."""
    at = AT - timedelta(hours=1)
    facts = {"user": "u", "submitted_at": at, "completed_at": at, "query": "SELECT ?"}
    make_package(tmp_path, {"databaselog": [query(1, **facts), query(2, **facts)]}, day=0)
    again = query(2, **{**facts, "query": "SELECT ??"})
    make_package(tmp_path, {"databaselog": [again, query(3, **facts)]}, day=1)

    def texts(**arguments: Any) -> list[tuple[str, str]]:
        report = run("openlineage", tmp_path, tmp_path / "out", region="eu-west-1", **arguments)
        (path,) = report.files
        events = map(json.loads, path.read_bytes().splitlines())
        return [
            (
                event["run"]["facets"]["externalQuery"]["externalQueryId"],
                event["job"]["facets"]["sql"]["query"],
            )
            for event in events
        ]

    second = [("q2", "SELECT ??"), ("q3", "SELECT ?")]
    assert texts() == [("q1", "SELECT ?"), *second]
    assert texts(newest=True) == second
    assert texts(since=AT) == second
    with pytest.raises(StateError, match=r"no run of 'athena' in .* ends after 2026-11-25"):
        texts(since=datetime(2026, 11, 25, tzinfo=timezone.utc))


@pytest.mark.parametrize("target", ["datahub", "openlineage"])
def test_a_record_is_one_line_to_every_reader(target: str, tmp_path: Path) -> None:
    """Unicode has line ends that JSON lets stand in a text."""
    text = "SELECT 1\x85\u2028\u2029 FROM t"
    facts = {"user": "u", "submitted_at": AT, "completed_at": AT, "query": text}
    names = {"catalog": "AwsDataCatalog", "schema": "sales", "table": "orders"}
    read = record("events", query_id="q1", event_type="READ", user="u", occurred_at=AT, **names)
    make_package(tmp_path, {"databaselog": [query(1, **facts)], "events": [read]})

    report = run(target, tmp_path, tmp_path / "out", region="eu-west-1")

    path = next(iter(report.files))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == report.files[path]
    assert json.dumps(text) in json.dumps([json.loads(line) for line in lines])


def test_extracts_of_an_earlier_version_are_exported(tmp_path: Path) -> None:
    """A column that was added since has its default; the others are read as they are."""
    one_package(tmp_path)
    manifest_path = next(tmp_path.glob("*_manifest_*.json"))
    found = read_manifest(manifest_path, Files())
    assert found
    files = []
    for file in found.manifest.files:
        path = tmp_path / file.name
        if file.kind == "metadata_tables":
            lines = gzip.decompress(path.read_bytes()).decode().splitlines()
            kept = RECORD_TYPES[file.kind]._fields.index("row_count")
            added = len(RECORD_TYPES[file.kind]._fields) - kept
            lines = [line.rsplit(",", added)[0] for line in lines]
            data = gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)
            path.write_bytes(data)
            file = type(file)(
                name=file.name,
                kind=file.kind,
                rows=file.rows,
                size_bytes=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
            )
        files.append(file)

    import msgspec

    manifest_path.write_bytes(to_bytes(msgspec.structs.replace(found.manifest, files=tuple(files))))

    run("parquet", tmp_path, tmp_path / "out")

    rows = pyarrow.parquet.read_table(tmp_path / "out/metadata_tables.parquet").to_pylist()
    assert [(row["table"], row["row_count"]) for row in rows] == [("orders", None)]


def test_extracts_without_a_region_ask_for_it(tmp_path: Path) -> None:
    """Dataset names hold the Region: where no run says it, the message says what to type."""
    one_package(tmp_path)

    with pytest.raises(StateError, match="does not name the AWS Region") as raised:
        run("openlineage", tmp_path, tmp_path / "out")

    assert "--region" in raised.value.hint


class FailingFiles(Files):
    """A disk that is full when a file of the export is to be made durable."""

    def sync(self, fd: int) -> None:
        raise OSError(28, "No space left on device")


def published(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if not path.name.endswith(".lock"))


def test_a_failure_publishes_nothing(tmp_path: Path) -> None:
    """A full disk, a torn extract: no file appears, an earlier one stays, nothing is left over."""
    one_package(tmp_path)
    out = tmp_path / "out"
    run("dbt-sources", tmp_path, out)
    before = sums(out)

    with pytest.raises(CommitError, match="no space left"):
        run("dbt-sources", tmp_path, out, files=FailingFiles())

    for path in tmp_path.glob("*_metadata_columns_*.csv.gz"):
        path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(StateError, match="is torn"):
        run("dbt-sources", tmp_path, out)

    assert (published(out), sums(out)) == (["sources.yml"], before)


@pytest.mark.parametrize("target", ["duckdb", "openlineage", "parquet"])
def test_a_full_disk_is_named_by_the_option_that_chooses_it(
    target: str, extracts: Path, small_disk: Mount
) -> None:
    """The directory of the export, not that of the extracts; nothing is left over."""
    out = small_disk("out", size="64k")

    with pytest.raises(CommitError, match=r"no space left|disk is full") as raised:
        run(target, extracts, out)

    assert "another directory with -o" in raised.value.hint
    assert published(out) == []


async def test_a_cancelled_export_leaves_nothing(tmp_path: Path, extracts: Path) -> None:
    """A cancelled export ends at its next step, and has tidied up."""
    out = tmp_path / "out"
    begun, cancelled = Event(), Event()

    class Waiting(Files):
        """Holds the export in its first step until it is cancelled."""

        def make_dir(self, path: Path, *, mode: int = 0o700) -> None:
            super().make_dir(path, mode=mode)
            begun.set()
            assert cancelled.wait(timeout=200)
            sleep(0.2)  # longer than steps are taken in one go

    async with anyio.create_task_group() as group:

        async def work() -> None:
            await export("openlineage", output_path=extracts, directory=out, files=Waiting())

        group.start_soon(work)
        await anyio.to_thread.run_sync(begun.wait)
        group.cancel_scope.cancel()
        cancelled.set()

    assert published(out) == []


def test_command_says_what_it_wrote(cli: Cli, extracts: Path, tmp_path: Path) -> None:
    """Paths on stdout, the rest on stderr."""
    done = cli("--to", "dbt-sources", "-o", "out", "--output-path", str(extracts))

    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'out/sources.yml'}\n"), done.stderr
    assert "records of 1 run" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "atlas", "-o", "x"], "--to = 'atlas': name one of openlineage, datahub"),
        (["--to", "datahub"], "-o = (nothing): name the directory"),
        (["--to", "datahub", "-o", "x", "--to-url", "https://a.example"], "--to openlineage only"),
        (["--to", "datahub", "-o", "x", "--since", "yesterday"], "--since = 'yesterday': write"),
        (["--to", "datahub", "-o", "x", "--since", "2026-01-01", "--newest"], "leave out --newest"),
        (["--to", "openlineage", "--to-url", "http://a.example"], "write https://"),
    ],
)
def test_commands_that_make_no_sense(
    arguments: list[str], words: str, cli: Cli, extracts: Path
) -> None:
    """Exit code 2, and what to type instead."""
    done = cli(*arguments, "--output-path", str(extracts))

    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())


def test_a_missing_extra_is_named(cli: Cli, extracts: Path, tmp_path: Path) -> None:
    """Without pyarrow the command says how to get it."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/pyarrow.py").write_text(
        "raise ModuleNotFoundError('No module named pyarrow', name='pyarrow')"
    )
    path = f"{tmp_path / 'hidden'}:{Path(__file__).parents[2]}"
    done = cli("--to", "parquet", "-o", "o", "--output-path", str(extracts), PYTHONPATH=path)

    assert done.returncode == 2
    assert "pip install 'kada-athena-async[export]'" in done.stderr


def test_unknown_target_is_refused(tmp_path: Path) -> None:
    """The embedded door names the targets too, and is a ``KadaAthenaError``."""
    with pytest.raises(ConfigError, match="dbt-sources") as raised:
        run("atlas", tmp_path, tmp_path)

    assert isinstance(raised.value, KadaAthenaError)
