"""Work of worker threads, done in place: most of it costs less than the way to a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from anyio._backends._asyncio import AsyncIOBackend


def work_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until *monkeypatch* ends, the event loop does itself what it would hand to a thread."""

    async def in_place(
        _cls: type, function: Callable[..., Any], args: tuple[Any, ...], **_: Any
    ) -> Any:
        return function(*args)

    monkeypatch.setattr(AsyncIOBackend, "run_sync_in_worker_thread", classmethod(in_place))
