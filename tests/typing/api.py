"""Uses each public signature; type-checked, never run."""

from __future__ import annotations

from contextlib import aclosing
from datetime import datetime, timezone
from pathlib import Path

from kada_athena_async import (
    Config,
    ConfigError,
    ConfigFields,
    ConnectionReport,
    DoctorReport,
    Event,
    ExitCode,
    Extractor,
    KadaAthenaError,
    PlanReport,
    RunReport,
    Shared,
    Site,
    SiteResult,
    SitesExtractor,
    SitesReport,
    WarningCode,
    load_config,
    load_sites,
    sync,
)
from kada_athena_async.events import SiteEvent, Warned
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


async def records(extractor: Extractor) -> int:
    """Each iteration gives batches of its own type of record."""
    found = 0
    async with aclosing(extractor.tables()) as tables:
        async for batch in tables:
            formats: list[str | None] = [record.table_format for record in batch]
            found += len(formats)

    async for columns in extractor.columns():
        types: list[tuple[str, int, bool]] = [column(record) for record in columns]
        found += len(types)

    async for views in extractor.views():
        definitions: list[str | None] = [record.definition for record in views]
        found += len(definitions)

    async for catalogs in extractor.catalogs():
        names: list[str] = [record.catalog for record in catalogs]
        found += len(names)

    async for schemas in extractor.schemas():
        found += len([record.schema for record in schemas])

    async for users in extractor.users():
        found += len([record.workgroup for record in users])

    start = datetime(2026, 11, 1, tzinfo=timezone.utc)
    async for executions in extractor.executions(start, "2026-11-02 00:00:00"):
        scanned: list[int | None] = [record.scanned_bytes for record in executions]
        found += len(scanned)

    async for principals in extractor.principals(start):
        found += len([record.principal for record in principals])

    async for tags in extractor.tags():
        found += len([record.tag_key for record in tags])

    return found


def watch(event: Event) -> None:
    """An event of one of several sites says which."""
    if isinstance(event, SiteEvent):
        site: str = event.site
        inner: Event = event.event
        del site, inner


async def many_sites() -> int:
    sites: tuple[Site, ...] = load_sites("config.json", overrides={"mask": False})
    shared = Shared()
    extractor = SitesExtractor(sites, observers=[watch], name="athena", at_once=4, shared=shared)
    report: SitesReport = await extractor.run(end_hwm="2026-11-01 00:00:00")
    failed: dict[str, str] = {site.site: site.reason for site in report.failed}
    for tested in await extractor.test_connection():
        connection: ConnectionReport | None = tested.result
        error: Exception | None = tested.error
        del connection, error

    alone = Extractor(sites[0].config, name=sites[0].instance("athena"), shared=shared)
    del alone
    return report.exit_code + len(failed)


async def keywords(path: Path) -> int:
    """Fields as keywords: a misspelt one, or one of another type, is found before it runs."""
    fields: ConfigFields = {"server": "athena", "region": "eu-west-1", "output_path": path}
    extractor = Extractor(**fields, name="athena")
    Extractor(server="athena", maks=True)  # type: ignore[call-arg]
    Extractor(server="athena", mask="yes")  # type: ignore[arg-type]
    sync.Extractor(**sync.load_config(path)).run()
    plan: PlanReport = await extractor.plan()
    doctor: DoctorReport = await extractor.examine()
    return len(plan.catalogs) + doctor.exit_code


def codes(event: Event, result: SiteResult[RunReport]) -> bool:
    """Codes are enums that equal their plain values."""
    if isinstance(event, Warned):
        code: WarningCode = event.code
        return code == "gap"

    return result.exit_code == ExitCode.OK
