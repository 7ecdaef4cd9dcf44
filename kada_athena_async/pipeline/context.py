"""Services and settings that the extractions of one run share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from kada_athena_async.aws.athena import AthenaQueries
from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.results import Results
from kada_athena_async.concurrency import Clock, Slots
from kada_athena_async.config import Config
from kada_athena_async.events import Observer
from kada_athena_async.pipeline.transforms import Transforms
from kada_athena_async.sinks.interface import RecordSink
from kada_athena_async.sources.information_schema import InformationSchema
from kada_athena_async.sources.strategy import MetadataSource, metadata_source
from kada_athena_async.sources.system_table import SystemTable
from kada_athena_async.sql.worker_pool import WorkerPool
from kada_athena_async.staged_records import StagedRecord
from kada_athena_async.streams import Ahead

AHEAD_TABLES = 10_000
"""Listed tables that wait, compressed, for their statements: the pages of a giant schema need each
other's tokens, so that their chain must not wait for statements too."""

Written: TypeAlias = Callable[[str, Mapping[str, Sequence[StagedRecord]]], Awaitable[None]]
"""Takes the id of a unit, and by kind what it has just written to its parts."""


@dataclass(slots=True, kw_only=True)
class ExtractionContext:
    """Services and settings of the extractions of one run.

    Args:
        queries: Where our own statements run.
        texts: Statement name -> text.
        written: Is given what history units have written, in its order.
        pool: Masks texts; in threads of this process unless somebody has entered it.

    Attributes:
        source: Of the metadata.
        batches: How many batches of tables are held at a time.
        ahead: How many tables may wait for their statements.
    """

    config: Config
    client: AwsClient
    queries: AthenaQueries
    texts: Mapping[str, str]
    sink: RecordSink
    clock: Clock
    notify: Observer
    written: Written | None = None
    pool: WorkerPool = field(default_factory=WorkerPool)
    source: MetadataSource = field(init=False)
    transforms: Transforms = field(init=False)
    batches: Slots = field(init=False)
    ahead: Ahead = field(init=False)
    results: Results = field(init=False)

    def __post_init__(self) -> None:
        config = self.config
        self.source = metadata_source(config)
        self.transforms = Transforms(mask=config.mask, keep_s3_locations=config.keep_s3_locations)
        self.results = Results(self.client, source=config.results)
        self.batches = Slots(self.source.batches_at_once(query_slots=config.max_concurrent_queries))
        self.ahead = Ahead(AHEAD_TABLES)

    def information_schema(self, catalog: str, unit_id: str) -> InformationSchema:
        """SQL's view of *catalog*, asked on behalf of a unit."""
        return InformationSchema(
            queries=self.queries,
            results=self.results,
            texts=self.texts,
            catalog=catalog,
            unit_id=unit_id,
        )

    def system_table(self, unit_id: str) -> SystemTable:
        """Athena's system table, asked on behalf of a unit."""
        return SystemTable(queries=self.queries, results=self.results, unit_id=unit_id)
