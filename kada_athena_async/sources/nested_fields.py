"""The fields inside a column's type, read from Trino's spelling of it; pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_NESTED = re.compile(r"(row|array|map)\(")
_SIMPLE = re.compile(r"[^(),\"]+(?:\([0-9, ]*\)[^(),\"]*)?")
_NAME = re.compile(r'(?:"((?:[^"]|"")*)"|([^\s(),"]+)) ')
_SEPARATOR = re.compile(r", ?")
_MAX_DEPTH = 100
"""Deeper fields are left out: the type of each repeats all that lies below it."""

_CACHED_TYPES = 4_096
_CACHED_CHARS = 1_024


class NestedField(NamedTuple):
    """A field of a row.

    Attributes:
        path: From the column's value on, such as ``.parts[].name``: ``[]`` stands for an array's
            element, ``{}`` for a map's value.
        ordinal_position: From 1, among the fields of its row.
        depth: 1 for a field of the column's own row.
    """

    path: str
    name: str
    ordinal_position: int
    depth: int
    data_type: str


def fields_of(data_type: str) -> tuple[NestedField, ...]:
    """The fields of every row in *data_type*, in order; none where it has none.

    What is not Trino's spelling, such as the raw type of a broken table, has none either.
    """
    if "row(" not in data_type:
        return ()

    return _cached(data_type) if len(data_type) <= _CACHED_CHARS else _read(data_type)


def _read(data_type: str) -> tuple[NestedField, ...]:
    reader = _Reader(data_type)
    try:
        reader.read("", 0)
    except ValueError:
        return ()

    return tuple(reader.found) if reader.position == len(data_type) else ()


_cached = lru_cache(maxsize=_CACHED_TYPES)(_read)


class _Reader:
    """Reads one type from left to right; methods raise ValueError where it is none."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.position = 0
        self.found: list[NestedField] = []

    def read(self, path: str, depth: int) -> None:
        """Read the type that begins here, and what lies in it.

        Args:
            path: Of the value that has the type.
            depth: How many rows it lies in.
        """
        opened = _NESTED.match(self._text, self.position)
        if opened is None:
            self._match(_SIMPLE)
            return

        if path.count("[]") + path.count("{}") + depth > _MAX_DEPTH:
            raise ValueError(depth)

        self.position = opened.end()
        if opened[1] == "row":
            self._fields(path, depth + 1)
        elif opened[1] == "array":
            self.read(f"{path}[]", depth)
        else:
            kept = len(self.found)
            self.read(path, depth)
            del self.found[kept:]  # the fields of a map's key have no path
            self._match(_SEPARATOR)
            self.read(f"{path}{{}}", depth)

        self._close()

    def _fields(self, path: str, depth: int) -> None:
        position = 0
        while position == 0 or self._next() == ",":
            if position:
                self._match(_SEPARATOR)

            position += 1
            name = self._name(position)
            place, begins = len(self.found), self.position
            self.read(f"{path}.{name}", depth)
            spelt = self._text[begins : self.position]
            field = NestedField(f"{path}.{name}", name, position, depth, spelt)
            self.found.insert(place, field)

    def _name(self, position: int) -> str:
        found = _NAME.match(self._text, self.position)
        if found is None:
            return f"field{position}"  # a row's fields need no names

        self.position = found.end()
        return found[1].replace('""', '"') if found[1] is not None else found[2]

    def _close(self) -> None:
        if self._next() != ")":
            raise ValueError(self.position)

        self.position += 1

    def _next(self) -> str:
        return self._text[self.position : self.position + 1]

    def _match(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self.position)
        if match is None:
            raise ValueError(self.position)

        self.position = match.end()
