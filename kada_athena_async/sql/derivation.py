"""Derives the linkages and events of a run from the run's own records, as they come.

Columns first: ``learn`` keeps those of all tables, on disk. Then each workgroup's executions, and
the views, are derived batch by batch, so that nothing but a bounded cache is ever held. What
EXECUTE runs is known only when all that was prepared in the workgroup is, so it waits for that.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kada_athena_async.concurrency import offload
from kada_athena_async.records import (
    EventRecord,
    LinkageRecord,
    QueryRecord,
    TableColumns,
    ViewRecord,
)
from kada_athena_async.sql.analysis import Analysis, Statement
from kada_athena_async.sql.engine_choice import first_words
from kada_athena_async.sql.event_rows import events, linkages
from kada_athena_async.sql.fingerprints import folded_names
from kada_athena_async.sql.names import DEFAULT_CATALOG, Context, TableName
from kada_athena_async.sql.parse_cache import ParseCache
from kada_athena_async.sql.prepared import PreparedStatements
from kada_athena_async.sql.schema_index import SchemaIndex
from kada_athena_async.sql.worker_pool import WorkerPool
from kada_athena_async.sql.workers import SqlWorkers

Source = QueryRecord | ViewRecord
_CACHED_ANALYSES = 1_000
"""Of one workgroup; eight are derived side by side. Only of shapes that came twice."""
_SHAPES_SEEN = 10_000


class Derivation:
    """The derivation of one run; use as ``async with``.

    The texts may be masked already; then S3 locations are hidden, and an EXECUTE IMMEDIATE gives
    something only if the statement in its literal is masked in place of the literal as a whole.

    Args:
        mask: True if S3 locations are hidden, being literals of the statements.
        is_masked: True if nothing in any text is left to mask: then none is masked again.
        include_failed: True if executions that did not succeed have events; they never link.
        pool: The processes that parse, shared with others; None for some of its own.
        columns_path: A new file for the columns; None keeps them in memory.
        readings_path: The file of readings, perhaps of an interrupted run; None for none.

    Attributes:
        problems: Why statements could not be understood wholly -> how many.
    """

    def __init__(
        self,
        *,
        mask: bool,
        is_masked: bool = False,
        include_failed: bool = False,
        pool: WorkerPool | None = None,
        columns_path: Path | None = None,
        readings_path: Path | None = None,
    ) -> None:
        self.mask = mask
        self.is_masked = is_masked
        self.include_failed = include_failed
        self.problems: Counter[str] = Counter()
        self._schema = SchemaIndex(columns_path)
        self._readings = ParseCache(readings_path)
        self.workers = SqlWorkers(self._schema, readings=self._readings, pool=pool)

    async def __aenter__(self) -> Derivation:
        await self.workers.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await offload(self._readings.close)
        await offload(self._schema.close)
        await self.workers.__aexit__(*exc_info)

    def learn(self, batch: Iterable[TableColumns]) -> None:
        """Keep the columns of *batch*; tables may come in pieces. Blocks."""
        self._schema.add_many(batch)


class Statements:
    """The views of a run, or the executions of one workgroup.

    Args:
        view_contexts: Of the views whose names do not lie where the view does.
    """

    def __init__(
        self,
        derivation: Derivation,
        *,
        view_contexts: Mapping[TableName, Context] | None = None,
    ) -> None:
        self._derivation = derivation
        self._view_contexts = view_contexts or {}
        self._prepared = PreparedStatements()
        self._analyses: OrderedDict[tuple[object, ...], Analysis] = OrderedDict()
        self._seen: OrderedDict[int, None] = OrderedDict()

    def note(self, batch: Iterable[Source]) -> None:
        """Note what *batch* prepares; which text is in force depends on the times of all."""
        for record in batch:
            self._note_prepared(record)

    def _note_prepared(self, record: Source) -> None:
        if isinstance(record, ViewRecord) or record.status != "SUCCEEDED" or not record.query:
            return

        # Reading words takes long; most texts do not even hold this one.
        if "prepare" not in record.query.lower():
            return

        at = record.completed_at or record.submitted_at
        self._prepared.note(record.workgroup, record.query, at)

    async def read(self, batch: Sequence[Source]) -> None:
        """Have the parser read *batch* and keep what it says, for a ``derive`` to come."""
        await self._analyse([record for record in batch if self._counts(record)])

    async def derive(
        self, batch: Sequence[Source]
    ) -> tuple[list[LinkageRecord], list[EventRecord]]:
        """The rows that come of *batch*, in its order; give some hundreds at a time.

        Give those that ``runs_prepared`` when all that the workgroup prepared is noted.
        """
        counted = [record for record in batch if self._counts(record)]
        analyses = await self._analyse(counted)
        for analysis in analyses:
            self._derivation.problems.update(analysis.problems)

        return await offload(lambda: self._rows(counted, analyses))

    def _rows(
        self, records: Sequence[Source], analyses: Sequence[Analysis]
    ) -> tuple[list[LinkageRecord], list[EventRecord]]:
        linked: list[LinkageRecord] = []
        happened: list[EventRecord] = []
        hides = self._derivation.mask
        for record, analysis in zip(records, analyses, strict=True):
            server = record.server
            if isinstance(record, ViewRecord):
                linked += linkages(analysis, server=server, query_id=None, hide_locations=hides)
                continue

            query_id, at = record.query_id, record.completed_at or record.submitted_at
            if record.status == "SUCCEEDED":
                linked += linkages(
                    analysis, server=server, query_id=query_id, at=at, hide_locations=hides
                )
            happened += events(
                analysis,
                server=server,
                query_id=query_id,
                user=record.user,
                occurred_at=at,
                hide_locations=hides,
            )

        return linked, happened

    def _counts(self, record: Source) -> bool:
        if isinstance(record, ViewRecord):
            return bool(record.definition)

        is_wanted = self._derivation.include_failed or record.status == "SUCCEEDED"
        return bool(record.query) and is_wanted

    async def _analyse(self, records: Sequence[Source]) -> list[Analysis]:
        """An analysis for each record; those of the same shape share one."""
        shapes = await offload(lambda: [_shape(record) for record in records])
        # Within a batch the workers see to it that each question is asked once.
        missing = [i for i, shape in enumerate(shapes) if not shape or shape not in self._analyses]
        statements = [self._statement(records[i]) for i in missing]
        found = await self._derivation.workers.analyse_many(statements, self._prepared)
        answers = dict(zip(missing, found, strict=True))
        result = [answers.get(i) or self._analyses[shape or ()] for i, shape in enumerate(shapes)]
        for i, analysis in answers.items():
            shape = shapes[i]
            if not shape or analysis.kind in _TOLD_BY_LITERALS or analysis.locations:
                continue
            if hash(shape) in self._seen:
                self._analyses[shape] = analysis
            self._seen[hash(shape)] = None
        while len(self._analyses) > _CACHED_ANALYSES:
            self._analyses.popitem(last=False)
        while len(self._seen) > _SHAPES_SEEN:
            self._seen.popitem(last=False)

        return result

    def _statement(self, record: Source) -> Statement:
        if isinstance(record, ViewRecord):
            view = TableName(record.catalog, record.schema, record.view)
            context = self._view_contexts.get(view, Context(record.catalog, record.schema))
            return Statement(
                sql=record.definition or "",
                catalog=context.catalog,
                schema=context.schema,
                view=view,
                dialect=record.dialect or "athena",
                is_masked=self._derivation.is_masked,
            )

        return Statement(
            sql=record.query or "",
            catalog=record.catalog,
            schema=record.schema,
            statement_type=record.statement_type,
            substatement_type=record.substatement_type,
            workgroup=record.workgroup,
            submitted_at=record.submitted_at or record.completed_at,
            is_masked=self._derivation.is_masked,
        )


_TOLD_BY_LITERALS = ("UNLOAD", "EXECUTE", "IMMEDIATE", "CREATE", "ALTER", "CTAS")


_FIRST_WORDS = 4
"""As EXECUTE may follow EXPLAIN ANALYZE VERBOSE."""


def runs_prepared(record: Source) -> bool:
    """True if *record* executes a prepared statement."""
    words = _words_of_execute(record)[: _FIRST_WORDS + 1]
    if words[:1] not in (["execute"], ["explain"]) or "execute" not in words[:_FIRST_WORDS]:
        return False

    return words[words.index("execute") + 1 :][:1] != ["immediate"]


def _shape(record: Source) -> tuple[object, ...] | None:
    """Key of statements that do the same; None where literals matter, or what the mask hides."""
    if isinstance(record, ViewRecord) or not record.fingerprint or not record.query:
        return None

    if "execute" in _words_of_execute(record)[:_FIRST_WORDS]:
        return None

    if record.status != "SUCCEEDED" and '"' in record.query:
        return None

    place = (record.catalog, record.schema, record.workgroup)
    is_elsewhere = (record.catalog or DEFAULT_CATALOG).lower() != DEFAULT_CATALOG.lower()
    if is_elsewhere and DEFAULT_CATALOG.lower() in record.query.lower():
        return None  # the fingerprint does not tell this catalog from that of the context

    return (record.fingerprint, *place, folded_names(record.query))


def _words_of_execute(record: Source) -> list[str]:
    """The first words of a text that may be an EXECUTE; else none, for reading them takes long."""
    if isinstance(record, ViewRecord) or not record.query:
        return []

    return first_words(record.query) if "execute" in record.query.lower() else []
