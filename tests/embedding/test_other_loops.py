"""Without asyncio's event loop, as under trio, every call is refused at once in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor
from kada_athena_async.errors import AbortError

CALLS: dict[str, Callable[[Extractor], Any]] = {
    "async with": lambda made: made.__aenter__(),
    "run": lambda made: made.run(),
    "push": lambda made: made.push(),
    "plan": lambda made: made.plan(),
    "test_connection": lambda made: made.test_connection(),
    "examine": lambda made: made.examine(),
    "records": lambda made: made.tables().__anext__(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_another_event_loop_is_refused(tmp_path: Path, call: Callable[[Extractor], Any]) -> None:
    """The first step says it; nothing is written, nothing is waited for."""
    made = Extractor(
        server="athena",
        region="us-east-1",
        bucket="s3://b-b-b/x",
        output_path=str(tmp_path / "out"),
        hwm_path=tmp_path / "hwm.txt",
    )
    work = call(made)

    with pytest.raises(AbortError, match="runs under asyncio only") as caught:
        work.send(None)

    assert "trio.to_thread.run_sync" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
