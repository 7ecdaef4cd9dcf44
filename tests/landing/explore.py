"""Explores two runners on one high-water mark: every order of their calls, deaths in between.

A run that gets the same answers makes the same calls. So the product's code is run once for each
sequence of answers that it can get, and remembered as a tree: a ``Node`` is a run that is about to
make a call, with its disk as it is then; each answer leads to another node. A call is a function of
what the landing holds. Hence the two runners and the landing are a state machine, whose states are
visited once each, however many orders of calls lead there:

    (contents of the landing, what each runner is about to call, runs begun, deaths so far)

From each state either runner makes its call, begins a run, or dies, with or without its disk.
Whoever makes no call is a process that is paused.
"""

from __future__ import annotations

import shutil
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeAlias

from kada_athena_async.errors import LockedError, StateError
from tests.landing.model import (
    Call,
    Kind,
    Loop,
    Order,
    Process,
    check_end,
    check_manifests,
    lies,
)
from tests.landing.stores import Contents, Thing, Upload

FINAL = 8
"""Number of the first of the two calm runs that follow a state of rest."""

REPLAYS = 50
"""Attempts of a run until it goes the way that it went."""

LIVE = 300
"""Count of processes kept that stand where no other answer was given yet."""

Disk: TypeAlias = "tuple[tuple[str, bytes | None], ...]"
"""Names and contents, directories without."""

Runner: TypeAlias = "tuple[str, int]"
"""``("at", a node)`` or ``("rests", a disk)``, by their numbers."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of an exploration.

    Attributes:
        orders: What the runs that are begun are asked for, in the order in which they begin.
        deaths: How often a process dies, with or without its machine.
        switches: How often a runner is left in the middle of a run for the other; None for any
            number.
    """

    orders: tuple[Order, ...] = ("run", "run")
    deaths: int = 0
    switches: int | None = None


class State(NamedTuple):
    """State that everything that follows depends on.

    Attributes:
        runs: How many runs began.
        last: The runner that made the last call, if switches are counted.
        switches: How many are left.
    """

    landing: int
    first: Runner
    second: Runner
    runs: int
    deaths: int
    last: Runner | None
    switches: int


@dataclass(slots=True, eq=False)
class Node:
    """A run after some answers.

    Attributes:
        call: None if it has ended, with *error*.
        disk: The number of its disk.
        again: The one before it, and the answer that led here.
    """

    number: int
    root: tuple[int, int, Order]
    call: Call | None
    disk: int
    error: BaseException | None
    depth: int
    before: Node | None = None
    outcome: object = None
    after: dict[str, Node] = field(default_factory=dict)


@dataclass(slots=True)
class Explorer:
    """Visits every state within bounds.

    Args:
        broken: A promise that the store does not keep.

    Attributes:
        replays: How often the product's code was run from its beginning.
        states, steps: States visited, and calls made between them.
        schedules: How many different orders of calls, beginnings and deaths there are.
    """

    kind: Kind
    root: Path
    loop: Loop
    broken: str = ""
    replays: int = 0
    states: int = 0
    steps: int = 0
    schedules: int = 0
    ends: int = 0
    _contents: Contents = field(default_factory=Contents)
    _nodes: list[Node] = field(default_factory=list)
    _roots: dict[tuple[int, int, Order], Node] = field(default_factory=dict)
    _disks: list[Disk] = field(default_factory=list)
    _disk_numbers: dict[Disk, int] = field(default_factory=dict)
    _landings: list[tuple[dict[str, Thing], dict[str, Upload]]] = field(default_factory=list)
    _landing_numbers: dict[object, int] = field(default_factory=dict)
    _rests: dict[int, int] = field(default_factory=dict)
    _live: OrderedDict[int, Process] = field(default_factory=OrderedDict)
    _edges: dict[tuple[int, int], tuple[Node, int]] = field(default_factory=dict)
    _first: int = 0
    _bounds: Bounds = field(default_factory=Bounds)
    _counted: dict[State, int] = field(default_factory=dict)
    _ended: set[tuple[int, int, int]] = field(default_factory=set)

    def begin(self, orders: Sequence[tuple[int, Order]] = ()) -> State:
        """The state after some runs of the first and second runner, one after the other."""
        landing, disks, runs = self._number_landing(), [self._number_disk(()) for _ in range(2)], 0
        for who, order in orders:
            runs += 1
            node, landing = self._finish(self._start(disks[who], runs, order), landing)
            assert node.error is None, node.error
            disks[who] = node.disk

        return State(landing, ("rests", disks[0]), ("rests", disks[1]), runs, 0, None, 0)

    def explore(self, state: State, bounds: Bounds) -> None:
        """Visit all that can follow *state*."""
        state = state._replace(switches=bounds.switches or 0)
        self._first, self._bounds = state.runs, bounds
        self._counted.clear()
        stack: list[tuple[State, Iterator[State], int]] = []
        counted = self._counted

        def enter(found: State) -> None:
            self.states += 1
            stack.append((found, self._next(found), 0))

        enter(state)
        while stack:
            current, successors, total = stack[-1]
            try:
                following = next(successors, None)
            except BaseException as exc:
                exc.__notes__ = self._story([held for held, *_ in stack])
                raise

            if following is None:
                stack.pop()
                counted[current] = max(total, 1)
                if stack:
                    above, rest, sum_ = stack[-1]
                    stack[-1] = (above, rest, sum_ + counted[current])

                continue

            self.steps += 1
            if following in counted:
                stack[-1] = (current, successors, total + counted[following])
            else:
                enter(following)

        self.schedules += counted[state]

    def _story(self, states: Sequence[State]) -> list[str]:
        """The schedule that led to the last of *states*, a line for each."""
        return [
            f"landing {s.landing}, {self._describe(s.first)}, {self._describe(s.second)}"
            for s in states
        ]

    def _describe(self, runner: Runner) -> str:
        what, number = runner
        if what == "rests":
            return f"disk {number}"

        node = self._nodes[number]
        assert node.call is not None
        return f"run {node.root[1]} before {node.call.operation} {node.call.name}"

    def _next(self, state: State) -> Iterator[State]:
        runners = (state.first, state.second)
        if all(what == "rests" for what, _ in runners):
            self._check_end(state.landing, state.first[1], state.second[1])

        for who in (0, 1) if state.first != state.second else (0,):
            runner, other = runners[who], runners[1 - who]
            yield from self._deaths(state, runner, other)
            is_left = state.last is not None and state.last[0] == "at" and state.last != runner
            if is_left and not state.switches:
                continue

            moved = state._replace(switches=state.switches - is_left)
            yield from self._moves(moved, runner, other)

    def _deaths(self, state: State, runner: Runner, other: Runner) -> Iterator[State]:
        what, number = runner
        if what == "at" and state.deaths < self._bounds.deaths:
            last = None if state.last == runner else state.last
            dead = state._replace(deaths=state.deaths + 1, last=last)
            for disk in {self._nodes[number].disk, self._number_disk(())}:
                yield self._state(dead, ("rests", disk), other)

    def _moves(self, state: State, runner: Runner, other: Runner) -> Iterator[State]:
        what, number = runner
        begun = state.runs - self._first
        if what == "at":
            node, landing = self._step(self._nodes[number], state.landing)
            yield self._moved(state._replace(landing=landing), node, other)
        elif begun < len(self._bounds.orders):
            order = self._bounds.orders[begun]
            if order in ("run", "push") or self._has_packages(number):
                runs = state.runs + 1
                yield self._moved(
                    state._replace(runs=runs), self._start(number, runs, order), other
                )

    def _moved(self, state: State, node: Node, other: Runner) -> State:
        runner = self._runner(node)
        counts = self._bounds.switches is not None and runner[0] == "at"
        return self._state(state._replace(last=runner if counts else None), runner, other)

    def _check_end(self, landing: int, *disks: int) -> None:
        """Each runner runs once more, twice if it was refused; then all must be well."""
        if (landing, *disks) in self._ended:
            return

        self._ended.add((landing, *disks))  # type: ignore[arg-type]
        self.ends += 1
        for number, disk in enumerate(disks, start=FINAL):
            node, landing = self._finish(self._start(disk, number, "run"), landing)
            if isinstance(node.error, LockedError):
                node, landing = self._finish(self._start(node.disk, number, "run"), landing)

            assert node.error is None, f"stuck: {node.error!r}"

        self._use(landing)
        check_end(self._contents, self.kind, FINAL + len(disks) - 1)

    def _has_packages(self, disk: int) -> bool:
        return any(name.startswith("k_manifest_") for name, _ in self._disks[disk])

    def _runner(self, node: Node) -> Runner:
        if node.call is not None:
            return ("at", node.number)

        allowed = (LockedError,) if node.root[2] in ("run", "push") else (LockedError, StateError)
        if node.error is not None and not isinstance(node.error, allowed):
            raise node.error

        return ("rests", node.disk)

    def _finish(self, node: Node, landing: int) -> tuple[Node, int]:
        while node.call is not None:
            node, landing = self._step(node, landing)
            assert node.depth < 1_000, "it never ends"

        return node, landing

    def _step(self, node: Node, landing: int) -> tuple[Node, int]:
        """The run after its call, and the landing."""
        found = self._edges.get((node.number, landing))
        if found is None:
            found = self._edges[node.number, landing] = self._make(node, landing)

        return found

    def _make(self, node: Node, landing: int) -> tuple[Node, int]:
        assert node.call is not None
        self._use(landing)
        self._contents.stamp = f"{node.root[1]}.{node.depth}"
        self._contents.disk = dict(self._disks[node.disk])
        self._contents.broken = self.broken
        outcome = node.call.function()
        key = repr(outcome)
        after = node.after.get(key)
        if after is None:
            after = node.after[key] = self._extend(node, outcome)

        return after, self._number_landing()

    def _extend(self, node: Node, outcome: object) -> Node:
        process = self._live.pop(node.number, None) or self._replay(node)
        changes = process.disk.changes
        process.answer(outcome)
        after = self._node(node.root, process, node, outcome, changes)
        self._keep(after, process)
        return after

    def _replay(self, node: Node) -> Process:
        """A process at *node*.

        Which of two calls side by side is cancelled first, where a third fails, is the order of a
        set: then a run may not go the same way, and is begun once more.
        """
        path = [node]
        while path[-1].before is not None:
            path.append(path[-1].before)

        for _ in range(REPLAYS):
            process = self._begin(node.root)
            for at, after in pairwise(reversed(path)):
                if not _is_at(process, at):
                    break

                process.answer(after.outcome)

            if _is_at(process, node):
                return process

            self._drop(process)

        raise AssertionError(f"a run does not go the same way again: {node.root}")

    def _start(self, disk: int, run: int, order: Order) -> Node:
        root = (disk, run, order)
        node = self._roots.get(root)
        if node is None:
            process = self._begin(root)
            node = self._roots[root] = self._node(root, process, None, None, -1)
            self._keep(node, process)

        return node

    def _begin(self, root: tuple[int, int, Order]) -> Process:
        self.replays += 1
        path = self.root / f"d{self.replays}"
        path.mkdir(mode=0o700)
        for name, data in self._disks[root[0]]:
            if data is None:
                (path / name).mkdir(mode=0o700)
            else:
                file = path / name
                file.touch(mode=0o600)
                file.write_bytes(data)

        return Process(self.kind, self._contents, self.loop, path, root[1], root[2])

    def _node(
        self,
        root: tuple[int, int, Order],
        process: Process,
        before: Node | None,
        outcome: object,
        changes: int,
    ) -> Node:
        call = process.call
        is_changed = before is None or process.disk.changes != changes
        node = Node(
            number=len(self._nodes),
            root=root,
            call=call,
            disk=self._read_disk(process.root) if is_changed else before.disk,  # type: ignore[union-attr]
            error=process.error if call is None else None,
            depth=before.depth + 1 if before else 0,
            before=before,
            outcome=outcome,
        )
        self._nodes.append(node)
        return node

    def _keep(self, node: Node, process: Process) -> None:
        if node.call is None:
            self._drop(process)
            return

        self._live[node.number] = process
        if len(self._live) > LIVE:
            self._drop(self._live.popitem(last=False)[1])

    def _drop(self, process: Process) -> None:
        process.drop()
        shutil.rmtree(process.root)

    def close(self) -> None:
        """End the processes that are left."""
        while self._live:
            self._drop(self._live.popitem()[1])

    def _read_disk(self, root: Path) -> int:
        found: list[tuple[str, bytes | None]] = []
        for path in sorted(root.rglob("*")):
            name = str(path.relative_to(root))
            found.append((name, None if path.is_dir() else path.read_bytes()))

        return self._number_disk(tuple(found))

    def _number_disk(self, disk: Disk) -> int:
        number = self._disk_numbers.setdefault(disk, len(self._disks))
        if number == len(self._disks):
            self._disks.append(disk)

        return number

    def _use(self, landing: int) -> None:
        things, uploads = self._landings[landing]
        self._contents.things, self._contents.uploads = dict(things), dict(uploads)

    def _number_landing(self) -> int:
        """The number of what the landing holds now; each is checked once."""
        things, uploads = self._contents.things, self._contents.uploads
        key = (frozenset(things.items()), frozenset(uploads.items()))
        number = self._landing_numbers.setdefault(key, len(self._landings))
        if number == len(self._landings):
            self._landings.append((things, uploads))
            check_manifests(lies(self._contents, self.kind))

        return number

    def _state(self, state: State, one: Runner, other: Runner) -> State:
        """*state* with these runners; which of the two is which makes no difference."""
        first, second = sorted((one, other))
        landing = state.landing
        if first[0] == second[0] == "rests":
            landing = self._at_rest(landing)

        return state._replace(landing=landing, first=first, second=second)

    def _at_rest(self, landing: int) -> int:
        """The same landing; versions and ids that nobody remembers are alike."""
        found = self._rests.get(landing)
        if found is None:
            self._use(landing)
            things, uploads = self._contents.things, self._contents.uploads
            if self.kind != "s3":
                things = {name: thing._replace(etag="v") for name, thing in things.items()}
            else:
                left = sorted(uploads.values())
                uploads = {f"u{number}": upload for number, upload in enumerate(left)}

            self._contents.things, self._contents.uploads = things, uploads
            found = self._rests[landing] = self._number_landing()

        return found


def _is_at(process: Process, node: Node) -> bool:
    found, call = process.call, node.call
    if found is None or call is None:
        return found is call

    return (found.operation, found.name) == (call.operation, call.name)
