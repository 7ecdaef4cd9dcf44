"""The high-water mark as a line of text, and the delivery intent beside it as JSON."""

from __future__ import annotations

import re
from datetime import datetime, timezone

import msgspec

from kada_athena_async.hwm.run_state import HeldPrincipals, Origin
from kada_athena_async.hwm.window import HWM_FORMAT, Window
from kada_athena_async.redact import hide_secrets

INTENT_VERSION = 3
MAX_HWM_BYTES = 1024

EPOCH_YEAR = 1970
"""First year of a time of Athena's; an earlier one less its overlap may have no date at all."""

_LINE = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")


class DeliveryIntent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A commit that is about to be delivered, announced where the HWM is kept.

    A runner that finds the HWM unmoved, and not the disk of the run that died, learns from it
    which window the landing may hold, whole or in part.

    Attributes:
        hwm: The HWM that the run began at; None for the first run.
        start, end: The window.
        manifest: Name of its manifest.
        sha256: Of the manifest.
        is_open: False once the HWM has moved, or was set by hand.
        origin: Whose run it was; None in notes of earlier versions.
        attempt: What the files in the landing are marked with; another one with each claim. Empty
            in those of earlier versions.
        place: URL of the landing, without secrets.
        files: Names of the data files.
        compress: Whether they are gzipped, which their names depend on.
        replaces: True if an older package of the same end is replaced; the HWM does not move.
        replaced_sha256: The manifest of that package in the landing; empty if none lies there.
        early, elsewhere: If it replaces: executions by workgroup that the next runner has to emit
            although they were submitted before the window, and those that other packages
            hold; they may not have these packages.
        principals: Those of the package that it replaces.
        sealed: The manifest, once all its files are delivered. From then on it is not taken
            over: any runner that finds it writes the manifest and moves the HWM.
    """

    schema_version: int = INTENT_VERSION
    run_id: str
    hwm: datetime | None
    start: datetime
    end: datetime
    manifest: str
    sha256: str
    is_open: bool = True
    origin: Origin | None = None
    attempt: str = ""
    place: str = ""
    files: tuple[str, ...] = ()
    compress: bool | None = None
    replaces: bool = False
    replaced_sha256: str = ""
    early: dict[str, tuple[str, ...]] = {}
    elsewhere: tuple[str, ...] = ()
    principals: HeldPrincipals = HeldPrincipals()
    sealed: str = ""

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)

    def binds(self, hwm: datetime | None) -> bool:
        """True if this delivery comes before anything else that begins at *hwm*."""
        is_ahead = self.replaces or hwm is None or self.end > hwm
        return self.is_open and self.hwm == hwm and is_ahead


def parse_hwm(text: str) -> datetime:
    """Read one ``YYYY-MM-DD HH:MM:SS``, in UTC; a line end behind it is fine, nothing else is.

    Raises:
        ValueError: It is anything else.
    """
    line = text.removesuffix("\n").removesuffix("\r")
    try:
        if not _LINE.fullmatch(line) or not line.isascii():
            raise ValueError

        found = datetime.strptime(line, HWM_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:  # Python's words name its own format
        shown = hide_secrets(line)[:80]
        raise ValueError(f"not a time of the form YYYY-MM-DD HH:MM:SS: {shown!r}") from None

    if found.year < EPOCH_YEAR:
        raise ValueError(f"a time before {EPOCH_YEAR}: {line}")

    return found


def format_hwm(hwm: datetime) -> str:
    """*hwm* as ``YYYY-MM-DD HH:MM:SS`` in UTC.

    Raises:
        ValueError: It has no zone, or a fraction of a second, which the text would lose.
    """
    if hwm.tzinfo is None or hwm.microsecond:
        raise ValueError(f"a high-water mark is a whole second with a zone, not {hwm!r}")

    return hwm.astimezone(timezone.utc).strftime(HWM_FORMAT)
