"""Time and memory of ``report`` and of the views of ``show`` over a large estate.

30 nights of an invented estate are written as a run writes them, with principals if asked; then
``report`` and each view run as a process of their own. Several sites share the tables and the
executions. The names have something random in them, so that no compressor makes light of them.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from random import Random

from isal import igzip

from benchmarks.frame import parse, rounded, show
from kada_athena_async.files.document import to_bytes
from kada_athena_async.hwm import RunState
from kada_athena_async.manifest import Manifest, ManifestFile, RunFacts, extract_name, manifest_name
from kada_athena_async.records import (
    KINDS,
    ColumnRecord,
    EventRecord,
    LinkageRecord,
    PrincipalRecord,
    QueryRecord,
    Record,
    TableRecord,
    UsageRecord,
    ViewRecord,
)
from kada_athena_async.scopes import ScopeFacts
from kada_athena_async.sinks.csv_format import encode, header

NIGHTS = 30
TABLES = 100_000
EXECUTIONS = 1_000_000
COLUMNS = 20
SCHEMAS = 500
STATEMENTS = 20_000
PRINCIPALS = 5_000
END = datetime(2026, 11, 28, tzinfo=timezone.utc)

_SERVER, _CATALOG = "athena", "AwsDataCatalog"
_BATCH = 5_000
_WORDS = (
    *("order", "customer", "event", "price", "region", "status", "amount", "created", "session"),
    *("device", "metric", "invoice", "channel", "score", "batch", "source", "target", "value"),
)
_TYPES = ("varchar", "bigint", "double", "timestamp(3)", "date", "boolean", "decimal(18,2)")
_CLIENTS = ("console", "jdbc", "odbc", "quicksight", "dbt", "awswrangler", "")
_VIEWS = ("tables", "unused", "users", "who", "advice", "workgroups", "slowest")
_PROGRAM = """
import json, resource, sys
from kada_athena_async.__main__ import main
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    figures = {"cpu_s": used.ru_utime + used.ru_stime, "peak_rss_mb": peak / 1e6}
    print("figures", json.dumps(figures), file=sys.stderr)
"""


class Estate:
    """An invented estate: names, and what happens in a night."""

    def __init__(
        self, tables: int, executions: int, *, has_principals: bool = False, seed: int = 11
    ) -> None:
        rng = Random(seed)
        self._rng = rng
        self._executions = executions
        self.names = [f"{rng.choice(_WORDS)}_{rng.choice(_WORDS)}_{rng.randrange(16**6):06x}"
                      for _ in range(tables)]  # fmt: skip
        self.kinds: dict[str, Callable[[int], Iterator[Record]]] = {
            "metadata_tables": self._tables,
            "metadata_columns": self._columns,
            "metadata_views": self._views,
            "databaselog": self._queries,
            "linkages": self._linkages,
            "events": self._events,
            "usage": self._usage,
        }
        if has_principals:
            self.kinds["query_principals"] = self._principals

    def schema(self, table: int) -> str:
        """The schema of a table, by its number."""
        return f"domain_{table % SCHEMAS:03d}"

    def _tables(self, night: int) -> Iterator[Record]:
        rng = Random(f"tables {night}")
        for number, name in enumerate(self.names):
            is_view = number % 10 == 0
            yield TableRecord(
                *(_SERVER, _CATALOG, self.schema(number), name),
                table_type="VIEW" if is_view else "TABLE",
                table_format=None if is_view else rng.choice(("hive", "iceberg")),
                location=None if is_view else f"s3://lake/{self.schema(number)}/{name}/",
                owner="hadoop",
                comment=f"{rng.choice(_WORDS)} by {rng.choice(_WORDS)}",
                created_at=END - timedelta(days=rng.randrange(900)),
                updated_at=None,
                last_access_at=None,
                partition_keys=() if number % 3 else ("dt",),
                parameters={},
                found_by="both",
                row_count=None if is_view else rng.randrange(10**8),
                size_bytes=None if is_view else rng.randrange(2**40),
            )

    def _columns(self, night: int) -> Iterator[Record]:
        rng = Random("columns")
        for number, name in enumerate(self.names):
            for place in range(COLUMNS):
                column = f"{rng.choice(_WORDS)}_{rng.choice(_WORDS)}_{place}"
                comment = (
                    f"{rng.choice(_WORDS)} of {rng.choice(_WORDS)}" if place % 4 == 0 else None
                )
                kind = rng.choice(_TYPES)
                yield ColumnRecord(
                    *(_SERVER, _CATALOG, self.schema(number), name, column, place + 1),
                    *(kind, kind, True, False, comment),
                )

    def _views(self, night: int) -> Iterator[Record]:
        for number in range(0, len(self.names), 10):
            source = self.names[number - 1]
            text = f"SELECT * FROM {self.schema(number - 1)}.{source} WHERE status = ?"
            place = (_SERVER, _CATALOG, self.schema(number), self.names[number])
            yield ViewRecord(*place, text, "athena")

    def executions(self, night: int) -> Iterator[tuple[str, int, int, int, datetime, int]]:
        """Query id, statement, source, target, time and bytes of each execution."""
        rng = Random(f"night {night}")
        start = END - timedelta(days=NIGHTS - night)
        for _ in range(self._executions // NIGHTS):
            statement = min(int(rng.expovariate(1 / 1_500)), STATEMENTS - 1)
            source = statement * 7919 % len(self.names)
            target = statement * 104_729 % len(self.names)
            at = start + timedelta(seconds=rng.randrange(86_400))
            yield (
                f"{rng.getrandbits(128):032x}",
                statement,
                source,
                target,
                at,
                rng.randrange(2**32),
            )

    def _queries(self, night: int) -> Iterator[Record]:
        empty = dict.fromkeys(QueryRecord._fields)
        for query_id, statement, source, target, at, scanned in self.executions(night):
            fails = scanned % 20 == 0
            values = {
                "server": _SERVER,
                "query_id": query_id,
                "user": f"athena_workgroup_team_{statement % 60}",
                "workgroup": f"team_{statement % 60}",
                "catalog": _CATALOG,
                "statement_type": "DML",
                "substatement_type": "INSERT" if statement % 5 == 0 else "SELECT",
                "query": f"SELECT a, b, c FROM {self.names[source]} JOIN {self.names[target]} "
                f"USING (id) WHERE d = ? AND e IN (?, ?, ?) /* {statement} */",
                "status": "FAILED" if fails else "SUCCEEDED",
                "status_reason": "TABLE_NOT_FOUND: ?" if fails else None,
                "submitted_at": at,
                "completed_at": at,
                "total_ms": scanned % 60_000,
                "queue_ms": scanned % 700,
                "engine_ms": scanned % 50_000,
                "scanned_bytes": scanned,
                "reused_result": False,
                "fingerprint": f"{statement * 2_654_435_761:032x}",
            }
            yield QueryRecord(**{**empty, **values})

    def _events(self, night: int) -> Iterator[Record]:
        for query_id, statement, source, target, at, scanned in self.executions(night):
            if scanned % 20 == 0:
                continue

            what = "WRITE" if statement % 5 == 0 else "READ"
            for place, (kind, table) in enumerate((("READ", source), (what, target))):
                yield EventRecord(
                    *(_SERVER, f"{query_id}-{place}", query_id, kind),
                    *(f"athena_workgroup_team_{statement % 60}", _CATALOG, self.schema(table)),
                    *(self.names[table], ("a", "b"), at),
                )

    def _principals(self, night: int) -> Iterator[Record]:
        for query_id, statement, source, _, at, scanned in self.executions(night):
            name = f"user{(statement * 31 + scanned) % PRINCIPALS}@example.com"
            yield PrincipalRecord(
                *(_SERVER, query_id, f"arn:aws:sts::123456789012:assumed-role/analyst/{name}"),
                *("AssumedRole", name, name, None, _CLIENTS[source % len(_CLIENTS)]),
                *("cloudtrail", at),
            )

    def _usage(self, night: int) -> Iterator[Record]:
        found: dict[tuple[int, int, str], list[int]] = {}
        for _, statement, source, target, _, scanned in self.executions(night):
            if scanned % 20 == 0:
                continue

            what = "WRITE" if statement % 5 == 0 else "READ"
            for kind, table in (("READ", source), (what, target)):
                sums = found.setdefault((table, statement % 60, kind), [0, 0])
                sums[0] += 1
                sums[1] += scanned // 2

        day = END - timedelta(days=NIGHTS - night)
        for (table, team, kind), (count, scanned) in found.items():
            yield UsageRecord(
                *(_SERVER, _CATALOG, self.schema(table), self.names[table], f"{day:%Y-%m-%d}"),
                *(f"athena_workgroup_team_{team}", kind, count, 0, 1, scanned, day),
            )

    def _linkages(self, night: int) -> Iterator[Record]:
        for number in range(0, len(self.names), 10):
            yield self._link(number - 1, number, "VIEW", None, None)

        seen = {row[1]: row for row in self.executions(night) if row[1] % 5 == 0}
        for query_id, _, source, target, at, _ in seen.values():
            yield self._link(source, target, "INSERT", query_id, at)

    def _link(
        self, source: int, target: int, kind: str, query_id: str | None, at: datetime | None
    ) -> Record:
        return LinkageRecord(
            server=_SERVER,
            source_catalog=_CATALOG,
            source_schema=self.schema(source),
            source_table=self.names[source],
            source_column=f"{_WORDS[source % len(_WORDS)]}_{source % COLUMNS}",
            target_catalog=_CATALOG,
            target_schema=self.schema(target),
            target_table=self.names[target],
            target_column=f"{_WORDS[target % len(_WORDS)]}_{target % COLUMNS}",
            linkage_type=kind,
            query_id=query_id,
            confidence="exact",
            dependency="direct",
            transformation="identity",
            executions=3 if at else None,
            first_at=at,
            last_at=at,
        )


def main() -> None:
    """Measure and print."""
    options = parse(
        __doc__ or "",
        repeat=1,
        add=(
            ("--principals", {"action": "store_true", "help": "who ran each query is known"}),
            ("--sites", {"type": int, "default": 1, "help": "sites that share the estate"}),
            ("--keep", {"type": Path, "help": "write the estate here, or take what is there"}),
        ),
    )
    scale = 0.002 if options.is_quick else 1.0
    tables, executions = int(TABLES * scale), int(EXECUTIONS * scale)
    sites: int = options.more.sites
    with tempfile.TemporaryDirectory() as directory:
        folder = options.more.keep or Path(directory) / "out"
        places = [folder / f"site{number:03d}" if sites > 1 else folder for number in range(sites)]
        if not folder.exists():
            for number, place in enumerate(places):
                place.mkdir(parents=True)
                estate = Estate(
                    *(tables // sites, executions // sites),
                    has_principals=options.more.principals,
                    seed=11 + number,
                )
                for night in range(NIGHTS):
                    write_night(estate, place, night, f"athena-{place.name}" * (sites > 1))

        page = Path(directory) / "page.html"
        figures = {
            "tables": tables,
            "columns": tables * COLUMNS,
            "executions": executions // sites // NIGHTS * NIGHTS * sites,
            "nights": NIGHTS,
            "sites": sites,
            "principals": options.more.principals,
            "extracts_mb": rounded(sum(p.stat().st_size for p in folder.rglob("*.*")) / 1e6),
            "report": _measured(["report", "-f", str(page), *_extracts(places, Path(directory))]),
            "page_mb": rounded(page.stat().st_size / 1e6),
        }
        if sites == 1:
            for view in _VIEWS:
                named = [Estate(tables, 0).names[7]] if view == "who" else []
                command = ["show", view, *named, "--json", "--output-path", str(folder)]
                figures[f"show {view}"] = _measured(command)

    show("page", options, figures)


def _extracts(places: list[Path], directory: Path) -> list[str]:
    """Options that name the extracts of all sites."""
    if len(places) == 1:
        return ["--output-path", str(places[0])]

    common = {"region": "eu-west-1", "bucket": "s3://results"}
    document = {
        **common,
        "sites": [
            {"name": place.name, "server": place.name, "output_path": str(place)}
            for place in places
        ],
    }
    config = directory / "sites.json"
    config.write_text(json.dumps(document))
    return ["-c", str(config)]


def _measured(command: list[str]) -> dict[str, object]:
    """Seconds, CPU and memory of a command as a process."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *command], capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr[-2000:]}")

    seconds = time.monotonic() - started
    figures = json.loads(done.stderr.rpartition("figures ")[2])
    return {"seconds": rounded(seconds), **{name: rounded(each) for name, each in figures.items()}}


def write_night(estate: Estate, folder: Path, night: int, name: str = "") -> None:
    """Write the package of a night; the metadata of the last two only, which the page reads.

    Args:
        name: Of the collector's instance; empty for the usual one.
    """
    name = name or "athena"
    end = END - timedelta(days=NIGHTS - 1 - night)
    files = []
    for kind in KINDS:
        is_written = night >= NIGHTS - 2 or not kind.startswith("metadata_")
        rows = estate.kinds[kind](night) if kind in estate.kinds and is_written else iter(())
        files.append(_write(folder, name, kind, end, rows))

    schemas = {estate.schema(number) for number in range(len(estate.names))}
    manifest = Manifest(
        run_id=f"{end:%Y%m%dT%H%M%SZ}-0a1b2c3d",
        name=name,
        start=end - timedelta(days=1),
        end=end,
        started_at=end + timedelta(minutes=1),
        config_digest="same",
        plan_digest="p",
        manages_hwm=True,
        files=tuple(files),
        facts=RunFacts(
            version="1.0",
            server=_SERVER,
            region="eu-west-1",
            completeness=tuple(
                ScopeFacts(scope="schema", name=(_CATALOG, name), outcome="complete")
                for name in sorted(schemas)
            ),
        ),
        state=RunState(hwm=end),
    )
    (folder / manifest_name(name, end)).write_bytes(to_bytes(manifest))


def _write(
    folder: Path, instance: str, kind: str, end: datetime, rows: Iterator[Record]
) -> ManifestFile:
    name = extract_name(instance, kind, end, compress=True)
    count = 0
    with igzip.open(folder / name, "wb", compresslevel=1) as file:
        file.write(header(kind))
        while batch := list(islice(rows, _BATCH)):
            count += len(batch)
            file.write(encode(kind, batch))

    data = (folder / name).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return ManifestFile(name=name, kind=kind, rows=count, size_bytes=len(data), sha256=digest)


if __name__ == "__main__":
    main()
