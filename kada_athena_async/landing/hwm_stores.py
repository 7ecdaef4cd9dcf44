"""Chooses where the high-water mark is kept.

In the landing itself (``hwm_store: landing``) it lies below ``_hwm/``: the platform loads every
file that it finds in the landing, and loaders of the Hive family skip names with an underscore.
Versions before 0.2 kept it among the extracts. It moves once, with the first write: the old line is
replaced by one that an old version refuses and that still holds the HWM, then state and delivery
intent are copied, the HWM last. A crash in between is gone on from there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import PurePosixPath

from kada_athena_async.codes import WarningCode
from kada_athena_async.config.landing import LocalPlace, Place
from kada_athena_async.errors import LockedError
from kada_athena_async.events import Observer, Warned
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm.object_store import (
    ObjectHwmStore,
    VersionedObject,
    VersionedObjects,
)
from kada_athena_async.hwm.store import FileHwmStore, Store
from kada_athena_async.landing import Runtime, open_landing
from kada_athena_async.landing.interface import Landing
from kada_athena_async.landing.local import LocalLanding

HWM_DIRECTORY = "_hwm"

_MOVED = b"moved to _hwm/ "
_OLD = "old:"


@asynccontextmanager
async def open_hwm_store(
    place: Place, name: str, around: Runtime, *, is_landing: bool = False
) -> AsyncIterator[Store]:
    """The store of the HWMs of *name* at *place*; closes its connections in any case.

    Args:
        is_landing: True if *place* is the landing, in which they lie below ``_hwm/``.

    Raises:
        ConfigError: The region is not AWS's, or an extra package is not installed.
        CredentialsError: There are no credentials.
    """
    if isinstance(place, LocalPlace) and not is_landing:
        path = place.path / f"{name}_hwm.txt"
        yield await in_thread(lambda: FileHwmStore(path, around.files))
        return

    async with open_landing(place, around) as old, AsyncExitStack() as stack:
        if not is_landing:
            yield ObjectHwmStore(old, name)
            return

        if isinstance(place, LocalPlace):
            new: Landing = LocalLanding(place.path / HWM_DIRECTORY, around.files, makes=True)
        else:
            new = await stack.enter_async_context(open_landing(_below(place), around))

        yield ObjectHwmStore(MovingObjects(new, old, name, around.notify), name)


def _below(place: Place) -> Place:
    prefix = PurePosixPath(getattr(place, "prefix", ""), HWM_DIRECTORY)
    return place.model_copy(update={"prefix": str(prefix)})


class MovingObjects:
    """The cells of one instance, read where they lay and written where they belong.

    Args:
        new, old: Where they belong, and where earlier versions kept them.
        name: The instance.
    """

    def __init__(
        self, new: VersionedObjects, old: VersionedObjects, name: str, notify: Observer
    ) -> None:
        self.place = new.place
        self._new = new
        self._old = old
        self._hwm_name = f"{name}_hwm.txt"
        self._others = (f"{name}_state.json", f"{name}_delivery.json")
        self._notify = notify
        self._is_old: bool | None = None
        self._versions: dict[str, str] = {}

    async def read(self, name: str) -> VersionedObject | None:
        """The content of an object; see ``VersionedObjects``."""
        if self._is_old is None:
            self._is_old = await self._lies_in_old()

        if not self._is_old:
            cell = await self._new.read(name)
            if cell is not None and cell.version == self._versions.get(f"{_OLD}{name}"):
                return VersionedObject(data=cell.data, version=f"{_OLD}{name}")

            return cell

        cell = await self._old.read(name)
        if cell is None:
            return None

        data = cell.data.removeprefix(_MOVED) if name == self._hwm_name else cell.data
        self._versions[name] = cell.version
        return VersionedObject(data=data, version=f"{_OLD}{name}") if data else None

    async def write(self, name: str, data: bytes, *, replaces: str | None) -> str | None:
        """Store an object if nobody has changed it since; see ``VersionedObjects``."""
        if self._is_old is None:
            self._is_old = await self._lies_in_old()

        if self._is_old:
            await self._move()

        if replaces is not None:
            replaces = self._versions.get(replaces, replaces)

        return await self._new.write(name, data, replaces=replaces)

    async def _lies_in_old(self) -> bool:
        if await self._new.read(self._hwm_name) is not None:
            return False

        for name in (self._hwm_name, *self._others):
            if await self._old.read(name) is not None:
                return True

        return False

    async def _move(self) -> None:
        old = await self._old.read(self._hwm_name)
        mark = old.data.removeprefix(_MOVED) if old else b""
        if old is None or not old.data.startswith(_MOVED):
            replaces = old.version if old else None
            if old is not None and old.version != self._versions.get(self._hwm_name, old.version):
                raise self._outrun()

            if await self._old.write(self._hwm_name, _MOVED + mark, replaces=replaces) is None:
                raise self._outrun()

        for name in self._others:
            cell = await self._old.read(name)
            if cell is not None:
                await self._copy(name, cell.data)

        if mark:
            await self._copy(self._hwm_name, mark)

        self._is_old = False
        self._notify(
            Warned(
                code=WarningCode.HWM_RELOCATED,
                message=f"the high-water mark moved from {self._old.place} to {self.place}; "
                f"what is left there of {self._hwm_name}, {' and '.join(self._others)} may be "
                "removed once every runner of this instance has this version",
            )
        )

    async def _copy(self, name: str, data: bytes) -> None:
        version = await self._new.write(name, data, replaces=None)
        if version is None:
            raise self._outrun()

        self._versions[f"{_OLD}{name}"] = version

    def _outrun(self) -> LockedError:
        return LockedError(
            f"another runner moved the high-water mark at {self._old.place} since this run began",
            hint="let one runner at a time use a high-water mark; run again to "
            "go on from where it stands now",
        )
