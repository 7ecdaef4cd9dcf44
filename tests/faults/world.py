"""A sandbox, a wall clock and an output directory, and what must be true of them in the end."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from kada_athena_async import Extractor, RunReport
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Estate
from tests.conftest import Extracts, FastClock
from tests.kit.small_estate import make_execution

START = datetime(2026, 11, 1, 12, 0, 0, tzinfo=timezone.utc)
SETTLE = timedelta(seconds=60)

OPEN = ("api", "sql", "both")
"""Values that ``found_by`` may have for a table."""


class WallClock(FastClock):
    """Waiting takes a fiftieth of the time; the wall clock stands where a test set it."""

    def __init__(self, time: datetime = START) -> None:
        super().__init__()
        self.time = time

    def now(self) -> datetime:
        return self.time


def fields_of(sandbox: Sandbox, output_path: Path, **fields: Any) -> dict[str, Any]:
    """The configuration of every run here: all catalogs, by API unless told otherwise."""
    settings = {"catalogs": ["*"], "quota_share": 1.0, "metadata_source": "api", **fields}
    return sandbox.config(output_path, **settings)


class World:
    """Runs against one sandbox into ``path / 'out'``, and the sandbox's own ledger."""

    def __init__(self, path: Path, sandbox: Sandbox, wall: WallClock | None = None) -> None:
        self.path, self.sandbox = path, sandbox
        self.wall = wall or WallClock()
        self.out = path / "out"
        self.hwm_path = path / "athena_hwm.txt"
        self.state_path = path / "athena_state.json"
        self._submitted = 0

    def extractor(self, **fields: Any) -> Extractor:
        seams: dict[str, Any] = {"clock": self.wall, "hwm_path": self.hwm_path}
        for name in ("observers", "files", "clock", "rng", "name", "hwm_path"):
            if name in fields:
                seams[name] = fields.pop(name)

        return Extractor(**seams, **fields_of(self.sandbox, fields.pop("out", self.out), **fields))

    async def run(self, moment: datetime | None = None, **fields: Any) -> RunReport:
        """Run at *moment* of the wall clock."""
        if moment is not None:
            self.wall.time = moment

        asked = ("start_hwm", "end_hwm", "fresh", "again", "manage_hwm")
        arguments: dict[str, Any] = {"manage_hwm": True}
        arguments |= {name: fields.pop(name) for name in asked if name in fields}
        async with self.extractor(**fields) as extractor:
            return await extractor.run(**arguments)

    def submit(self, submitted_at: datetime, **fields: Any) -> str:
        """Another tool submits a query; its id."""
        self._submitted += 1
        execution = make_execution(10_000 + self._submitted, submitted_at=submitted_at, **fields)
        self.sandbox.submit(execution)
        return execution.query_execution_id

    def rows(self, kind: str) -> list[dict[str, str]]:
        return Extracts(self.out).rows(kind)

    def manifests(self) -> list[dict[str, Any]]:
        return Extracts(self.out).manifests()

    def told(self) -> Counter[str]:
        """Count of rows of each execution, over all published manifests."""
        return Counter(row["query_id"] for row in self.rows("databaselog"))

    def mark(self) -> datetime | None:
        if not self.hwm_path.exists():
            return None

        text = self.hwm_path.read_text().strip()
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)

    def in_sight(self) -> list[str]:
        """Names of what a consumer sees."""
        if not self.out.exists():
            return []

        return sorted(p.name for p in self.out.iterdir() if p.name[0] != ".")

    def leftovers(self) -> list[str]:
        """Contents of the staging directory."""
        root = self.out / ".athena-staging"
        return sorted(p.name for p in root.iterdir()) if root.exists() else []

    def check(self, before: datetime | None = None) -> None:
        """All executions that were final before the mark are told once; all metadata is told."""
        end = before or self.mark()
        assert end is not None, "no run has committed"
        assert self.told() == finished(self.sandbox.estate, end)
        self.check_metadata()
        self.check_files()

    def check_metadata(self) -> None:
        """Every manifest holds every column of the estate, once."""
        truth = columns_of(self.sandbox.estate)
        for manifest in self.manifests():
            files = {file["kind"]: self.out / file["name"] for file in manifest["files"]}
            rows = Extracts.read(files["metadata_columns"])
            assert Counter(_key(row) for row in rows) == truth
            tables = Extracts.read(files["metadata_tables"])
            assert {row["found_by"] for row in tables} <= set(OPEN)

    def check_files(self) -> None:
        """The published files are those that the manifests name, whole."""
        named = {file["name"] for manifest in self.manifests() for file in manifest["files"]}
        seen = {name for name in self.in_sight() if "_manifest_" not in name}
        assert seen == named
        for manifest in self.manifests():
            for file in manifest["files"]:
                assert len(Extracts.read(self.out / file["name"])) == file["rows"], file


def _key(row: dict[str, str]) -> tuple[str, ...]:
    return row["catalog"], row["schema"], row["table"], row["column"]


def finished(estate: Estate, before: datetime) -> Counter[str]:
    """The ledger: every execution that was final before *before*, once."""
    return Counter(
        query_id
        for query_id, execution in estate.executions.items()
        if execution.is_final and (execution.completed_at or execution.submitted_at) < before
    )


def columns_of(estate: Estate) -> Counter[tuple[str, ...]]:
    """Every current column of the estate, once."""
    return Counter(
        (catalog.name, schema.name, table.name, column.name)
        for catalog, schema, table in estate.tables()
        for column in table.current_columns
    )
