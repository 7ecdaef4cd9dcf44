"""Records without files: what a run would write, handed to the caller as it comes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar, cast

from kada_athena_async.concurrency import Clock, load_module, stream_from
from kada_athena_async.config import Config
from kada_athena_async.engine.connection import Connection
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.hwm.times import moment_of
from kada_athena_async.records import (
    CatalogRecord,
    ColumnRecord,
    FieldRecord,
    PrincipalRecord,
    QueryRecord,
    Record,
    SchemaRecord,
    TableRecord,
    TagRecord,
    UserRecord,
    ViewRecord,
)

if TYPE_CHECKING:
    from kada_athena_async.engine.reading import Send

RecordT = TypeVar("RecordT", bound=Record)

BATCHES_AHEAD = 2
"""Batches that wait for the caller; those who extract wait with one more each."""


class RecordStreams(ABC):
    """Records of an ``Extractor`` without files.

    Each method gives batches of records, masked as configured, in no particular order, while it
    reads on; a caller who is slow slows it down, so memory stays bounded. No HWM is read or
    moved, no lock taken and nothing written. Break off whenever you like; what runs in the
    background is over when the generator is closed, which ``contextlib.aclosing`` does at once::

        async with aclosing(extractor.tables()) as batches:
            async for batch in batches: ...

    A catalog or workgroup that cannot be read ends the iteration with its error, or with
    ``on_error`` ``skip`` is left out and reported to the observers as a ``UnitFinished``.

    Raises, while iterating:
        ConfigError: Region, catalog, workgroup or bucket do not exist.
        AbortError: AWS does not accept us, or an answer cannot be trusted.
        UnitError: Something cannot be read, and ``on_error`` is ``fail``.
    """

    _clock: Clock
    config: Config

    @abstractmethod
    def _connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection for one reading."""

    def catalogs(self) -> AsyncGenerator[list[CatalogRecord], None]:
        """Catalogs that the configuration asks for."""
        return self._stream(CatalogRecord, "metadata_catalogs")

    def schemas(self) -> AsyncGenerator[list[SchemaRecord], None]:
        """Schemas of these catalogs."""
        return self._stream(SchemaRecord, "metadata_schemas")

    def tables(self) -> AsyncGenerator[list[TableRecord], None]:
        """Tables and views of these schemas."""
        return self._stream(TableRecord, "metadata_tables")

    def columns(self) -> AsyncGenerator[list[ColumnRecord], None]:
        """Columns of these tables and views."""
        return self._stream(ColumnRecord, "metadata_columns")

    def fields(self) -> AsyncGenerator[list[FieldRecord], None]:
        """Named fields inside the types of these columns."""
        return self._stream(FieldRecord, "metadata_fields")

    def views(self) -> AsyncGenerator[list[ViewRecord], None]:
        """Texts of these views."""
        return self._stream(ViewRecord, "metadata_views")

    def users(self) -> AsyncGenerator[list[UserRecord], None]:
        """Workgroups."""
        return self._stream(UserRecord, "users")

    def executions(
        self, start: datetime | str, end: datetime | str | None = None
    ) -> AsyncGenerator[list[QueryRecord], None]:
        """Executions that ended from *start* on and before *end*, each once.

        They come from the source that ``history_source`` names, as in a run: the API, or Athena's
        system table where that is on, readable and reaches back to *start*.

        Args:
            start, end: As for ``Extractor.run``; the end None for now less ``settle_seconds``, or
                less 15 minutes where the system table is read.

        Raises:
            ConfigError: A time is none, the window ends before it starts, or ``history_source`` is
                ``system_table`` and the account has none.
        """
        return self._stream(QueryRecord, "databaselog", *self._window(start, end))

    def principals(
        self, start: datetime | str, end: datetime | str | None = None
    ) -> AsyncGenerator[list[PrincipalRecord], None]:
        """Principals of the executions that were submitted from *start* on and before *end*.

        Each execution at most once. They come from the source that ``attribute_users`` names, as
        that has them now: CloudTrail delivers some events hours late, so ask again for those that
        are missing.

        Args:
            start, end: As for ``executions``.

        Raises:
            ConfigError: ``attribute_users`` is off, a time is none, or the window ends before it
                starts.
        """
        self._check("attribute_users", '"off"', 'write "cloudtrail", "system_table" or "auto"')
        return self._stream(PrincipalRecord, "query_principals", *self._window(start, end))

    def tags(self) -> AsyncGenerator[list[TagRecord], None]:
        """Lake Formation tags of these schemas, tables and columns.

        Raises:
            ConfigError: ``lake_formation_tags`` is off.
        """
        self._check("lake_formation_tags", "false", "write true")
        return self._stream(TagRecord, "metadata_tags")

    def _check(self, field: str, off: str, remedy: str) -> None:
        """Refuse to read what the configuration does not ask for."""
        if getattr(self.config, field) in (False, "off"):
            raise ConfigError([Problem(field, off, remedy)])

    def _window(
        self, start: datetime | str | None, end: datetime | str | None
    ) -> tuple[datetime | None, datetime | None]:
        """A window as a caller gives it."""
        now = self._clock.now()
        return moment_of("start_hwm", start, now=now), moment_of("end_hwm", end, now=now)

    def _stream(
        self,
        _type: type[RecordT],
        kind: str,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> AsyncGenerator[list[RecordT], None]:
        async def produce(send: Send) -> None:
            await load_module("engine.reading")
            from kada_athena_async.engine.reading import Reading

            async with self._connection() as connection:
                await Reading(connection, kind, send, start, end).run()

        return cast(
            "AsyncGenerator[list[RecordT], None]", stream_from(produce, buffer=BATCHES_AHEAD)
        )
