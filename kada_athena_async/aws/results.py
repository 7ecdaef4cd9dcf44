"""Reads the rows of a finished query: pages of the API, or the result object in S3.

Pages are serial (each needs the token of the one before) and hold 1,000 rows, so a large result is
read from S3: the same rows, some 50 times faster over the same line. Where the object cannot be
read (managed results, a bucket of others, encryption on the client's side) the pages go on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Any, Literal, TypeAlias

from kada_athena_async.aws.athena import output_location_of, split_location
from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED
from kada_athena_async.aws.error_map import map_error
from kada_athena_async.aws.result_csv import ResultCsv, Row
from kada_athena_async.aws.wire import QueryExecution, ResultPage
from kada_athena_async.concurrency import Slots
from kada_athena_async.errors import (
    AccessDeniedError,
    NotFoundError,
    RequestError,
    RetriesExhaustedError,
    RetryableError,
)

PAGE_ROWS = 1000
"""Rows of a GetQueryResults page, the header row of the first one counted (AWS's limit)."""

CHUNK_BYTES = 64 * 1024
"""Bytes read at a time: some 600 rows, split in a millisecond, so that the loop stays free."""

RECONNECTS = 8

READERS = 6
"""Results read side by side: enough to fill a core and to hide S3's latency, few enough to hold
(each has a page of rows, a chunk of the object, and its text in memory)."""

ResultSource: TypeAlias = Literal["auto", "api", "s3"]
Projection: TypeAlias = Callable[[list[Row]], list[Row]]


class Results:
    """Reads results as batches of rows.

    Args:
        source: ``api``, ``s3``, or ``auto``: the first page by API, the rest from S3.
    """

    def __init__(self, client: AwsClient, *, source: ResultSource) -> None:
        self._client = client
        self._source = source
        self._readers = Slots(READERS)

    async def read(
        self, execution: QueryExecution, columns: Sequence[str], *, is_listing: bool = False
    ) -> AsyncGenerator[list[Row], None]:
        """Batches of rows of a SELECT that succeeded, with *columns* in the order given.

        A row is a list of ``str | None``. Close it (``aclosing``) if you leave early.

        Args:
            is_listing: True if its reader waits in between until other results were read. Such a
                reader has no place among the ``READERS``: with one he would wait for himself.

        Raises:
            UnitError: The result cannot be read, or lacks a column.
        """
        project: Projection | None = None
        async with AsyncExitStack() as stack:
            if not is_listing:
                await stack.enter_async_context(self._readers.place())

            batches = await stack.enter_async_context(aclosing(self._with_header(execution)))
            async for batch in batches:
                rows = batch
                if project is None:
                    if not rows:
                        continue

                    # The header row comes first, on the first page only.
                    project, rows = _projection(rows[0], columns), rows[1:]

                if rows:
                    yield project(rows)

        if project is None:
            raise RequestError(
                f"the result of query {execution.query_execution_id} has not even a header row",
                code="MissingHeader",
                hint="run again; nothing is lost",
            )

    async def _with_header(self, execution: QueryExecution) -> AsyncGenerator[list[Row], None]:
        """Batches of rows, the header row first of all."""
        location = output_location_of(execution)
        if self._source == "s3" and location:
            try:
                async with aclosing(self._object_rows(location, skip=0)) as batches:
                    async for batch in batches:
                        yield batch

            except ValueError as exc:
                raise RequestError(f"{location}: {exc}", code="Malformed") from None

            return

        first, token = await self._page(execution, None)
        yield first
        later = 0
        if token and location and self._source == "auto":
            try:
                async with aclosing(self._object_rows(location, skip=len(first))) as batches:
                    async for batch in batches:
                        later += len(batch)
                        yield batch

            except (AccessDeniedError, NotFoundError, RequestError, ValueError):
                pass  # the object cannot be read: the pages can
            else:
                return

        async with aclosing(self._pages(execution, token, skip=later)) as pages:
            async for page in pages:
                yield page

    async def _pages(
        self, execution: QueryExecution, token: str | None, *, skip: int
    ) -> AsyncGenerator[list[Row], None]:
        """The pages from *token* on, without their first *skip* rows."""
        while token:
            rows, token = await self._page(execution, token)
            fresh = rows[skip:]
            skip = max(0, skip - len(rows))
            if fresh:
                yield fresh

    async def _page(
        self, execution: QueryExecution, token: str | None
    ) -> tuple[list[Row], str | None]:
        more = {"NextToken": token} if token else {}
        answer = await self._client.call(
            "athena",
            "GetQueryResults",
            QueryExecutionId=execution.query_execution_id,
            MaxResults=PAGE_ROWS,
            **more,
        )
        page: ResultPage = answer[DECODED]
        rows = [[cell.var_char_value for cell in row.data] for row in page.result_set.rows]
        return rows, page.next_token

    async def _object_rows(self, location: str, *, skip: int) -> AsyncGenerator[list[Row], None]:
        """Rows of the result object from the header row on, without the first *skip*."""
        csv = ResultCsv()
        async with aclosing(self._object_bytes(location)) as chunks:
            async for chunk in chunks:
                rows = csv.feed(chunk)
                fresh = rows[skip:]
                skip = max(0, skip - len(rows))
                if fresh:
                    yield fresh

        rows = csv.finish()
        if len(rows) < skip:
            raise ValueError("the result object has fewer rows than the pages of the API")

        if rows[skip:]:
            yield rows[skip:]

    async def _object_bytes(self, location: str) -> AsyncGenerator[bytes, None]:
        """The object's bytes; a broken connection is taken up where it broke."""
        where = split_location(location)
        offset = 0
        size: int | None = None
        version: dict[str, str] = {}
        for reconnect in range(RECONNECTS + 1):
            span = {"Range": f"bytes={offset}-"} if offset else {}
            answer = await self._client.call(
                "s3", "GetObject", scope=location, **where, **span, **version
            )
            version = {"IfMatch": str(answer["ETag"])}
            size = offset + int(answer["ContentLength"])
            body = answer["Body"]
            try:
                async with aclosing(_chunks(body)) as chunks:
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


def _projection(header: Row, columns: Sequence[str]) -> Projection:
    """Puts the cells of rows under *header* into the order of *columns*."""
    names = [(name or "").lower() for name in header]
    missing = [column for column in columns if column not in names]
    if missing:
        raise RequestError(
            f"the result lacks the column {', '.join(missing)}",
            code="MissingColumn",
            hint="give an overwritten statement all columns of the original",
        )

    if names == list(columns):
        return lambda rows: rows

    places = [names.index(column) for column in columns]
    return lambda rows: [[row[place] for place in places] for row in rows]


async def _chunks(body: Any) -> AsyncGenerator[bytes, None]:
    """Chunks of an SDK body; closes the connection if left early, or the pool would lose it."""
    try:
        while True:
            try:
                chunk: bytes = await body.read(CHUNK_BYTES)
            except Exception as exc:
                raise map_error(exc, operation="s3:GetObject") from exc

            if not chunk:
                return

            yield chunk
    finally:
        body.close()
