"""Keeps the parser in processes of its own: what crashes or hangs it costs one statement.

Parsing is most of the work and can take any time, so it is done on spare cores, under a deadline,
once for each distinct query, while the event loop stays free.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

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
from kada_athena_async.sql.parse_cache import ParseCache, key_of
from kada_athena_async.sql.parse_request import ParsedQuery, ParseRequest, guess
from kada_athena_async.sql.prepared import PreparedStatements
from kada_athena_async.sql.schema_index import SchemaIndex
from kada_athena_async.sql.worker import WorkerGoneError
from kada_athena_async.sql.worker_pool import WorkerPool
from kada_athena_async.sql.worker_process import Read

DEADLINE_S = 5.0
"""For one batch, and in the end for one statement; ordinary ones take milliseconds."""
_BATCH_STATEMENTS = 64
_BATCH_CHARS = 100_000


class _Asked(NamedTuple):
    """A statement, and the question that it puts to the parser, if any, with its key.

    Attributes:
        generated: As of ``fold``.
    """

    plan: Plan
    key: bytes
    question: ParseRequest | None
    generated: tuple[str, ...]


class SqlWorkers:
    """Analyses statements; use as ``async with``.

    Args:
        schema: The columns of this run.
        readings: What is known already, and where to keep more; None for this object's life only.
        pool: The processes that read; None for some of its own.
        deadline_s: After so long a worker is killed.
        read: What is done in the workers instead of ``read_query``; a module's function.
    """

    def __init__(
        self,
        schema: SchemaIndex,
        *,
        readings: ParseCache | None = None,
        pool: WorkerPool | None = None,
        deadline_s: float = DEADLINE_S,
        read: Read | None = None,
    ) -> None:
        self._schema = schema
        self._readings = readings or ParseCache()
        self._pool = pool or WorkerPool()
        self._deadline_s = deadline_s
        self._read = read

    async def __aenter__(self) -> SqlWorkers:
        await self._pool.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._pool.__aexit__(*exc_info)

    async def analyse_many(
        self, statements: Sequence[Statement], prepared: PreparedStatements | None = None
    ) -> list[Analysis]:
        """Return what each statement does, in order; never raises for what is in a text.

        All of *statements* are held until all are done: give batches of some hundreds.

        Args:
            prepared: To resolve EXECUTE.
        """
        asked = await offload(lambda: [self._asked(s, prepared) for s in statements])
        questions = {one.key: one.question for one in asked if one.question}
        found = await offload(lambda: self._readings.find(questions))
        missing = [key for key in questions if key not in found]
        batches = list(_batches(missing, questions))
        answers = await map_bounded(
            self._ask_in_turn,
            [[questions[key] for key in batch] for batch in batches],
            limit=self._pool.size,
        )
        answered = [
            (key, answer)
            for batch, readings in zip(batches, answers, strict=True)
            for key, answer in zip(batch, readings, strict=True)
        ]
        guesses = {key: answer for key, answer in answered if isinstance(answer, ParsedQuery)}
        read = {key: answer for key, answer in answered if isinstance(answer, bytes)}
        found |= await offload(lambda: self._readings.keep(read, guesses))
        return await offload(lambda: [self._finished(one, found) for one in asked])

    def _asked(self, statement: Statement, prepared: PreparedStatements | None) -> _Asked:
        planned = plan(statement, self._schema, prepared)
        if planned.question is None:
            return _Asked(planned, b"", None, ())

        question, generated = fold(planned.question)
        return _Asked(planned, key_of(question), question, generated)

    def _finished(self, asked: _Asked, found: Mapping[bytes, ParsedQuery]) -> Analysis:
        reading = restore(found[asked.key], asked.generated) if asked.question else None
        return finish(asked.plan, reading, self._schema)

    async def _ask_in_turn(self, batch: Sequence[ParseRequest]) -> Sequence[bytes | ParsedQuery]:
        # The deadline begins after the wait for others who share the processes.
        async with self._pool.acquire():
            return await self._ask(batch)

    async def _ask(self, batch: Sequence[ParseRequest]) -> Sequence[bytes | ParsedQuery]:
        """Read a batch in a worker; if that goes wrong, halve it until the culprit is alone.

        Returns:
            What was read, encoded; a guess where that was not possible, which is not kept.
        """
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


def _batches(keys: Sequence[bytes], asked: Mapping[bytes, ParseRequest]) -> Iterator[list[bytes]]:
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
