"""Texts are masked alike wherever it is done, whatever happens to a process."""

from __future__ import annotations

import os
import signal
import sys

import anyio
import pytest

from kada_athena_async.sql import worker_pool
from kada_athena_async.sql.execution_texts import ExecutionText, mask_texts
from kada_athena_async.sql.worker_pool import WorkerPool
from tests.unit.sql.labelled import LABELLED

IMMEDIATE = "EXECUTE IMMEDIATE 'SELECT a FROM t WHERE b = ''kestrel'' '"
TEXTS = [
    *(
        ExecutionText(
            case.sql,
            case.types.get("statement_type"),
            case.types.get("substatement_type"),
            number % 3 == 0,
            "c",
            "sales",
            f"line 1:{number}: Column 'x' cannot be resolved: kestrel" if number % 3 == 0 else None,
        )
        for number, case in enumerate(LABELLED)
    ),
    ExecutionText(IMMEDIATE, None, None, False, None, None, None),
    ExecutionText(None, None, None, True, None, None, "Query cancelled by 'kestrel'"),
    ExecutionText("SELECT '\ud800kestrel\x00", None, None, True, None, None, None),
]


@pytest.fixture(autouse=True)
def a_process_from_the_first_text_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there had been many texts before."""
    monkeypatch.setattr(worker_pool, "_FEW_TEXTS", 0)


@pytest.mark.parametrize(("mask", "keeps"), [(True, False), (True, True), (False, False)])
async def test_a_process_masks_as_this_one_does(mask: bool, keeps: bool) -> None:
    """Statements, fingerprints, reasons and inner statements are the same."""
    async with WorkerPool(1) as pool:
        found = await pool.mask(TEXTS, mask=mask, keep_s3_locations=keeps)
        assert pool._texts is not None

    assert found == mask_texts(TEXTS, mask, keeps)
    assert mask != any("kestrel" in repr(text) for text in found) or keeps
    inner = found[-3].inner
    assert inner == ("SELECT a FROM t WHERE b = ? " if mask else None)


@pytest.mark.parametrize(
    ("literal", "inner"),
    [
        ("U&'SELECT a FROM t WHERE b = ''\\006bestrel'''", "SELECT a FROM t WHERE b = ?"),
        ("u&'SELECT !006bestrel, ''kestrel''' UESCAPE '!'", "SELECT kestrel, ?"),
        ("U&'SELECT \\zkestrel'", None),
        ("U&'SELECT \\D83Dkestrel'", None),
        ("U&'SELECT kestrel' UESCAPE 'xyz'", None),
    ],
)
def test_the_statement_of_a_unicode_string_is_masked(literal: str, inner: str | None) -> None:
    """Escapes are read before the mask is laid; where they are none, nothing is said."""
    sql = f"EXECUTE IMMEDIATE {literal}"
    [found] = mask_texts([ExecutionText(sql, None, None, False, None, None, None)], True, False)

    assert found.inner == inner
    assert "estrel" not in (found.sql or "")


async def test_a_process_that_dies_costs_no_text() -> None:
    """Texts it was given are masked here, and the next ones by another process."""
    async with WorkerPool(1) as pool:
        await pool.mask(TEXTS[:1], mask=True, keep_s3_locations=False)
        assert pool._texts is not None
        os.kill(pool._texts._process.pid, signal.SIGKILL)
        for _ in range(2):
            found = await pool.mask(TEXTS, mask=True, keep_s3_locations=False)
            assert found == mask_texts(TEXTS, True, False)
        assert pool._texts is not None


async def test_a_cancelled_batch_leaves_no_answer_to_the_next() -> None:
    """The process that was asked is gone; what is asked afterwards is answered as ever."""
    async with WorkerPool(1) as pool:
        await pool.mask(TEXTS[:1], mask=True, keep_s3_locations=False)
        assert pool._texts is not None
        asked = pool._texts._process
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: pool.mask(TEXTS * 20, mask=True, keep_s3_locations=False))
            await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        [found] = await pool.mask(TEXTS[-3:-2], mask=True, keep_s3_locations=False)
        assert asked.returncode is not None

    assert found.inner == "SELECT a FROM t WHERE b = ? "


async def test_without_processes_a_thread_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none can be started, and in a pool that nobody has entered."""
    expected = mask_texts(TEXTS, True, False)
    assert await WorkerPool(1).mask(TEXTS, mask=True, keep_s3_locations=False) == expected

    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    async with WorkerPool(1) as pool:
        assert await pool.mask(TEXTS, mask=True, keep_s3_locations=False) == expected


async def test_the_last_user_of_a_pool_ends_the_process_that_masks() -> None:
    """None outlives the run."""
    async with WorkerPool(1) as pool:
        await pool.mask(TEXTS[:1], mask=True, keep_s3_locations=False)
        assert pool._texts is not None
        process = pool._texts._process

    assert process.returncode is not None
