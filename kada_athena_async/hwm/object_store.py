"""The high-water mark in small objects with versions, which runners on other machines share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from kada_athena_async.errors import (
    AbortError,
    AccessDeniedError,
    CommitError,
    KadaAthenaError,
    LockedError,
    StateError,
)
from kada_athena_async.files import parse_document, to_bytes
from kada_athena_async.hwm.formats import (
    INTENT_VERSION,
    MAX_HWM_BYTES,
    DeliveryIntent,
    format_hwm,
    parse_hwm,
)
from kada_athena_async.hwm.run_state import STATE_VERSION, StoredState
from kada_athena_async.hwm.store import REMOVE_INTENT, REMOVE_STATE, WRITE_HWM, Store

_MEND = "correct hwm_store, or mend the place that it names, then run again; nothing is lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionedObject:
    """A small object with its content.

    Attributes:
        version: Changes with each write; what a conditional write is compared with.
    """

    data: bytes
    version: str


class VersionedObjects(Protocol):
    """A place that keeps small objects by name, and of two writers lets at most one win.

    The methods raise ``KadaAthenaError`` and nothing else.
    """

    @property
    def place(self) -> str:
        """A URL that names the place, without secrets."""

    async def read(self, name: str) -> VersionedObject | None:
        """The content of an object; None if there is none."""

    async def write(self, name: str, data: bytes, *, replaces: str | None) -> str | None:
        """Store an object if nobody has changed it since.

        Args:
            replaces: The version that is to be replaced; None if nothing may be there.

        Returns:
            The new version; None if the object is not, or no longer, what *replaces* says. An
            object that holds just *data* already counts as written: the answer may have been
            lost.
        """


class ObjectHwmStore(Store):
    """The vendor's one-line text and a state beside it, as two objects.

    What it reads first it holds on to, and gives again without
    asking: if somebody else writes HWM or state afterwards, ``check`` and writing are refused
    from then on, so that of two runners that began at the same HWM one moves it and the other
    gets an error.

    Args:
        name: The collector's instance; the objects are ``<name>_hwm.txt``, ``<name>_state.json``,
            and while there is a landing ``<name>_delivery.json``.
    """

    def __init__(self, cells: VersionedObjects, name: str) -> None:
        self.place = f"{cells.place}/{name}_hwm.txt"
        self._cells = cells
        self._hwm_name = f"{name}_hwm.txt"
        self._state_name = f"{name}_state.json"
        self._intent_name = f"{name}_delivery.json"
        self._versions: dict[str, str | None] = {}
        self._intent: DeliveryIntent | None = None
        self._known: tuple[datetime | None, StoredState | None] | None = None

    async def read(self) -> tuple[datetime | None, StoredState | None]:
        if self._known is None:
            await self.check()
        assert self._known is not None
        return self._known

    async def check(self) -> None:
        self._known = None
        self._known = await self._stored()

    async def _stored(self) -> tuple[datetime | None, StoredState | None]:
        line = await self._read(self._hwm_name)
        state = await self._read(self._state_name)
        hwm = self._parse(line) if line else None
        if state is None:
            return hwm, None

        source = f"{self._cells.place}/{self._state_name}"
        return hwm, parse_document(
            state.data,
            StoredState,
            source=source,
            newest=STATE_VERSION,
            remedy=REMOVE_STATE.format(""),
        )

    async def read_anew(self) -> tuple[datetime | None, StoredState | None]:
        self._versions.clear()
        self._known = None
        return await self.read()

    async def _write_state(self, data: bytes) -> None:
        await self._write(self._state_name, data)

    async def publish(self, hwm: datetime) -> None:
        await self._write(self._hwm_name, f"{format_hwm(hwm)}\n".encode())
        if self._intent is not None:
            await self.write_intent(msgspec.structs.replace(self._intent, is_open=False))

    async def read_intent(self) -> DeliveryIntent | None:
        cell = await self._read(self._intent_name, may_be_hidden=True)
        self._intent = None
        if cell is None:
            return None

        found = parse_document(
            cell.data,
            DeliveryIntent,
            source=f"{self._cells.place}/{self._intent_name}",
            newest=INTENT_VERSION,
            remedy=REMOVE_INTENT,
        )
        self._intent = found if found.is_open else None
        return self._intent

    async def write_intent(self, intent: DeliveryIntent) -> None:
        await self._write(self._intent_name, to_bytes(intent))
        self._intent = intent if intent.is_open else None

    async def _read(self, name: str, *, may_be_hidden: bool = False) -> VersionedObject | None:
        cell = None
        try:
            cell = await self._cells.read(name)
        except AbortError:
            raise
        except KadaAthenaError as exc:
            # S3's answer for what is not there, to those who may not list.
            is_hidden = may_be_hidden and isinstance(exc, AccessDeniedError)
            if not is_hidden:
                raise StateError(
                    f"the high-water mark at {self.place} cannot be read: {exc.message}",
                    hint=exc.hint or _MEND,
                ) from exc

        version = cell.version if cell else None
        if self._versions.setdefault(name, version) != version:
            raise self._outrun()

        return cell

    async def _write(self, name: str, data: bytes) -> None:
        if name != self._intent_name:
            self._known = None
        if name not in self._versions:
            await self._read(name, may_be_hidden=name == self._intent_name)

        try:
            version = await self._cells.write(name, data, replaces=self._versions[name])
        except LockedError:
            raise
        except KadaAthenaError as exc:
            raise CommitError(
                f"the high-water mark at {self.place} cannot be moved: {exc.message}",
                hint=exc.hint or _MEND,
            ) from exc

        if version is None:
            raise self._outrun()

        self._versions[name] = version

    def _parse(self, cell: VersionedObject) -> datetime:
        try:
            return parse_hwm(cell.data[:MAX_HWM_BYTES].decode("utf-8-sig", "replace"))
        except ValueError as exc:
            raise StateError(
                f"the high-water mark {self.place} cannot be used: {exc}",
                hint=WRITE_HWM,
            ) from exc

    def _outrun(self) -> LockedError:
        return LockedError(
            f"another runner, or somebody by hand, moved the high-water mark at {self.place} "
            "since this run began",
            hint="let one runner at a time use a high-water mark; run again to go on from where "
            "it stands now",
        )
