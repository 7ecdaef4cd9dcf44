"""The same operation on many files, some at a time: a disk syncs or frees several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

AT_ONCE = 4
"""Operations side by side. A hundred files of 12 KB are removed in 25 ms, one after the other in
150; the extracts of a run are synced in 20 ms, one after the other in 45."""


def each_in_threads(act: Callable[[ItemT], ResultT], items: Sequence[ItemT]) -> list[ResultT]:
    """Blocks. The results of *act* for each of *items*, in their order.

    Raises:
        OSError: The first of them, in that order, that *act* raised; all were tried.
    """
    # What only looks at files never gets here.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(act, item) for item in items]

    return [future.result() for future in futures]
