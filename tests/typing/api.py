"""Uses each public signature; type-checked, never run."""

from __future__ import annotations

from pathlib import Path

from kada_athena_async import (
    Config,
    ConfigError,
    ConnectionReport,
    Event,
    Extractor,
    KadaAthenaError,
    RunReport,
    load_config,
)
from kada_athena_async.records import ColumnRecord


def observe(event: Event) -> None:
    """An observer is any callable that takes an event."""


async def embed() -> int:
    config: Config = load_config(Path("config.json"), overrides={"mask": False})
    async with Extractor(config, observers=[observe], name="athena") as extractor:
        connection: ConnectionReport = await extractor.test_connection()
        missing: tuple[str, ...] = connection.missing
        try:
            report: RunReport = await extractor.run(start_hwm="2026-11-01 00:00:00", fresh=True)
        except ConfigError as error:
            keys: list[str] = [problem.key for problem in error.problems]
            return len(keys)
        except KadaAthenaError as error:
            return error.exit_code

        rows: dict[str, int] = report.rows
        return rows["databaselog"] + report.exit_code + len(missing)


def statements(extractor: Extractor) -> str:
    names: list[str] = extractor.list_sql()
    extractor.overwrite_sql(names[0], extractor.get_sql(names[0]))
    return names[0]


def column(record: ColumnRecord) -> tuple[str, int, bool]:
    return record.column, record.ordinal_position, record.is_nullable
