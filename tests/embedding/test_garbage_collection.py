"""The garbage collector belongs to the embedding program: it is as before once a run is over."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import anyio
import pytest
from botocore.client import BaseClient

from kada_athena_async import Event, Extractor
from kada_athena_async.events import PlanReady


@pytest.fixture(autouse=True, scope="module")
def _little_to_collect() -> Iterator[None]:
    """Nothing is frozen and no connection open, other than in other files."""
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.fixture(autouse=True)
def _nothing_is_frozen(_little_to_collect: None) -> None:
    gc.unfreeze()


async def run_until_planned(
    make: Callable[..., Extractor], names: list[str], look: Callable[[], None]
) -> None:
    """Call *look* in runs side by side, as soon as each knows what there is; then end them."""
    waiting = {name: anyio.Event() for name in names}

    def observe(name: str, event: Event) -> None:
        if isinstance(event, PlanReady):
            look()
            waiting[name].set()

    async with anyio.create_task_group() as group:
        for name in names:
            observer = lambda event, name=name: observe(name, event)  # noqa: E731
            group.start_soon(make(name=name, observers=[observer]).run)

        for event in waiting.values():
            await event.wait()

        group.cancel_scope.cancel()


async def test_clients_are_frozen_while_runs_go_on(make: Callable[..., Extractor]) -> None:
    """Of several runs as well; afterwards nothing is, and the thresholds never changed."""
    walked: list[object] = []
    frozen: list[int] = []
    thresholds = gc.get_threshold()

    def look() -> None:
        frozen.append(gc.get_freeze_count())
        walked.extend(found for found in gc.get_objects() if isinstance(found, BaseClient))
        assert gc.get_threshold() == thresholds

    await run_until_planned(make, ["one", "two"], look)

    assert len(frozen) == 2
    assert min(frozen) > 10_000
    assert walked == []
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == thresholds


async def test_what_the_program_froze_itself_stays_so(make: Callable[..., Extractor]) -> None:
    """A program that froze its own objects finds as many frozen, meanwhile and afterwards."""
    gc.freeze()
    before = gc.get_freeze_count()
    meanwhile: list[int] = []

    await run_until_planned(make, ["one"], lambda: meanwhile.append(gc.get_freeze_count()))

    # An object that is freed by its last reference leaves the frozen ones.
    for count in (*meanwhile, gc.get_freeze_count()):
        assert before * 0.9 < count <= before


async def test_a_run_that_fails_gives_back_as_well(make: Callable[..., Extractor]) -> None:
    """Its error leaves nothing frozen."""
    with pytest.raises(Exception, match="Foo"):
        await make(catalogs=["Foo"]).run()

    assert gc.get_freeze_count() == 0
