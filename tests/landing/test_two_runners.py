"""Two runners on one high-water mark, in every order of their calls: paused, killed, machines lost.

``engine.pending_delivery`` says what must hold, ``tests.landing.explore`` how it is explored. In
each state every manifest in the landing is true; from each state of rest calm runs lead to a
landing that holds each execution once and no file that no manifest names, with the HWM where the
last manifest ends, and nobody is stuck. In CI:

- two first runs and one death, in all orders, over S3 and a directory; over Azure in all orders
  or with one death;
- a package that is extracted again beside a run, with one death and at most two switches from one
  runner to the other in the middle of a run;
- a run that dies, a ``push`` and a run, with one such switch.

``pytest -m slow`` goes further: three runs, two deaths, any number of switches.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.landing.explore import Bounds, Explorer
from tests.landing.model import Kind, Loop, Order, without_threads

SHM = Path("/dev/shm")
STORES: tuple[Kind, ...] = ("s3", "azure", "local")
MACHINE_A: tuple[int, Order] = (0, "run")

# Traced line by line where coverage is measured.
pytestmark = pytest.mark.timeout(1_800)

Make = Callable[..., Explorer]


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    with without_threads(monkeypatch) as loop:
        yield loop


@pytest.fixture
def make(tmp_path: Path, loop: Loop) -> Iterator[Make]:
    """An explorer whose disks lie in memory, where that can be."""
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else tmp_path) as directory:
        made: list[Explorer] = []

        def explorer(kind: Kind, broken: str = "") -> Explorer:
            made.append(Explorer(kind, Path(directory), loop, broken))
            return made[-1]

        yield explorer
        for each in made:
            each.close()


@pytest.mark.parametrize("kind", ["s3", "local"])
def test_two_runs_and_a_death_in_every_order(kind: Kind, make: Make) -> None:
    """Two runs that begin with nothing; either is paused anywhere, one dies, perhaps its disk."""
    explorer = make(kind)
    explorer.explore(explorer.begin(), Bounds(("run", "run"), deaths=1))

    assert explorer.schedules > 10**12
    assert explorer.states > 10_000


def test_two_runs_in_every_order_and_a_death_over_azure(make: Make) -> None:
    """Two runs, either paused anywhere; and one that dies anywhere, with another after it."""
    explorer = make("azure")
    explorer.explore(explorer.begin(), Bounds(("run", "run")))
    explorer.explore(explorer.begin(), Bounds(("run", "run"), deaths=1, switches=0))

    assert explorer.schedules > 10**12
    assert explorer.states > 10_000


@pytest.mark.parametrize(
    ("kind", "order", "deaths", "switches"),
    [
        ("s3", "newest again", 1, 1),
        ("local", "oldest again", 1, 2),
        ("azure", "oldest again", 0, 2),
    ],
)
def test_a_package_extracted_again_beside_a_run(
    kind: Kind, order: Order, deaths: int, switches: int, make: Make
) -> None:
    """One machine replaces a package of its own; the other, which has none, runs meanwhile."""
    explorer = make(kind)
    state = explorer.begin([MACHINE_A, MACHINE_A])
    explorer.explore(state, Bounds((order, "run"), deaths=deaths, switches=switches))

    assert explorer.schedules > 1_000


def test_a_push_that_loses_a_race_leaves_nothing(make: Make) -> None:
    """A run, a push and a run on two machines, with one death: whoever is slower gives up."""
    explorer = make("s3")
    explorer.explore(explorer.begin(), Bounds(("run", "push", "run"), deaths=1, switches=1))

    assert explorer.schedules > 1_000


@pytest.mark.parametrize(
    ("promise", "bounds"),
    [
        ("IfNoneMatch", Bounds(("run", "run"))),
        ("IfMatch", Bounds(("run", "run"))),
    ],
)
def test_each_promise_of_the_store_is_needed(promise: str, bounds: Bounds, make: Make) -> None:
    """The exploration fails where S3 does not keep a promise: to create only what is absent, and
    to replace only what was seen."""
    explorer = make("s3", broken=promise)

    with pytest.raises(AssertionError):
        explorer.explore(explorer.begin(), bounds)


@pytest.mark.slow
@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(("run", "run"), deaths=1),
        Bounds(("run", "run"), deaths=2),
        Bounds(("run", "run", "run"), deaths=1, switches=3),
        Bounds(("run", "run", "run"), switches=4),
        Bounds(("run", "push", "run"), deaths=1, switches=2),
        Bounds(("oldest again", "run"), deaths=1),
        Bounds(("newest again", "run"), deaths=1),
        Bounds(("newest again", "oldest again", "run"), deaths=1, switches=2),
    ],
    ids=str,
)
def test_more_runs_and_deaths(kind: Kind, bounds: Bounds, make: Make) -> None:
    """More runs, more deaths, packages extracted again in any order, which takes minutes."""
    explorer = make(kind)
    setup = [] if bounds.orders[0] == "run" else [MACHINE_A, MACHINE_A]
    explorer.explore(explorer.begin(setup), bounds)

    assert explorer.schedules > 1_000
