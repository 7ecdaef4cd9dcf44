"""A disk that dies: counts operations, crashes at the k-th, and forgets what was not synced."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from kada_athena_async.files import Files
from kada_athena_async.files.parallel import ItemT, ResultT


class SimulatedCrash(BaseException):
    """The process died. Not an ``Exception``: nothing may handle it."""


class CrashingFiles(Files):
    """The real file system until the k-th changing operation, then nothing any more."""

    def __init__(self, crash_at: int = 0) -> None:
        self.crash_at = crash_at
        self.steps = 0

    def step(self) -> None:
        """Count one operation; from the fatal one on, none happens."""
        self.steps += 1
        if self.crash_at and self.steps >= self.crash_at:
            raise SimulatedCrash(f"at operation {self.crash_at}")

    @staticmethod
    def each(act: Callable[[ItemT], ResultT], items: Sequence[ItemT]) -> list[ResultT]:
        """One after the other: the operations have numbers."""
        return [act(item) for item in items]

    def make_dir(self, path: Path, *, mode: int = 0o700) -> None:
        self.step()
        super().make_dir(path, mode=mode)

    def create(self, path: Path) -> int:
        self.step()
        return super().create(path)

    def write(self, fd: int, data: bytes | memoryview) -> None:
        self.step()
        super().write(fd, data)

    def sync(self, fd: int) -> None:
        self.step()
        super().sync(fd)

    def close(self, fd: int) -> None:
        # A dead process's descriptors are closed all the same; a test's must be, too.
        super().close(fd)
        self.step()

    def sync_dir(self, path: Path) -> None:
        self.step()
        super().sync_dir(path)

    def rename(self, source: Path, target: Path) -> None:
        self.step()
        super().rename(source, target)

    def remove(self, path: Path) -> None:
        self.step()
        super().remove(path)

    def remove_dir(self, path: Path) -> None:
        self.step()
        super().remove_dir(path)


@dataclass
class Change:
    """One change of a directory: *name* now means *node*, or (None) no longer means *gone*.

    A rename is two changes, ``appears`` being the other one: the new name is there before the old
    one vanishes, and within one directory both happen in one step.
    """

    directory: int
    name: str
    node: int | None
    gone: int | None = None
    appears: Change | None = None
    is_durable: bool = False


class ForgetfulFiles(CrashingFiles):
    """Also knows what a power loss would leave of *root*.

    Directories and files are numbers, like inodes; *root* is 0. A name is durable when its
    directory was synced after it changed, content when its file was.

    Args:
        omit: Called with ``sync`` or ``sync_dir`` and a path; True makes the sync a lie.

    Attributes:
        first_omission: Number of the first operation that was not what it should be; 0 for none.
    """

    def __init__(
        self,
        root: Path,
        crash_at: int = 0,
        *,
        omit: Callable[[str, Path], bool] = lambda operation, path: False,
    ) -> None:
        super().__init__(crash_at)
        self._root, self._omit = root, omit
        self.first_omission = 0
        self._numbers = itertools.count(1)
        self._directories = {0}
        self._names: dict[tuple[int, str], int] = {}
        self._cached: dict[int, bytes] = {}
        self._durable: dict[int, bytes] = {}
        self._changes: list[Change] = []
        self._open: dict[int, tuple[Path, int]] = {}
        self._load(root, 0)
        self._at_first = dict(self._names)

    def note_omission(self) -> None:
        """Note that this operation leaves something out, or is done at the wrong time."""
        self.first_omission = self.first_omission or self.steps

    def _omits(self, operation: str, path: Path) -> bool:
        is_omitted = self._omit(operation, path)
        if is_omitted:
            self.note_omission()
        return is_omitted

    def _load(self, path: Path, number: int) -> None:
        for child in sorted(path.iterdir()):
            node = self._names[number, child.name] = next(self._numbers)
            if child.is_dir():
                self._directories.add(node)
                self._load(child, node)
            else:
                self._cached[node] = self._durable[node] = child.read_bytes()

    def _number(self, directory: Path) -> int:
        number = 0
        for name in directory.relative_to(self._root).parts:
            number = self._names[number, name]

        return number

    def _appear(self, path: Path, node: int) -> Change:
        change = Change(self._number(path.parent), path.name, node)
        self._names[change.directory, change.name] = node
        self._changes.append(change)
        return change

    def _vanish(self, path: Path, appears: Change | None = None) -> None:
        directory = self._number(path.parent)
        gone = self._names.pop((directory, path.name))
        self._changes.append(Change(directory, path.name, None, gone, appears))

    def make_dir(self, path: Path, *, mode: int = 0o700) -> None:
        is_new = not path.exists()
        super().make_dir(path, mode=mode)
        if is_new:
            node = next(self._numbers)
            self._directories.add(node)
            self._appear(path, node)

    def create(self, path: Path) -> int:
        fd = super().create(path)
        node = next(self._numbers)
        self._cached[node] = self._durable[node] = b""
        self._appear(path, node)
        self._open[fd] = path, node
        return fd

    def write(self, fd: int, data: bytes | memoryview) -> None:
        super().write(fd, data)
        self._cached[self._open[fd][1]] += bytes(data)

    def sync(self, fd: int) -> None:
        super().sync(fd)
        path, node = self._open[fd]
        if not self._omits("sync", path):
            self._durable[node] = self._cached[node]

    def close(self, fd: int) -> None:
        self._open.pop(fd, None)
        super().close(fd)

    def sync_dir(self, path: Path) -> None:
        super().sync_dir(path)
        if self._omits("sync_dir", path):
            return

        number = self._number(path)
        for change in self._changes:
            if change.directory == number:
                change.is_durable = True

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        node = self._names[self._number(source.parent), source.name]
        self._vanish(source, self._appear(target, node))

    def remove(self, path: Path) -> None:
        was_there = os.path.lexists(path)
        super().remove(path)
        if was_there:
            self._vanish(path)

    def remove_dir(self, path: Path) -> None:
        super().remove_dir(path)
        self._vanish(path)

    def leave(self, target: Path, chance: Random) -> None:
        """Write into *target* one of the states in which a power loss now may leave *root*."""
        names = dict(self._at_first)
        for change in self._survivors(chance):
            if change.node is not None:
                names[change.directory, change.name] = change.node
            elif names.get((change.directory, change.name)) == change.gone:
                del names[change.directory, change.name]

        self._store(0, target, names, chance)

    def _survivors(self, chance: Random) -> list[Change]:
        """The durable changes, and of the others none, all, the first few, the last few, or any."""
        mode = chance.randrange(5)
        cut = chance.randrange(sum(not change.is_durable for change in self._changes) + 1)
        survives: dict[int, bool] = {}
        volatile = 0
        for change in self._changes:
            volatile += not change.is_durable
            lucky = (False, True, volatile <= cut, volatile > cut, chance.random() < 0.5)[mode]
            survives[id(change)] = change.is_durable or lucky
            if (twin := change.appears) is None:
                continue

            if twin.directory == change.directory:
                survives[id(change)] = survives[id(twin)]
            elif survives[id(change)]:
                survives[id(twin)] = True

        return [change for change in self._changes if survives[id(change)]]

    def _store(
        self, number: int, target: Path, names: dict[tuple[int, str], int], chance: Random
    ) -> None:
        target.mkdir(mode=0o700)
        for (directory, name), node in names.items():
            if directory != number:
                continue

            if node in self._directories:
                self._store(node, target / name, names, chance)
            else:
                (target / name).write_bytes(self._content(node, chance))

    def _content(self, node: int, chance: Random) -> bytes:
        """Leave what was synced, and of the rest any prefix, whole, torn or full of zeros."""
        durable = self._durable[node]
        rest = self._cached[node][len(durable) :]
        kept = rest[: chance.choice([0, len(rest) // 2, len(rest)])]
        if kept and chance.random() < 0.3:
            kept = bytes(len(kept))

        return durable + kept
