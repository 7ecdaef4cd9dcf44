"""Delay of an event loop, as a service that shares it notices it."""

from __future__ import annotations

import asyncio
import contextlib
import time

TICK_S = 0.002


class LoopDelay:
    """Sleeps two milliseconds again and again and notes by how much it overslept."""

    def __init__(self) -> None:
        self._delays_s: list[float] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Watch the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """Watch no longer."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def figures(self) -> dict[str, float]:
        """Milliseconds: the largest delay and some percentiles, over how many looks."""
        ordered = sorted(self._delays_s)
        count = len(ordered)
        return {
            "looks": count,
            "p50_ms": ordered[count // 2] * 1000,
            "p99_ms": ordered[int(count * 0.99)] * 1000,
            "p999_ms": ordered[int(count * 0.999)] * 1000,
            "largest_ms": ordered[-1] * 1000,
        }

    async def _watch(self) -> None:
        while True:
            asked_s = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self._delays_s.append(time.perf_counter() - asked_s - TICK_S)
