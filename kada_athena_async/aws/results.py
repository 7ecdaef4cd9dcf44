"""Reads the rows of a finished query: pages of the API, or the result object in S3.

Pages are serial (each needs the token of the one before), hold 1,000 rows and take a third of a
second each, so a large result is read from S3: the same rows, some 50 times faster over the same
line. Where the object cannot be read (managed results, a bucket of others, encryption on the
client's side) the pages go on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Any, TypeAlias

from kada_athena_async.aws.athena import output_location_of, split_location
from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.error_codes import FOREIGN_ATTEMPTS
from kada_athena_async.aws.error_map import map_error
from kada_athena_async.aws.pages import QUERY_RESULTS, Page, pages
from kada_athena_async.aws.result_csv import Cells, ResultCsv
from kada_athena_async.aws.wire import QueryExecution, Row
from kada_athena_async.choices import ResultSource
from kada_athena_async.concurrency import Slots
from kada_athena_async.errors import (
    AccessDeniedError,
    NotFoundError,
    RequestError,
    RetriesExhaustedError,
    RetryableError,
    UnavailableError,
)

CHUNK_BYTES = 64 * 1024
"""Bytes read at a time: some 600 rows, split in a millisecond, so that the loop stays free."""

RECONNECTS = 8

LISTING_CHUNK_BYTES = 16 * 1024
"""The same for a listing, of which every unit may have one half read in hand."""

READERS = 2
"""Results read side by side: enough to fill a core and to hide S3's latency, few enough to hold
(each has a chunk of the object, its rows and the tables that they are joined with in memory)."""

_AUTO_HINT = 'set results to "auto": where the object cannot be read the API is asked'

Projection: TypeAlias = Callable[[Cells], Cells]


class Results:
    """Reads results as batches of rows.

    Args:
        source: ``api``, ``s3``, or ``auto``: the first page by API, the rest, or a result that
            is said to be large, from S3.
    """

    def __init__(self, client: AwsClient, *, source: ResultSource) -> None:
        self._client = client
        self._source = source
        self._readers = Slots(READERS)
        self._denied: set[str] = set()

    async def read(
        self,
        execution: QueryExecution,
        columns: Sequence[str],
        *,
        is_listing: bool = False,
        is_large: bool = False,
    ) -> AsyncGenerator[Cells, None]:
        """Batches of rows of a SELECT that succeeded, with *columns* in the order given.

        No batch is empty. Close it (``aclosing``) if you leave early.

        Args:
            is_listing: True if its reader waits in between until other results were read. Such a
                reader has no place among the ``READERS``: with one it would wait for itself.
            is_large: True if it most likely has more rows than a page.

        Raises:
            UnitError: The result cannot be read, or lacks a column.
        """
        project: Projection | None = None
        async with AsyncExitStack() as stack:
            if not is_listing:
                await stack.enter_async_context(self._readers.acquire())

            size = LISTING_CHUNK_BYTES if is_listing else CHUNK_BYTES
            batches = await stack.enter_async_context(
                aclosing(self._with_header(execution, columns, is_large=is_large, chunk_bytes=size))
            )
            async for batch in batches:
                cells = batch
                if project is None and cells:
                    # The header row comes first, in the object or on the first page.
                    project = _projection([column[0] for column in cells], columns)
                    cells = _without(cells, 1)

                if project is not None and cells:
                    yield project(cells)

        if project is None:
            raise RequestError(
                f"the result of query {execution.query_execution_id} has not even a header row",
                code="MissingHeader",
                hint="run again; nothing is lost",
            )

    async def _with_header(
        self,
        execution: QueryExecution,
        columns: Sequence[str],
        *,
        is_large: bool,
        chunk_bytes: int,
    ) -> AsyncGenerator[Cells, None]:
        """Batches of rows, the header row first of all."""
        location = output_location_of(execution)
        if self._source == "s3" and location:
            async with aclosing(self._object_alone(location, columns, chunk_bytes)) as batches:
                async for batch in batches:
                    yield batch

            return

        given = passed = 0
        listing = pages(self._client, QUERY_RESULTS, QueryExecutionId=execution.query_execution_id)
        async with aclosing(listing) as found:
            is_more = True
            if not is_large:
                first = await anext(found)
                cells = _cells(first)
                yield cells
                given = passed = _count(cells)
                is_more = bool(first.next_token)

            if is_more and location and self._may_read(location):
                try:
                    rows = self._object_rows(location, columns, chunk_bytes, skip=given)
                    async with aclosing(rows) as batches:
                        async for batch in batches:
                            given += _count(batch)
                            yield batch

                except (AccessDeniedError, NotFoundError, RequestError, ValueError) as exc:
                    # The object cannot be read: the pages can.
                    if isinstance(exc, AccessDeniedError):
                        self._denied.add(split_location(location)["Bucket"])
                else:
                    return

            async with aclosing(_pages_from(found, passed=passed, given=given)) as rest:
                async for batch in rest:
                    yield batch

    async def _object_alone(
        self, location: str, columns: Sequence[str], chunk_bytes: int
    ) -> AsyncGenerator[Cells, None]:
        try:
            rows = self._object_rows(location, columns, chunk_bytes, skip=0)
            async with aclosing(rows) as batches:
                async for batch in batches:
                    yield batch

        except ValueError as exc:
            raise RequestError(f"{location}: {exc}", code="Malformed", hint=_AUTO_HINT) from None

    def _may_read(self, location: str) -> bool:
        """True if the object is to be asked for: not in a bucket that was denied."""
        return self._source == "auto" and split_location(location)["Bucket"] not in self._denied

    async def _object_rows(
        self, location: str, columns: Sequence[str], chunk_bytes: int, *, skip: int
    ) -> AsyncGenerator[Cells, None]:
        """Rows of the result object from the header row on, without the first *skip*.

        Raises:
            ValueError: It is no result object, or has fewer rows.
        """
        csv, count = ResultCsv(), 0
        async with aclosing(self._object_bytes(location, chunk_bytes)) as chunks:
            async for chunk in chunks:
                cells = csv.feed(chunk)
                if not count:
                    _check_header(cells, columns)

                count += _count(cells)
                fresh = _without(cells, skip)
                skip = max(0, skip - _count(cells))
                if fresh:
                    yield fresh

        cells = csv.finish()
        if not count:
            _check_header(cells, columns)

        if not count and not cells:
            raise ValueError("the result object has not even a header row")

        if _count(cells) < skip:
            raise ValueError("the result object has fewer rows than the pages of the API")

        if fresh := _without(cells, skip):
            yield fresh

    async def _object(self, location: str, parameters: Mapping[str, str]) -> Mapping[str, Any]:
        """S3's answer for the object; where no page may stand in, an empty one is asked for again.

        Raises:
            ValueError: It has no length.
        """

        async def get() -> Mapping[str, Any]:
            answer = await self._client.call("s3", "GetObject", scope=location, **parameters)
            if answer.get("ContentLength") or self._source == "auto":
                return answer

            answer["Body"].close()
            is_empty = "ContentLength" in answer
            lack = "has not even a header row" if is_empty else "comes without its length"
            raise UnavailableError(f"{location} {lack}", attempts=FOREIGN_ATTEMPTS, hint=_AUTO_HINT)

        bucket = parameters["Bucket"]
        answer = await self._client.retried(get, operation="s3:GetObject", resource=bucket)
        if "ContentLength" not in answer:
            raise ValueError("it comes without its length, so that nobody knows its end")

        return answer

    async def _object_bytes(self, location: str, chunk_bytes: int) -> AsyncGenerator[bytes, None]:
        """The object's bytes; a broken connection is taken up where it broke."""
        where = split_location(location)
        offset = 0
        size: int | None = None
        version: dict[str, str] = {}
        for reconnect in range(RECONNECTS + 1):
            span = {"Range": f"bytes={offset}-"} if offset else {}
            answer = await self._object(location, {**where, **span, **version})
            version = {"IfMatch": etag} if (etag := answer.get("ETag")) else {}
            size = offset + int(answer["ContentLength"])
            body = answer["Body"]
            try:
                async with aclosing(_chunks(body, chunk_bytes)) as chunks:
                    async for chunk in chunks:
                        offset += len(chunk)
                        yield chunk

                if offset == size:
                    return

            except RetryableError as exc:
                if reconnect == RECONNECTS:
                    raise RetriesExhaustedError(
                        f"{location} broke off {RECONNECTS + 1} times",
                        operation="s3:GetObject",
                        attempts=RECONNECTS + 1,
                    ) from exc

        raise RetriesExhaustedError(
            f"{location} ended after {offset} of {size} bytes",
            operation="s3:GetObject",
            attempts=RECONNECTS + 1,
        )


async def _pages_from(
    found: AsyncGenerator[Page[Row], None], *, passed: int, given: int
) -> AsyncGenerator[Cells, None]:
    """The rows of the pages that follow, without those that were given.

    Args:
        passed: Rows of the pages before.
        given: Rows that were given, from whatever source.
    """
    scan = 0
    async for page in found:
        if page.scan != scan:  # from the first page on again
            scan, passed = page.scan, 0

        cells = _cells(page)
        fresh = _without(cells, max(0, given - passed))
        passed += _count(cells)
        given = max(given, passed)
        if fresh:
            yield fresh


def _cells(page: Page[Row]) -> Cells:
    """The rows of a page.

    Raises:
        RequestError: One cannot be read. A result is all or nothing, for nobody knows which table
            a row that is missing speaks of.
    """
    if page.unreadable:
        raise RequestError(
            f"rows of the result cannot be read: {'; '.join(page.unreadable)}", code="Malformed"
        )

    return cells_of(page.items)


def cells_of(rows: Sequence[Row]) -> Cells:
    """The rows of a page of GetQueryResults, column by column.

    Raises:
        RequestError: They differ in length.
    """
    if not rows:
        return []

    width = len(rows[0].data)
    if any(len(row.data) != width for row in rows):
        raise RequestError("the rows of a page of the result differ in length", code="Malformed")

    flat = [cell.var_char_value for row in rows for cell in row.data]
    return [flat[at::width] for at in range(width)]


def _count(cells: Cells) -> int:
    return len(cells[0]) if cells else 0


def _without(cells: Cells, skip: int) -> Cells:
    """*cells* without their first *skip* rows."""
    if not skip:
        return cells

    return [column[skip:] for column in cells] if _count(cells) > skip else []


def _check_header(cells: Cells, columns: Sequence[str]) -> None:
    """Refuse an object that is not the result: an error, a page of HTML, rows alone.

    Raises:
        ValueError: Its first row names none of *columns*.
    """
    if cells and {(column[0] or "").lower() for column in cells}.isdisjoint(columns):
        raise ValueError("its first row is not the header of the result")


def _projection(header: Sequence[str | None], columns: Sequence[str]) -> Projection:
    """Puts the columns under *header* into the order of *columns*."""
    names = [(name or "").lower() for name in header]
    missing = [column for column in columns if column not in names]
    if missing:
        raise RequestError(
            f"the result lacks the column {', '.join(missing)}",
            code="MissingColumn",
            hint="give an overwritten statement all columns of the original",
        )

    places = [names.index(column) for column in columns]
    return lambda cells: [cells[place] for place in places]


async def _chunks(body: Any, chunk_bytes: int) -> AsyncGenerator[bytes, None]:
    """Chunks of an SDK body; closes the connection if left early, or the pool would lose it."""
    try:
        while True:
            try:
                chunk: bytes = await body.read(chunk_bytes)
            except Exception as exc:
                raise map_error(exc, operation="s3:GetObject") from exc

            if not chunk:
                return

            yield chunk
    finally:
        body.close()
