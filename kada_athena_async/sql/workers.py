"""Keeps the parser in processes of its own: what crashes or hangs it costs one statement.

Parsing is most of the work and can take any time, so it is done on spare cores, under a deadline,
once for each distinct query, while the event loop stays free.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from types import TracebackType

import anyio

from kada_athena_async.concurrency import map_bounded, offload
from kada_athena_async.sql.analysis import (
    Analysis,
    Plan,
    Statement,
    finish,
    plan,
)
from kada_athena_async.sql.generated_names import fold, restore
from kada_athena_async.sql.prepared import PreparedStatements
from kada_athena_async.sql.question import Question, Reading, guess
from kada_athena_async.sql.schema_index import SchemaIndex
from kada_athena_async.sql.worker import Read, WorkerGoneError
from kada_athena_async.sql.worker_pool import WorkerPool

DEADLINE_S = 5.0
"""For one batch, and in the end for one statement; ordinary ones take milliseconds."""
_BATCH_STATEMENTS = 64
_BATCH_CHARS = 100_000
_CACHED_READINGS = 10_000


class SqlWorkers:
    """Analyses statements; use as ``async with``.

    Args:
        schema: The columns of this run.
        prepared: To resolve EXECUTE.
        pool: The processes that read; None for some of its own.
        deadline_s: After so long a worker is killed.
        read: What is done in the workers instead of ``read_query``; a module's function.
    """

    def __init__(
        self,
        schema: SchemaIndex,
        *,
        prepared: PreparedStatements | None = None,
        pool: WorkerPool | None = None,
        deadline_s: float = DEADLINE_S,
        read: Read | None = None,
    ) -> None:
        self._schema = schema
        self._prepared = prepared
        self._pool = pool or WorkerPool()
        self._deadline_s = deadline_s
        self._read = read
        self._cache: OrderedDict[bytes, Reading] = OrderedDict()

    async def __aenter__(self) -> SqlWorkers:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cache.clear()
        await self._pool.__aexit__(kind, error, trace)

    async def analyse_many(self, statements: Sequence[Statement]) -> list[Analysis]:
        """Return what each statement does, in order; never raises for what is in a text.

        All of *statements* are held until all are done: give batches of some hundreds.
        """
        plans = await offload(lambda: self._plan_all(statements))
        folded = await offload(lambda: [fold(p.question) if p.question else None for p in plans])
        keys = [_key(*pair) if pair else b"" for pair in folded]
        asked = {key: pair[0] for key, pair in zip(keys, folded, strict=True) if pair}
        found = {key: self._cache[key] for key in asked if key in self._cache}
        missing = [key for key in asked if key not in found]
        batches = list(_batches(missing, asked))
        questions = [[asked[key] for key in batch] for batch in batches]
        answers = await map_bounded(self._ask_in_turn, questions, limit=self._pool.size)
        for batch, readings in zip(batches, answers, strict=True):
            found.update(zip(batch, readings, strict=True))

        self._remember(found)
        return [
            finish(p, restore(found[key], pair[1]) if pair else None, self._schema)
            for p, key, pair in zip(plans, keys, folded, strict=True)
        ]

    def _plan_all(self, statements: Sequence[Statement]) -> list[Plan]:
        return [plan(statement, self._schema, self._prepared) for statement in statements]

    async def _ask_in_turn(self, batch: Sequence[Question]) -> list[Reading]:
        # The deadline begins after the wait for others who share the processes.
        async with self._pool.turn():
            return await self._ask(batch)

    async def _ask(self, batch: Sequence[Question]) -> list[Reading]:
        """Read a batch in a worker; if that goes wrong, halve it until the culprit is alone."""
        worker = await self._pool.take()
        if worker is None:
            return [guess(question, "no_worker") for question in batch]

        try:
            with anyio.fail_after(self._deadline_s):
                readings = await worker.read(self._read, batch)
        except TimeoutError:
            reason = "timeout"
        except WorkerGoneError:
            reason = "crash"
        except BaseException:
            await worker.kill()
            raise
        else:
            self._pool.give_back(worker)
            return readings

        await worker.kill()
        if len(batch) == 1:
            return [guess(batch[0], reason)]

        middle = len(batch) // 2
        return [*await self._ask(batch[:middle]), *await self._ask(batch[middle:])]

    def _remember(self, readings: Mapping[bytes, Reading]) -> None:
        for key, reading in readings.items():
            self._cache[key] = reading
            self._cache.move_to_end(key)
        while len(self._cache) > _CACHED_READINGS:
            self._cache.popitem(last=False)


def _key(question: Question, generated: tuple[str, ...]) -> bytes:
    """Names a question; statements that differ only in literals ask the same one.

    Within a run the tables follow from the query and its context, unless names in it were folded.
    """
    text = "\x00".join((question.dialect, *map(str, question.context), question.query))
    digest = blake2b(text.encode("utf-8", "replace"), digest_size=16)
    for table in question.tables if generated else ():
        columns = "\x00".join((*table.name, *table.columns, ""))
        digest.update(columns.encode("utf-8", "replace"))
    return digest.digest()


def _batches(keys: Sequence[bytes], asked: Mapping[bytes, Question]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    chars = 0
    for key in keys:
        if batch and (len(batch) == _BATCH_STATEMENTS or chars >= _BATCH_CHARS):
            yield batch
            batch, chars = [], 0
        batch.append(key)
        chars += len(asked[key].query)

    if batch:
        yield batch
