"""Derives the linkages and events of a run from the run's own records, in three passes.

``note`` sees all queries and views, so that ``learn`` need keep only the columns of the tables they
mention; then ``derive`` turns the same queries and views into rows. Each pass takes batches, so
that nothing but the columns, and a bounded cache, is ever held.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType

from kada_athena_async.concurrency import offload
from kada_athena_async.records import (
    EventRecord,
    LinkageRecord,
    QueryRecord,
    TableColumns,
    ViewRecord,
)
from kada_athena_async.sql.analysis import Analysis, Statement, masked_text
from kada_athena_async.sql.clean import clean
from kada_athena_async.sql.engine_choice import first_words
from kada_athena_async.sql.immediate import immediate_text
from kada_athena_async.sql.names import Context, TableName
from kada_athena_async.sql.prepared import PreparedStatements
from kada_athena_async.sql.question import mentioned
from kada_athena_async.sql.schema_index import SchemaIndex
from kada_athena_async.sql.usage import events, linkages
from kada_athena_async.sql.worker_pool import WorkerPool
from kada_athena_async.sql.workers import SqlWorkers

Source = QueryRecord | ViewRecord
_MAX_WANTED = 200_000
_MAX_SHAPES = 200_000
_CACHED_ANALYSES = 10_000


class Derivation:
    """The derivation of one run; use as ``async with``.

    The texts may be masked already; then S3 locations are hidden, and an EXECUTE IMMEDIATE gives
    something only if the statement in its literal is masked in place of the literal as a whole.

    Args:
        mask: True if S3 locations are hidden, being literals of the statements.
        is_masked: True if nothing in any text is left to mask: then none is masked again.
        include_failed: True if executions that did not succeed have events; they never link.
        pool: The processes that parse, shared with others; None for some of its own.
        view_contexts: Of the views whose names do not lie where the view does.

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
        view_contexts: Mapping[TableName, Context] | None = None,
    ) -> None:
        self._mask = mask
        self._is_masked = is_masked
        self._include_failed = include_failed
        self._view_contexts = view_contexts or {}
        self._wanted: set[TableName] = set()
        self._shapes: set[int] = set()
        self._prepared = PreparedStatements()
        self._schema: SchemaIndex | None = None
        self._pool = pool
        self._workers: SqlWorkers | None = None
        self._analyses: OrderedDict[tuple[str | None, ...], Analysis] = OrderedDict()
        self.problems: Counter[str] = Counter()

    async def __aenter__(self) -> Derivation:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._workers is not None:
            await self._workers.__aexit__(kind, error, trace)

    async def note(self, batch: Sequence[Source]) -> None:
        """First pass: note what *batch* mentions."""
        await offload(lambda: self._note(batch))

    def _note(self, batch: Iterable[Source]) -> None:
        for record in batch:
            self._note_prepared(record)
            shape = _shape(record)
            is_new = shape is None or hash(shape) not in self._shapes
            if is_new and self._counts(record):
                self._note_one(self._statement(record))
            if shape and len(self._shapes) < _MAX_SHAPES:
                self._shapes.add(hash(shape))

    def _note_prepared(self, record: Source) -> None:
        """Each time anew: which text is in force depends on the times of all of them."""
        if isinstance(record, ViewRecord) or record.status != "SUCCEEDED" or not record.query:
            return

        # Reading words takes long; most texts do not even hold this one.
        if "prepare" not in record.query.lower():
            return

        if first_words(record.query)[:1] in (["prepare"], ["deallocate"]):
            masked = masked_text(replace(self._statement(record), substatement_type=None))
            text = clean(masked)
            self._prepared.note(record.workgroup, text, record.completed_at or record.submitted_at)

    def _note_one(self, statement: Statement) -> None:
        inner = immediate_text(statement.sql) or statement.sql
        masked = masked_text(replace(statement, sql=inner, substatement_type=None))
        context = Context(statement.catalog, statement.schema)
        for name in mentioned(clean(masked), context):
            if len(self._wanted) < _MAX_WANTED:
                self._wanted.add(name)
            elif name not in self._wanted:
                self.problems["too_many_tables"] += 1
        if statement.view:
            self._wanted.add(statement.view)

    def wants(self, catalog: str, schema: str, table: str) -> bool:
        """True if some statement mentions the table; ask after the first pass."""
        return self._known().wants(TableName(catalog, schema, table))

    def learn(self, batch: Iterable[TableColumns]) -> None:
        """Second pass: keep the columns of *batch* that matter; tables may come in pieces."""
        schema = self._known()
        for table in batch:
            schema.add(*table)

    def _known(self) -> SchemaIndex:
        if self._schema is None:
            self._schema = SchemaIndex(self._wanted)
            self._wanted = set()
            self._shapes = set()

        return self._schema

    async def derive(
        self, batch: Sequence[Source]
    ) -> tuple[list[LinkageRecord], list[EventRecord]]:
        """Third pass: the rows that come of *batch*, in its order; give some hundreds at a time."""
        counted = [record for record in batch if self._counts(record)]
        linked: list[LinkageRecord] = []
        happened: list[EventRecord] = []
        for record, analysis in zip(counted, await self._analyse(counted), strict=True):
            self.problems.update(analysis.problems)
            if isinstance(record, ViewRecord):
                linked += linkages(
                    analysis, server=record.server, query_id=None, hide_locations=self._mask
                )
                continue

            if record.status == "SUCCEEDED":
                linked += linkages(
                    analysis,
                    server=record.server,
                    query_id=record.query_id,
                    at=record.completed_at or record.submitted_at,
                    hide_locations=self._mask,
                )
            happened += events(
                analysis,
                server=record.server,
                query_id=record.query_id,
                user=record.user,
                occurred_at=record.completed_at or record.submitted_at,
                hide_locations=self._mask,
            )

        return linked, happened

    def _counts(self, record: Source) -> bool:
        if isinstance(record, ViewRecord):
            return bool(record.definition)

        return bool(record.query) and (self._include_failed or record.status == "SUCCEEDED")

    async def _analyse(self, records: Sequence[Source]) -> list[Analysis]:
        """An analysis for each record; those of the same shape share one."""
        if self._workers is None:
            workers = SqlWorkers(self._known(), prepared=self._prepared, pool=self._pool)
            self._workers = await workers.__aenter__()

        # Within a batch the workers see to it that each question is asked once.
        shapes = [_shape(record) for record in records]
        missing = [i for i, shape in enumerate(shapes) if not shape or shape not in self._analyses]
        found = await self._workers.analyse_many([self._statement(records[i]) for i in missing])
        answers = dict(zip(missing, found, strict=True))
        result = [answers.get(i) or self._analyses[shape or ()] for i, shape in enumerate(shapes)]
        for i, analysis in answers.items():
            shape = shapes[i]
            if shape and analysis.kind not in _TOLD_BY_LITERALS and not analysis.locations:
                self._analyses[shape] = analysis
        while len(self._analyses) > _CACHED_ANALYSES:
            self._analyses.popitem(last=False)

        return result

    def _statement(self, record: Source) -> Statement:
        if isinstance(record, ViewRecord):
            view = TableName(record.catalog, record.schema, record.view)
            catalog, schema = self._view_contexts.get(view, Context(record.catalog, record.schema))
            return Statement(
                sql=record.definition or "",
                catalog=catalog,
                schema=schema,
                view=view,
                dialect=record.dialect or "athena",
                is_masked=self._is_masked,
            )

        return Statement(
            sql=record.query or "",
            catalog=record.catalog,
            schema=record.schema,
            statement_type=record.statement_type,
            substatement_type=record.substatement_type,
            workgroup=record.workgroup,
            submitted_at=record.submitted_at or record.completed_at,
            is_masked=self._is_masked,
        )


_TOLD_BY_LITERALS = ("UNLOAD", "EXECUTE", "IMMEDIATE", "CREATE", "ALTER", "CTAS")


_FIRST_WORDS = 4
"""As EXECUTE may follow EXPLAIN ANALYZE VERBOSE."""


def _shape(record: Source) -> tuple[str | None, ...] | None:
    """Key of statements that do the same; None where literals matter."""
    if isinstance(record, ViewRecord) or not record.fingerprint or not record.query:
        return None

    is_likely = "execute" in record.query.lower()  # reading words takes long
    if is_likely and "execute" in first_words(record.query)[:_FIRST_WORDS]:
        return None

    return (record.fingerprint, record.catalog, record.schema, record.workgroup)
