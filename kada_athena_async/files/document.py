"""Versioned JSON documents on disk: written whole, read back strictly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

import msgspec

from kada_athena_async.errors import StateError
from kada_athena_async.files.system import Files

# Far above what a run writes (a million pending ids are 80 MB), far below what fills a memory.
MAX_BYTES = 256 << 20

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# As it is written, which spares a look through the whole document.
_LEADING_VERSION = re.compile(rb'\s*\{\s*"schema_version":\s*(\d{1,9})\s*[,}]')

# Of such words as: Object contains unknown field `more` - at `$.files[0]`
_PLACE = re.compile(r"at `\$\.?([^`]*)`$")
_NAME = re.compile(r"field `([^`]*)`")

DocumentT = TypeVar("DocumentT", bound=msgspec.Struct)


class _Version(msgspec.Struct):
    schema_version: int


def read_document(
    files: Files,
    path: Path,
    kind: type[DocumentT],
    *,
    newest: int,
    remedy: str,
    is_shared: bool = True,
) -> DocumentT | None:
    """The document at *path*, checked field by field; None if there is no such file.

    Args:
        newest: The highest ``schema_version`` that *kind* understands.
        remedy: What the user can do if the file is damaged.
        is_shared: As for ``Files.read``.

    Raises:
        StateError: It cannot be read, is too large, is damaged, or is newer than this package. The
            file is left as it is.
    """
    data = read_bytes(files, path, remedy=remedy, is_shared=is_shared)
    if data is None:
        return None

    return parse_document(data, kind, source=str(path), newest=newest, remedy=remedy)


def read_bytes(files: Files, path: Path, *, remedy: str, is_shared: bool = True) -> bytes | None:
    """The bytes of the document at *path*; None if there is no such file.

    Args:
        remedy, is_shared: As for ``read_document``.

    Raises:
        StateError: It cannot be read, or is too large.
    """
    try:
        return files.read(path, max_bytes=MAX_BYTES, is_shared=is_shared)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise StateError(f"{path} cannot be used: {exc.strerror or exc}", hint=remedy) from exc


def parse_document(
    data: bytes, kind: type[DocumentT], *, source: str, newest: int, remedy: str
) -> DocumentT:
    """The document that *data* is, checked field by field.

    Args:
        source: Where the bytes come from, for messages.
        newest, remedy: As for ``read_document``.

    Raises:
        StateError: It is damaged, or newer than this package.
    """
    try:
        leading = _LEADING_VERSION.match(data)
        version = (
            int(leading[1]) if leading else msgspec.json.decode(data, type=_Version).schema_version
        )
        if version > newest:
            raise StateError(
                f"{source} was written by a newer version of this package (schema {version}, "
                f"this one knows {newest})",
                hint="run the newer version",
            )

        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise StateError(f"{source} cannot be used: {_damage(exc)}", hint=remedy) from exc


def _damage(error: Exception) -> str:
    """The damage in words of our own: msgspec's name types of Python."""
    if not isinstance(error, msgspec.ValidationError):
        return "it is cut off, or no JSON"

    place, name = (pattern.search(str(error)) for pattern in (_PLACE, _NAME))
    path = ".".join(found[1] for found in (place, name) if found and found[1])
    return f"it was edited or damaged{f', at {path}' if path else ''}"


def to_bytes(document: msgspec.Struct) -> bytes:
    """*document* as indented JSON; equal documents give equal bytes.

    Lone surrogates, which a name or a message may hold and UTF-8 cannot, become U+FFFD.
    """
    try:
        compact = msgspec.json.encode(document, order="deterministic")
    except UnicodeEncodeError:
        plain = _writable(msgspec.to_builtins(document, order="deterministic"))
        compact = msgspec.json.encode(plain)

    return msgspec.json.format(compact, indent=1) + b"\n"


def _writable(value: object) -> object:
    match value:
        case str():
            return _LONE_SURROGATE.sub("\ufffd", value)
        case dict():
            return {_writable(key): _writable(item) for key, item in value.items()}
        case list() | tuple():
            return [_writable(item) for item in value]
        case _:
            return value
