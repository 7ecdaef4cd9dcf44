"""Runs one unit, whatever its kind, and turns how it ended into a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from typing_extensions import assert_never

from kada_athena_async.aws.athena import AthenaQueries
from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.results import Results
from kada_athena_async.aws.wire import QueryExecution
from kada_athena_async.concurrency import Clock, Slots, offload
from kada_athena_async.config import Config
from kada_athena_async.discover import CatalogFacts, Estate
from kada_athena_async.errors import (
    AccessDeniedError,
    DerivationError,
    KadaAthenaError,
    NotFoundError,
    StateError,
    UnitError,
)
from kada_athena_async.events import (
    Observer,
    UnitAdvanced,
    UnitFinished,
    UnitProgress,
    UnitStarted,
)
from kada_athena_async.pipeline.derive import DeriveExtraction
from kada_athena_async.pipeline.metadata import CatalogSources, MetadataExtraction
from kada_athena_async.pipeline.transforms import Transforms
from kada_athena_async.plan import (
    BrokenUnit,
    DeriveUnit,
    EstateUnit,
    HistoryUnit,
    MetadataUnit,
    Unit,
    is_included,
)
from kada_athena_async.records import CatalogRecord, Record, SchemaRecord, UserRecord
from kada_athena_async.report import SPARK, Scope, ScopeFacts, UnitFacts, UnitOutcome
from kada_athena_async.sinks import SealedUnit, Staging
from kada_athena_async.sources.glue import GlueTables
from kada_athena_async.sources.information_schema import InformationSchema
from kada_athena_async.sources.interface import TableLister
from kada_athena_async.sources.listing import Listing, SqlTables
from kada_athena_async.sources.query_history import WorkgroupHistory, record_of, user_of
from kada_athena_async.sources.table_metadata import TableMetadataTables
from kada_athena_async.sql.worker_pool import WorkerPool

SLICES_AHEAD = 4
"""Slices held beyond those whose statement runs: being joined and written. Each unit has one more
in hand, so that no query slot waits for a listing."""


@dataclass(slots=True, kw_only=True)
class UnitRunner:
    """Runs the units of one run.

    Args:
        queries: Where our own statements run.
        texts: Statement name -> text.
        unit_order: All units but the last, which derives from them, in plan order.
        pool: The processes that parse SQL, shared with other runs perhaps.
    """

    config: Config
    client: AwsClient
    queries: AthenaQueries
    texts: Mapping[str, str]
    unit_order: Sequence[str]
    staging: Staging
    clock: Clock
    tell: Observer
    pool: WorkerPool
    transforms: Transforms = field(init=False)
    _sources: dict[str, CatalogSources] = field(init=False, default_factory=dict)
    _slices: Slots = field(init=False)
    _results: Results = field(init=False)

    def __post_init__(self) -> None:
        self.transforms = Transforms(
            mask=self.config.mask, keep_s3_locations=self.config.keep_s3_locations
        )
        self._results = Results(self.client, source=self.config.results)
        self._slices = Slots(self.config.max_concurrent_queries + SLICES_AHEAD)

    async def run(self, unit: Unit, estate: Estate) -> UnitOutcome:
        """Run *unit* to its end; its parts and facts are durable if it is done.

        Raises:
            AbortError: The run cannot go on at all.
            CommitError: The disk refuses.
        """
        if sealed := self.staging.sealed().get(unit.unit_id):
            return self._finished(unit, self._resumed(sealed), 0.0)

        begun = self.clock.monotonic()
        self.tell(UnitStarted(unit_id=unit.unit_id))
        try:
            facts = await self._extract(unit, estate)
            await self.staging.seal(unit.unit_id, msgspec.to_builtins(facts))
            outcome = UnitOutcome(unit_id=unit.unit_id, outcome="done", facts=facts)
        except UnitError as exc:
            await self.staging.discard(unit.unit_id)
            outcome = await self._without(unit, exc)

        return self._finished(unit, outcome, self.clock.monotonic() - begun)

    async def _extract(self, unit: Unit, estate: Estate) -> UnitFacts:
        match unit:
            case EstateUnit():
                return await self._estate(unit, estate)
            case MetadataUnit():
                return await self._metadata(unit)
            case HistoryUnit():
                return await self._history(unit)
            case BrokenUnit():
                raise unit.error
            case DeriveUnit():
                return await self._derive(unit)
            case _ as never:
                assert_never(never)

    async def _without(self, unit: Unit, error: UnitError) -> UnitOutcome:
        """The outcome of a unit that cannot be done: skipped if that is allowed, else failed."""
        # A workgroup that was deleted while the run went on has no history any more.
        is_gone = isinstance(unit, HistoryUnit) and isinstance(error, NotFoundError)
        is_known = isinstance(unit, BrokenUnit) and unit.is_expected
        is_expected = is_gone or is_known or isinstance(error, DerivationError)
        if self.config.on_error == "fail" and not is_expected:
            return UnitOutcome(
                unit_id=unit.unit_id, outcome="failed", reason=error.message, hint=error.hint
            )

        facts = UnitFacts(scopes=_left_out(unit, error))
        await self.staging.seal(unit.unit_id, msgspec.to_builtins(facts))
        return UnitOutcome(
            unit_id=unit.unit_id,
            outcome="skipped",
            facts=facts,
            reason=error.message,
            hint=error.hint,
        )

    def _resumed(self, sealed: SealedUnit) -> UnitOutcome:
        facts = msgspec.convert(sealed.facts, UnitFacts)
        return UnitOutcome(unit_id=sealed.unit_id, outcome="resumed", facts=facts)

    def _finished(self, unit: Unit, outcome: UnitOutcome, duration_s: float) -> UnitOutcome:
        self.tell(
            UnitFinished(
                unit_id=unit.unit_id,
                outcome=outcome.outcome,
                rows=outcome.rows,
                duration_s=round(duration_s, 3),
                reason=outcome.reason,
            )
        )
        return outcome

    async def _estate(self, unit: EstateUnit, estate: Estate) -> UnitFacts:
        server = self.config.server
        catalogs = [
            CatalogRecord(server, c.name, c.type, c.status, c.description) for c in estate.catalogs
        ]
        schemas = [
            SchemaRecord(server, c.name, s.name, s.description, s.location, s.created_at)
            for c in estate.catalogs
            for s in c.schemas
            if is_included(self.config, c.name, s.name)
        ]
        users = [
            UserRecord(
                server,
                user_of(w.name),
                w.name,
                w.state,
                w.engine_version,
                w.description,
                w.created_at,
            )
            for w in estate.workgroups
        ]
        rows: Counter[str] = Counter()
        kinds: dict[str, list[Record]] = {
            "metadata_catalogs": [*catalogs],
            "metadata_schemas": [*schemas],
            "users": [*users],
        }
        for kind, records in kinds.items():
            async with self.staging.part(unit.unit_id, kind) as part:
                await part.write(records)

            rows[kind] = len(records)

        spark = tuple(
            ScopeFacts(
                scope="workgroup",
                name=(w.name,),
                outcome="skipped",
                reason=SPARK,
            )
            for w in estate.workgroups
            if w.is_spark
        )
        return UnitFacts(rows=dict(rows), scopes=spark)

    async def _metadata(self, unit: MetadataUnit) -> UnitFacts:
        needs_sql = self.config.metadata_source != "api"
        information_schema = self.information_schema(unit.catalog.name, unit.unit_id)
        extraction = MetadataExtraction(
            unit=unit,
            config=self.config,
            information_schema=information_schema if needs_sql else None,
            sources=self._sources_of(unit.catalog),
            staging=self.staging,
            transforms=self.transforms,
            slots=self._slices,
            tell=self.tell,
        )
        return await extraction.run()

    async def _derive(self, unit: DeriveUnit) -> UnitFacts:
        derivation = DeriveExtraction(
            unit_id=unit.unit_id,
            unit_ids=self.unit_order,
            config=self.config,
            staging=self.staging,
            tell=self.tell,
            pool=self.pool,
        )
        try:
            return await derivation.run()
        except (KadaAthenaError, OSError):
            raise
        except Exception as exc:
            # A bug here must not cost the extracts themselves, night after night. No message: it
            # may hold SQL.
            raise DerivationError(
                f"linkages and events could not be derived: {type(exc).__name__}",
                hint="report it; the other extracts are complete",
            ) from None

    def information_schema(self, catalog: str, unit_id: str) -> InformationSchema:
        """SQL's view of *catalog*, asked on behalf of a unit."""
        return InformationSchema(
            queries=self.queries,
            results=self._results,
            texts=self.texts,
            catalog=catalog,
            unit_id=unit_id,
        )

    def _sources_of(self, catalog: CatalogFacts) -> CatalogSources:
        if catalog.name not in self._sources:
            listers: list[TableLister] = [
                TableMetadataTables(self.client, has_formats=catalog.has_files)
            ]
            if catalog.is_own_glue:
                listers.insert(0, GlueTables(self.client))

            if self.config.metadata_source == "auto":
                listing = self.information_schema(catalog.name, f"listing/{catalog.name}")
                listers.append(SqlTables(listing))

            self._sources[catalog.name] = CatalogSources(
                Listing(catalog=catalog.name, listers=listers)
            )

        return self._sources[catalog.name]

    async def _history(self, unit: HistoryUnit) -> UnitFacts:
        rows = 0
        name = unit.workgroup.name
        async with self.staging.part(unit.unit_id, "databaselog") as part:

            async def emit(executions: list[QueryExecution]) -> None:
                nonlocal rows

                def transform() -> list[Record]:
                    server = self.config.server
                    return [
                        self.transforms.query(record_of(server, execution, workgroup=name))
                        for execution in executions
                    ]

                await part.write(await offload(transform))
                rows += len(executions)
                self.tell(
                    UnitProgress(unit_id=unit.unit_id, kind="databaselog", rows=len(executions))
                )

            def advanced(share: float) -> None:
                self.tell(UnitAdvanced(unit_id=unit.unit_id, share=round(share, 3)))

            history = WorkgroupHistory(
                client=self.client,
                clock=self.clock,
                reading=unit.reading,
                emit=emit,
                advanced=advanced,
            )
            account = await history.read()

        if rows != account.counts.get("emitted", 0):
            raise StateError(
                f"workgroup {name} accounted for {account.counts.get('emitted', 0)} executions "
                f"and wrote {rows}",
                hint="this is a defect of ours; nothing was committed",
            )

        denied = account.counts.get("unauthorised", 0)
        return UnitFacts(
            rows={"databaselog": rows},
            account=account,
            scopes=(
                ScopeFacts(
                    scope="workgroup",
                    name=(name,),
                    outcome="partial" if denied else "complete",
                    counts=account.counts,
                    reason=f"{denied} executions may not be read: "
                    "athena:BatchGetQueryExecution is not allowed for them"
                    if denied
                    else "",
                ),
            ),
        )


def _left_out(unit: Unit, error: UnitError) -> tuple[ScopeFacts, ...]:
    """What the manifest says of a unit that is left out: never that it is empty."""
    is_denied = isinstance(error, AccessDeniedError)
    names: list[tuple[str, ...]] = []
    scope: Scope = "workgroup"
    match unit:
        case MetadataUnit():
            scope = "schema"
            names = [(unit.catalog.name, schema) for schema in unit.schemas]
        case HistoryUnit():
            names = [(unit.workgroup.name,)]
        case BrokenUnit():
            scope = unit.scope
            names = [(unit.name,)]
        case EstateUnit() | DeriveUnit():
            names = []
        case _ as never:
            assert_never(never)

    return tuple(
        ScopeFacts(
            scope=scope,
            name=name,
            outcome="denied" if is_denied else "skipped",
            reason=error.message,
        )
        for name in names
    )
