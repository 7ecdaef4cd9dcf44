"""Two runners on one mark, in every order of their calls: paused, killed, machines lost.

``engine.pending_delivery`` says what must hold. A schedule says how many calls each runner makes in
turn; whoever waits meanwhile is a process that is paused, and may wake up hours later. After each
call that changes something every manifest in the landing is true; at the end each execution is
there once, no file lies there that no manifest names, the mark is where the last manifest ends, and
nobody is stuck. Two schedules that differ only in the order of calls which do not touch the same
object are one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.landing.model import WHOLE, WRITES, Act, Game, Kind, Loop, commutes, without_threads

SHM = Path("/dev/shm")
STORES: tuple[Kind, ...] = ("s3", "azure", "local")

# Hundreds of plays, and traced line by line where coverage is measured.
pytestmark = pytest.mark.timeout(1_800)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    with without_threads(monkeypatch) as loop:
        yield loop


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory, where there is one."""
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else tmp_path) as directory:
        yield Path(directory)


def paused(game: Game) -> Iterator[tuple[Act, ...]]:
    """A makes some calls, B some, A goes on to its end, B to its own."""
    alone = game.trace((("A", WHOLE),), "A")
    for i in range(len(alone) + 1):
        beside = game.trace((("A", i), ("B", WHOLE)), "B")
        for j in range(1, len(beside) + 1):
            if i < len(alone) and commutes(alone[i], beside[:j]):
                continue  # as if A had made one call more before

            yield (("A", i), ("B", j))


def died(game: Game, how: str) -> Iterator[tuple[Act, ...]]:
    """A dies, B makes some calls, A begins anew and makes some, B goes on."""
    alone = game.trace((("A", WHOLE),), "A")
    for i in range(1, len(alone) + 1):
        if how == "lose" and alone[i - 1][0] not in WRITES:
            continue  # as if it had died before it read that

        before: tuple[Act, ...] = (("A", i), ("A", how))  # type: ignore[assignment]
        beside = game.trace((*before, ("B", WHOLE)), "B")
        for j in range(len(beside) + 1):
            anew = game.trace((*before, ("B", j), ("A", WHOLE)), "A")[i:]
            for k in range(1, len(anew) + 1):
                if k < len(anew) or j == len(beside):
                    yield (*before, ("B", j), ("A", k), ("B", WHOLE))


def any_order(rng: Random) -> tuple[Act, ...]:
    """Turns of random lengths, with a death here and there."""
    acts: list[Act] = []
    for _ in range(rng.randint(2, 6)):
        name = rng.choice("AB")
        acts.append((name, rng.choice((rng.randint(1, 12), rng.randint(1, 70)))))
        if rng.random() < 0.3:
            acts.append((name, rng.choice(("kill", "lose"))))

    return tuple(acts)


@pytest.mark.parametrize(("kind", "stride"), [("s3", 4), ("azure", 9), ("local", 9)])
def test_a_runner_that_wakes_up_changes_nothing(
    kind: Kind, stride: int, root: Path, loop: Loop
) -> None:
    """A pauses before each of its calls, B at each of its own: a sample of both."""
    game = Game(kind, root, loop)
    for n, acts in enumerate(paused(game)):
        if n % stride == 0:
            game.play(acts)

    assert game.played > 80


@pytest.mark.parametrize(("kind", "count"), [("s3", 500), ("azure", 150), ("local", 150)])
def test_any_order_of_turns_and_deaths(kind: Kind, count: int, root: Path, loop: Loop) -> None:
    """Up to six turns of random lengths; processes are killed, machines lost with their disks."""
    game, rng = Game(kind, root, loop), Random(11)
    for _ in range(count):
        game.play(any_order(rng))


def calls_until(
    game: Game, acts: tuple[Act, ...], name: str, operation: str, file: str, nth: int = 0
) -> int:
    """How many calls *name* makes after *acts* before its *nth* such one."""
    made = len(game.trace(acts, name))
    trace = game.trace((*acts, (name, WHOLE)), name)[made:]
    return [at for at, call in enumerate(trace) if call[0] == operation and f"_{file}" in call[1]][
        nth
    ]


def creation_wakes_up(game: Game) -> tuple[Act, ...]:
    """A stops before it stores a file that is not there; B does it all."""
    return (("A", calls_until(game, (), "A", "PutObject", "users")), ("B", WHOLE))


def seal_wakes_up(game: Game) -> tuple[Act, ...]:
    """A stops before its seal; B has taken over and replaced one file when A goes on."""
    acts: tuple[Act, ...] = (("A", calls_until(game, (), "A", "PutObject", "delivery", nth=1)),)
    replaced = calls_until(game, acts, "B", "CompleteMultipartUpload", "users") + 1
    return (*acts, ("B", replaced), ("A", WHOLE))


def replacement_wakes_up(game: Game) -> tuple[Act, ...]:
    """A stops before it replaces what then comes back, byte for byte: the ETag is the same."""
    acts: tuple[Act, ...] = (
        ("A", calls_until(game, (), "A", "PutObject", "users") + 1),
        ("A", "lose"),
    )
    replaced = calls_until(game, acts, "B", "CompleteMultipartUpload", "users") + 1
    acts = (*acts, ("B", replaced), ("B", "lose"))
    stopped = calls_until(game, acts, "A", "CompleteMultipartUpload", "users")
    return (*acts, ("A", stopped), ("B", WHOLE))


@pytest.mark.parametrize(
    ("promise", "schedule"),
    [
        ("IfNoneMatch", creation_wakes_up),
        ("IfMatch", seal_wakes_up),
        ("abort", replacement_wakes_up),
    ],
)
def test_each_promise_of_the_store_is_needed(
    promise: str, schedule: Callable[[Game], tuple[Act, ...]], root: Path, loop: Loop
) -> None:
    """The model fails where S3 does not keep a promise, and the same schedule holds where it does.

    The promises: to create only what is absent, to replace only what was seen, and that an upload
    that was aborted does not complete.
    """
    game = Game("s3", root, loop)
    acts = schedule(game)
    game.play(acts)

    with pytest.raises(AssertionError, match="lies about"):
        Game("s3", root, loop, broken=promise).play(acts)


@pytest.mark.slow
@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("family", ["paused", "kill", "lose", "any"])
def test_all_of_them(kind: Kind, family: str, root: Path, loop: Loop) -> None:
    """Every schedule of a family; of the orders without a form, thirty thousand."""
    game, rng = Game(kind, root, loop), Random(12)
    if family == "any":
        for _ in range(30_000):
            game.play(any_order(rng))
    else:
        for acts in paused(game) if family == "paused" else died(game, family):
            game.play(acts)

    assert game.played > 500
