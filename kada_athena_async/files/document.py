"""Versioned JSON documents on disk: written whole, read back strictly."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from kada_athena_async.errors import StateError
from kada_athena_async.files.system import Files

# Far above what a run writes (a million pending ids are 80 MB), far below what fills a memory.
MAX_BYTES = 256 << 20

DocumentT = TypeVar("DocumentT", bound=msgspec.Struct)


class _Version(msgspec.Struct):
    schema_version: int


def read_document(
    files: Files, path: Path, kind: type[DocumentT], *, newest: int, remedy: str
) -> DocumentT | None:
    """The document at *path*, checked field by field; None if there is no such file.

    Args:
        newest: The highest ``schema_version`` that *kind* understands.
        remedy: What the user can do if the file is junk.

    Raises:
        StateError: It cannot be read, is too large, is junk, or is newer than this package. The
            file is left as it is.
    """
    try:
        data = files.read(path, max_bytes=MAX_BYTES)
        version = msgspec.json.decode(data, type=_Version).schema_version
        if version > newest:
            raise StateError(
                f"{path} was written by a newer version of this package (schema {version}, "
                f"this one knows {newest})",
                hint="run the newer version",
            )

        return msgspec.json.decode(data, type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise StateError(f"{path} cannot be used: {exc}", hint=remedy) from exc


def to_bytes(document: msgspec.Struct) -> bytes:
    """*document* as JSON for eyes and for disks: equal documents, equal bytes."""
    compact = msgspec.json.encode(document, order="deterministic")
    return msgspec.json.format(compact, indent=1) + b"\n"
