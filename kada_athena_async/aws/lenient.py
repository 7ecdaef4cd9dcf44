"""Reads whole JSON that does not fit its types: takes what fits, and names what does not; pure.

The strict decoder reads nearly every answer. This one reads the rest, member by member: a null is
an absent member; numbers stand for texts and texts for numbers; times are epoch seconds, epoch
milliseconds, ISO 8601 or RFC 822. What has no such reading is left out and named by its path.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec
from botocore.utils import parse_to_aware_datetime

from kada_athena_async.aws.wire import MILLISECONDS_FROM, Quantity

StructT = TypeVar("StructT", bound=msgspec.Struct)

NOTES_MAX = 20
"""Notes of one answer: a page of which nothing fits is not listed member by member."""

_YEAR = re.compile(r"[0-9]{4}")


class UnfitError(ValueError):
    """Raised when a value has no reading as its type; says where and why, never the value."""


class ForeignError(ValueError):
    """Raised when an answer lacks what its operation always sends: it is not AWS's."""


def read_page(kind: type[StructT], document: object) -> tuple[StructT, tuple[str, ...]]:
    """*document* as an answer of *kind*, and what of it could not be read.

    Raises:
        ForeignError: It is no object, or its list or its page token is absent or unreadable.
    """
    if not isinstance(document, dict):
        raise ForeignError(f"it is {json_type(document)}, not an object")

    fields = _fields_of(kind)
    lists = [name for name, field in fields.items() if get_origin(field.hint) is list]
    needed = [name for name, field in fields.items() if field.is_needed]
    # BatchGetQueryExecution has two lists: one of them is enough to know the answer by.
    if any(name in document for name in lists):
        document = dict.fromkeys(lists) | document
    elif missing := [name for name in needed if name not in document]:
        raise ForeignError(f"it has no {missing[0]}")

    reader = _Reader()
    try:
        page = reader.struct(kind, document, "", is_page=True)
    except UnfitError as exc:
        raise ForeignError(str(exc)) from None

    return cast("StructT", page), reader.cut_notes()


def read_list(kind: type[StructT], raw: bytes, path: str) -> tuple[list[StructT], tuple[str, ...]]:
    """The JSON list *raw* without its items that cannot be read, and the names of those.

    Args:
        path: Where it stands, such as ``sales.orders.Columns``.
    """
    reader = _Reader()
    try:
        items = reader.read(list[kind], parse(raw) or [], path)  # type: ignore[valid-type]
    except UnfitError as exc:
        return [], (str(exc),)

    return cast("list[StructT]", items), reader.cut_notes()


def parse(body: bytes) -> object:
    """Any JSON as plain values; forgives a byte-order mark, broken UTF-8, raw control characters.

    Raises:
        ValueError: It is cut off, or no JSON, or nested deeper than any answer.
    """
    try:
        return json.loads(body.decode("utf-8-sig", "replace"), strict=False)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def json_type(value: object) -> str:
    """JSON's word for the type of *value*."""
    if value is None:
        return "null"

    if isinstance(value, bool):
        return "true or false"

    names: tuple[tuple[Any, str], ...] = (
        (str, "text"),
        ((int, float), "a number"),
        (list, "a list"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "an object")


class _Field(NamedTuple):
    """A member of a struct: our name, its type without ``None``, whether it has no default."""

    name: str
    hint: Any
    is_needed: bool


@cache
def _fields_of(kind: type) -> Mapping[str, _Field]:
    """AWS's name -> field."""
    hints = get_type_hints(kind)
    found = {}
    for field in msgspec.structs.fields(kind):
        hint = hints[field.name]
        if get_origin(hint) not in (list, dict):
            hint = next((arg for arg in get_args(hint) if arg is not type(None)), hint)

        found[field.encode_name] = _Field(field.name, hint, field.required)

    return found


def _is_struct(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


class _Reader:
    """Reads one answer and notes what of it cannot be read."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    def cut_notes(self) -> tuple[str, ...]:
        rest = len(self._notes) - NOTES_MAX
        more = (f"and {rest} more",) if rest > 0 else ()
        return (*self._notes[:NOTES_MAX], *more)

    def read(self, hint: Any, value: Any, path: str) -> Any:
        """*value*, which is not null, as *hint*.

        Raises:
            UnfitError: It has no reading as that.
        """
        origin = get_origin(hint)
        if origin is list:
            return self._list(get_args(hint)[0], value, path)

        if origin is dict:
            return _texts(value, path)

        if hint is msgspec.Raw:
            return msgspec.Raw(json.dumps(value).encode())

        if _is_struct(hint):
            return self.struct(hint, value, path)

        return _SCALARS[hint](value, path)

    def struct(self, kind: type, value: Any, path: str, *, is_page: bool = False) -> Any:
        if not isinstance(value, dict):
            raise _unfit(path, value, "an object")

        members = {}
        for encoded, field in _fields_of(kind).items():
            found = value.get(encoded)
            where = f"{path}.{encoded}" if path else encoded
            try:
                if found is not None:
                    members[field.name] = self.read(field.hint, found, where)
                elif encoded in value and get_origin(field.hint) is list:
                    members[field.name] = []
                elif field.is_needed:
                    raise UnfitError(f"{where} is {'null' if encoded in value else 'absent'}")

            except UnfitError as exc:
                # Without its token the pages behind it would be lost.
                if field.is_needed or (is_page and field.name == "next_token"):
                    raise

                self._notes.append(str(exc))

        return kind(**members)

    def _list(self, kind: Any, value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise _unfit(path, value, "a list")

        items = []
        for place, item in enumerate(value):
            try:
                items.append(self._item(kind, item, f"{path}[{place}]{_label(kind, item)}"))
            except UnfitError as exc:
                self._notes.append(f"{exc}; it is left out")

        return items

    def _item(self, kind: Any, item: Any, path: str) -> Any:
        if item is not None:
            return self.read(kind, item, path)

        # Of a thing that needs no member, null is one without members: a cell that is NULL.
        if _is_struct(kind) and not any(field.is_needed for field in _fields_of(kind).values()):
            return kind()

        raise UnfitError(f"{path} is null")


def _label(kind: Any, item: Any) -> str:
    """The name of an item, as far as it has one."""
    if not (isinstance(item, dict) and _is_struct(kind)):
        return ""

    names = (item.get(name) for name, field in _fields_of(kind).items() if field.is_needed)
    name = next(names, None)
    return f" ({_scrubbed(name)})" if isinstance(name, str) else ""


def _unfit(path: str, value: object, wanted: str) -> UnfitError:
    return UnfitError(f"{path or 'the answer'} is {json_type(value)}, not {wanted}")


def _texts(value: Any, path: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _unfit(path, value, "an object")

    return {
        _scrubbed(name): _text(member, path)
        if not isinstance(member, list | dict)
        else _scrubbed(json.dumps(member, ensure_ascii=False))
        for name, member in value.items()
        if member is not None
    }


def _scrubbed(text: str) -> str:
    """*text* without halves of surrogate pairs, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _text(value: Any, path: str) -> str:
    if isinstance(value, str):
        return _scrubbed(value)

    if isinstance(value, list | dict):
        raise _unfit(path, value, "text")

    return json.dumps(value)  # a number, true or false, as JSON spells it


def _number(value: Any, path: str) -> float:
    number = value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = None

    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise _unfit(path, value, "a number")

    return number


def _whole(value: Any, path: str) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,18}\s*", value):
        return int(value)  # exact, where a float of more than 2**53 would not be

    return round(_number(value, path))


def _time(value: Any, path: str) -> float:
    try:
        seconds = _number(value, path)
    except UnfitError:
        # A text without a year would be taken for one of this year.
        if not (isinstance(value, str) and _YEAR.search(value)):
            raise _unfit(path, value, "a time") from None

        try:
            return float(parse_to_aware_datetime(value).timestamp())
        except Exception:  # whatever the parser of dates meets in a text that is none
            raise _unfit(path, value, "a time") from None

    return seconds / 1000 if abs(seconds) > MILLISECONDS_FROM else seconds


def _flag(value: Any, path: str) -> bool:
    word = json.dumps(value).strip('"').lower() if not isinstance(value, list | dict) else ""
    if word not in ("true", "false", "1", "0"):
        raise _unfit(path, value, "true or false")

    return word in ("true", "1")


_SCALARS = {str: _text, int: _whole, float: _time, Quantity: _number, bool: _flag}
"""A plain floating-point member of the answers that we read is a time."""
