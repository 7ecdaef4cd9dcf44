"""A Hive or Iceberg column type in the words of Trino's ``information_schema``.

sqlglot converts the common cases, but loses the parameters that Trino prints (``timestamp(3)``,
``decimal(10,0)``) and takes a struct with a blank in a field name for an empty row; names of
fields are data, so the few rules stand here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

# Trino, Hive and Iceberg connectors, "Type mapping"; Athena User Guide, "Data types in Amazon
# Athena"; Iceberg's own names (``long``, ``list``, ``timestamptz``): Iceberg spec, "Schemas".
_NAMES = {
    "string": "varchar",
    "int": "integer",
    "long": "bigint",
    "float": "real",
    "binary": "varbinary",
    "fixed": "varbinary",
    "numeric": "decimal",
    "dec": "decimal",
    "double precision": "double",
    "void": "unknown",
    "list": "array",
    "timestamp_ntz": "timestamp",
    "timestamptz": "timestamp with local time zone",
    "timestamp_ltz": "timestamp with local time zone",
}
_NANOSECONDS = {
    "timestamp_ns": "timestamp(9)",
    "timestamptz_ns": "timestamp(9) with time zone",
}
_FIXED = re.compile(r"fixed ?\[[0-9]+\]")
_DEFAULT_PRECISION = ("10",)  # Hive's decimal without parameters is decimal(10,0)
_SPACE = re.compile(r"\s*")
_WORDS = re.compile(r"""[^<>(),:`'"]*""")
_FIELD_NAME = re.compile(r"[^<>,:`]*")
_NAME_AHEAD = re.compile(r"[^<>(),:`]*:")
_QUOTED_NAME = re.compile(r"`((?:[^`]|``)*)`")
_PARAMETERS = re.compile(r"\(([0-9,\s]*)\)")
# Each alternative begins with another character, so that no text is looked at twice.
_COMMENT = re.compile(r"""(?:'(?:[^'\\]|\\.)*')+|(?:"(?:[^"\\]|\\.)*")+""", re.DOTALL)
_PLAIN_FIELD = re.compile(r"[a-z_][a-z0-9_]*")
_MAX_DEPTH = 100
_CACHED_TYPES = 8_192
_CACHED_CHARS = 1_024
"""Glue's types have up to 131,072 characters: longer ones than this are not worth their memory."""

HIVE_PRECISION = 3
"""Digits of a second in a timestamp of the Hive connector."""

ICEBERG_PRECISION = 6
"""Digits of a second in a timestamp of the Iceberg connector."""


def trino_type(hive_type: str, *, timestamp_precision: int = HIVE_PRECISION) -> str:
    """Return Trino's spelling of *hive_type*; what is no such type comes back in lower case.

    Blanks, ``COMMENT 'text'`` and ``NOT NULL`` in a struct change nothing.

    Args:
        timestamp_precision: 3 for tables of the Hive connector, 6 for Iceberg's.
    """
    if len(hive_type) > _CACHED_CHARS:
        return _converted(hive_type, timestamp_precision)

    return _cached(hive_type, timestamp_precision)


def _converted(hive_type: str, timestamp_precision: int) -> str:
    text = hive_type.strip()
    try:
        return _Parser(text, timestamp_precision).parse()
    except ValueError:
        return text.lower()


_cached = lru_cache(maxsize=_CACHED_TYPES)(_converted)


class _Parser:
    """Reads one type from left to right, no character more than a few times.

    Methods raise ValueError where the text is no Hive or Iceberg type.
    """

    def __init__(self, text: str, timestamp_precision: int) -> None:
        self._text = text
        self._position = 0
        self._precision = timestamp_precision
        self._is_iceberg = timestamp_precision == ICEBERG_PRECISION

    def parse(self) -> str:
        name = self._type(0)
        if self._position != len(self._text):
            raise ValueError(self._position)

        return name

    def _type(self, depth: int) -> str:
        if depth > _MAX_DEPTH:
            raise ValueError(depth)

        name = self._words()
        name = _NAMES.get(name, name)
        if self._next() == "<":
            found = self._nested(name, depth + 1)
            if self._words():
                raise ValueError(self._position)

            return found

        if self._next() != "(":
            return self._simple(name)

        # Anything but numbers is Trino's own spelling, such as array(varchar).
        parameters = [part.strip() for part in self._match(_PARAMETERS)[1].split(",")]
        suffix = self._words()
        return self._with_parameters(name, parameters) + (f" {suffix}" if suffix else "")

    def _nested(self, name: str, depth: int) -> str:
        if name == "struct":
            return f"row({', '.join(self._list(lambda: self._field(depth)))})"

        inner = self._list(lambda: self._type(depth))
        if (name, len(inner)) in (("array", 1), ("map", 2)):
            return f"{name}({', '.join(inner)})"

        if name == "uniontype":  # Trino reads it as a row that says which of its fields counts
            fields = [f"field{index} {item}" for index, item in enumerate(inner)]
            return f"row({', '.join(['tag tinyint', *fields])})"

        raise ValueError(name)

    def _field(self, depth: int) -> str:
        name = self._field_name()
        # Iceberg writes its fields as "1: name: optional int".
        if self._is_iceberg and name.isdecimal() and _NAME_AHEAD.match(self._text, self._position):
            name = self._field_name()

        name = name.lower()  # as Trino's Hive connector reads it
        if not _PLAIN_FIELD.fullmatch(name):
            name = '"' + name.replace('"', '""') + '"'

        return f"{name} {self._type(depth)}"

    def _field_name(self) -> str:
        self._match(_SPACE)
        if self._next() == "`":
            name = self._match(_QUOTED_NAME)[1].replace("``", "`")
            self._match(_SPACE)
        else:
            name = self._match(_FIELD_NAME)[0].strip()

        if self._next() != ":":
            raise ValueError(self._position)

        self._position += 1
        return name

    def _simple(self, name: str) -> str:
        if name == "decimal":
            return self._with_parameters(name, _DEFAULT_PRECISION)

        if name == "timestamp":
            return f"timestamp({self._precision})"

        if name == "timestamp with local time zone":
            return f"timestamp({self._precision}) with time zone"

        if name == "time" and self._is_iceberg:  # Hive has no such type
            return f"time({self._precision})"

        if not name:
            raise ValueError(self._position)

        return "varbinary" if _FIXED.fullmatch(name) else _NANOSECONDS.get(name, name)

    def _with_parameters(self, name: str, parameters: tuple[str, ...] | list[str]) -> str:
        if not name or not all(parameters):
            raise ValueError(self._position)

        if name != "decimal":
            return f"{name}({','.join(parameters)})"

        precision, scale = (*parameters, "0")[:2]
        if len(parameters) > 2 or max(len(precision), len(scale)) > 2:
            raise ValueError(parameters)

        return f"decimal({precision},{scale})"

    def _list(self, item: Callable[[], str]) -> list[str]:
        """The items between the bracket that opens here and the one that closes it."""
        items: list[str] = []
        closing = ","
        while closing == ",":
            self._position += 1
            items.append(item())
            closing = self._next()

        if closing != ">":
            raise ValueError(self._position)

        self._position += 1
        return items

    def _words(self) -> str:
        """The words up to a bracket, comma or colon, in lower case; blank for none.

        A comment among them, and what a struct says of nulls, are left out.
        """
        words = self._match(_WORDS)[0].lower().split()
        if self._next() in ("'", '"'):
            if words[-1:] != ["comment"]:
                raise ValueError(self._position)

            words.pop()
            self._match(_COMMENT)
            self._match(_SPACE)

        if words[-2:] == ["not", "null"]:
            del words[-2:]

        if self._is_iceberg and words[:1] in (["optional"], ["required"]):
            del words[0]

        return " ".join(words)

    def _next(self) -> str:
        """The character that comes now; empty at the end."""
        return self._text[self._position : self._position + 1]

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._position)
        if match is None:
            raise ValueError(self._position)

        self._position = match.end()
        return match
