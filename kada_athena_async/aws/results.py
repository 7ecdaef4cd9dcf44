"""Reads the rows of a finished query: pages of the API, or the result object in S3.

Pages are serial (each needs the token of the one before) and hold 1,000 rows, so a large result is
read from S3: the same rows, some 50 times faster over the same line. Where the object cannot be
read (managed results, a bucket of others, encryption on the client's side) the pages go on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal

from kada_athena_async.aws.athena import output_location_of, split_location
from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED
from kada_athena_async.aws.error_map import map_error
from kada_athena_async.aws.result_csv import ResultCsv, Row
from kada_athena_async.aws.wire import QueryExecution, ResultPage
from kada_athena_async.errors import (
    AccessDeniedError,
    NotFoundError,
    RequestError,
    RetriesExhaustedError,
    RetryableError,
)

PAGE_ROWS = 1000
"""Rows of a GetQueryResults page, the header row of the first one counted (AWS's limit)."""

CHUNK_BYTES = 256 * 1024
"""Bytes read at a time: some 2,500 rows, split in 4 ms, so that the event loop stays free."""

RECONNECTS = 8

ResultSource = Literal["auto", "api", "s3"]


class Results:
    """Reads results as batches of rows, without the header row.

    Args:
        source: ``api``, ``s3``, or ``auto``: the first page by API, the rest from S3.
    """

    def __init__(self, client: AwsClient, *, source: ResultSource) -> None:
        self._client = client
        self._source = source

    async def read(self, execution: QueryExecution) -> AsyncGenerator[list[Row], None]:
        """Batches of rows (lists of ``str | None`` in column order) of a SELECT that succeeded.

        Close it (``aclosing``) if you leave early.

        Raises:
            UnitError: The result cannot be read.
        """
        location = output_location_of(execution)
        if self._source == "s3" and location:
            async with aclosing(self._objects_rows(location, skip=0)) as batches:
                async for batch in batches:
                    yield batch

            return

        rows, token = await self._page(execution, None)
        # The header row comes first, on the first page only, for SELECT-like statements.
        yield rows[1:]
        seen = len(rows) - 1
        if token and location and self._source == "auto":
            try:
                async with aclosing(self._objects_rows(location, skip=seen)) as batches:
                    async for batch in batches:
                        seen += len(batch)
                        yield batch

            except (AccessDeniedError, NotFoundError, RequestError, ValueError):
                pass  # the object cannot be read: the pages can
            else:
                return

        async with aclosing(self._pages(execution, token, skip=seen - (len(rows) - 1))) as pages:
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

    async def _objects_rows(self, location: str, *, skip: int) -> AsyncGenerator[list[Row], None]:
        """Rows of the result object, without the header row and the first *skip* others."""
        csv = ResultCsv()
        drop = skip + 1
        async with aclosing(self._object_bytes(location)) as chunks:
            async for chunk in chunks:
                rows = csv.feed(chunk)
                if drop:
                    dropped = min(drop, len(rows))
                    rows, drop = rows[dropped:], drop - dropped

                if rows:
                    yield rows

        rows = csv.finish()[drop:]
        if rows:
            yield rows

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
