"""Stores of the high-water mark."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path

from kada_athena_async.errors import StateError
from kada_athena_async.files import MARK_FIELDS, Files, failing, read_document, to_bytes
from kada_athena_async.files.os_errors import remedy_of
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm.formats import (
    INTENT_VERSION,
    MAX_HWM_BYTES,
    DeliveryIntent,
    format_hwm,
    parse_hwm,
)
from kada_athena_async.hwm.run_state import STATE_VERSION, RunState, StoredState

WRITE_HWM = "put one line like 2026-01-31 23:59:59 (UTC) there, or use `publish_hwm`"
"""Remedy for a high-water mark that is damaged."""

REMOVE_INTENT = (
    "restore it from a backup; or remove it, after a look at whether the landing holds a manifest "
    "of a window behind the high-water mark: if so, set it to that window's end"
)
"""Remedy for a delivery intent that is damaged."""

REMOVE_STATE = (
    "restore it from a backup; or remove it: the high-water mark{} stays, and the last published "
    "manifest stands in for the state"
)
"""Remedy for a state that is damaged."""


class Store(ABC):
    """Keeps a high-water mark, the state that belongs to it, and while there is a landing the
    delivery intent. One instance is one run's view.

    Attributes:
        place: Of the HWM, for people; without secrets.
        hwm_path: Its file; None if there is none.
        output_path: Where the runs publish, remembered with the state; empty if it is not.
    """

    place: str
    hwm_path: Path | None = None
    output_path: str = ""

    @abstractmethod
    async def read(self) -> tuple[datetime | None, StoredState | None]:
        """The HWM, and the state that the last run left.

        Raises:
            StateError: HWM or state cannot be trusted, or the place does not let us read them.
            CredentialsError: The place does not accept who we are.
            LockedError: Somebody else wrote them, as a call before this one found.
        """

    async def check(self) -> None:
        """Refuse HWM and state if they are damaged, or somebody else wrote them since ``read``.

        Raises:
            StateError, CredentialsError, LockedError: As for ``read``.
        """
        await self.read()

    async def read_anew(self) -> tuple[datetime | None, StoredState | None]:
        """HWM and state now, whoever wrote them; the run is taken to have begun there."""
        return await self.read()

    async def write(self, state: RunState, *, run_id: str, manifest_sha256: str) -> None:
        """Remember *state*, then move the HWM to ``state.hwm``; durable on return.

        Whenever a crash comes, the HWM is the old one or the new one, and never the new one
        without its state.

        Raises:
            LockedError: Somebody else was faster; the HWM is theirs.
            CommitError: The place refuses; the HWM has not moved.
        """
        stored = StoredState(
            run_id=run_id,
            manifest_sha256=manifest_sha256,
            output_path=self.output_path,
            state=state,
        )
        await self._write_state(to_bytes(stored))
        await self.publish(state.hwm)

    @abstractmethod
    async def _write_state(self, data: bytes) -> None:
        """Write it; as ``write`` without the HWM."""

    @abstractmethod
    async def publish(self, hwm: datetime) -> None:
        """Set the HWM alone, as an operator or the vendor's ``publish_hwm`` does; this ends a
        delivery that was under way.

        Raises:
            LockedError, CommitError: As for ``write``.
        """

    @abstractmethod
    async def read_intent(self) -> DeliveryIntent | None:
        """The delivery that was under way when a run died; None if there is none.

        Raises:
            StateError: It cannot be trusted.
        """

    @abstractmethod
    async def write_intent(self, intent: DeliveryIntent) -> None:
        """Remember, before it begins, that a commit is being delivered; durable on return.

        Raises:
            LockedError, CommitError: As for ``write``.
        """


class FileHwmStore(Store):
    """The vendor's one-line text file, and a state file beside it; the lock of the run keeps others
    away.

    Args:
        hwm_path: Such as ``athena_hwm.txt``; the state is then ``athena_state.json``. Beside a
            file of any other name, such as ``x.txt``, it is ``x.txt.state.json``. A link is
            followed once, here.
        output_path: Where the runs publish; remembered with the state.
        is_chosen: False if *hwm_path* is the default, so that runs can meet there by accident.
    """

    hwm_path: Path

    def __init__(
        self,
        hwm_path: Path,
        files: Files,
        *,
        output_path: Path | None = None,
        is_chosen: bool = True,
    ) -> None:
        self.hwm_path = hwm_path.resolve()
        self.output_path = str(output_path.resolve()) if output_path else ""
        self.is_chosen = is_chosen
        # Each file of an HWM has a state and a lock of its own: x_hwm.txt, x.txt, x_hwm.dat and x.
        name = self.hwm_path.name
        stem = name.removesuffix("_hwm.txt")
        own, lock = (
            (f"{stem}_", f".{stem}_hwm.lock") if stem != name else (f"{name}.", f".{name}.hwm.lock")
        )
        self.state_path = self.hwm_path.with_name(f"{own}state.json")
        self.intent_path = self.hwm_path.with_name(f"{own}delivery.json")
        self.lock_path = self.hwm_path.with_name(lock)
        self.place = str(self.hwm_path)
        self._files = files

    async def read(self) -> tuple[datetime | None, StoredState | None]:
        return await in_thread(self._read)

    async def _write_state(self, data: bytes) -> None:
        await self._store(self.state_path, data)

    async def publish(self, hwm: datetime) -> None:
        line = f"{format_hwm(hwm)}\n".encode()
        with failing(self.hwm_path, field=MARK_FIELDS):
            await in_thread(lambda: self._publish(line))

    async def read_intent(self) -> DeliveryIntent | None:
        found = await in_thread(
            lambda: read_document(
                self._files,
                self.intent_path,
                DeliveryIntent,
                newest=INTENT_VERSION,
                remedy=REMOVE_INTENT,
                is_shared=False,
            )
        )
        return found if found and found.is_open else None

    async def write_intent(self, intent: DeliveryIntent) -> None:
        await self._store(self.intent_path, to_bytes(intent))

    async def _store(self, path: Path, data: bytes) -> None:
        with failing(path, field=MARK_FIELDS):
            await in_thread(lambda: self._files.write_durably(path, data))

    def _publish(self, line: bytes) -> None:
        self._files.write_durably(self.hwm_path, line)
        if self._files.exists(self.intent_path):
            self._files.remove(self.intent_path)

    def _read(self) -> tuple[datetime | None, StoredState | None]:
        return self._read_hwm(), read_document(
            self._files,
            self.state_path,
            StoredState,
            newest=STATE_VERSION,
            remedy=REMOVE_STATE.format(f" in {self.hwm_path.name}"),
            is_shared=False,
        )

    def _read_hwm(self) -> datetime | None:
        try:
            data = self._files.read(self.hwm_path, max_bytes=MAX_HWM_BYTES, is_shared=False)
            return parse_hwm(data.decode("utf-8-sig", "replace"))
        except FileNotFoundError:
            return None
        except (IsADirectoryError, NotADirectoryError, PermissionError) as exc:
            raise StateError(
                f"the high-water mark {self.hwm_path} cannot be used: {exc.strerror}",
                hint=remedy_of(exc, MARK_FIELDS),
            ) from exc
        except (OSError, ValueError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else exc
            raise StateError(
                f"the high-water mark {self.hwm_path} cannot be used: {reason}", hint=WRITE_HWM
            ) from exc
