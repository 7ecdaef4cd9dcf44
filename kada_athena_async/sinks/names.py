"""Names of files made from names that strangers chose."""

from __future__ import annotations

import hashlib
import re

# A workgroup may be called ".." and a table anything at all, so nothing passes that a file system
# could understand; the hash keeps apart what differs by case, by Unicode form or behind the cut.
_ALLOWED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_MAX_READABLE = 100
_HASH_DIGITS = 16

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


def safe_name(text: str) -> str:
    """A file name for *text*: readable, at most 120 ASCII bytes, another for every other text.

    Never hidden, never ``..``, never a device of Windows, and distinct also on a file system that
    ignores case.
    """
    raw = text.encode("utf-8", "surrogatepass")
    readable = "".join(chr(byte) if byte in _ALLOWED else f"%{byte:02X}" for byte in raw)
    digest = hashlib.sha256(raw).hexdigest()[:_HASH_DIGITS]
    return f"u-{readable[:_MAX_READABLE]}-{digest}"


def is_run_id(text: str) -> bool:
    """True if *text* may name a run's directory."""
    return _RUN_ID.fullmatch(text) is not None
