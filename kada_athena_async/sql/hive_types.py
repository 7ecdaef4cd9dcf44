"""Says a Hive column type the way Trino's ``information_schema`` says it.

sqlglot converts the common cases, but loses the parameters that Trino prints (``timestamp(3)``,
``decimal(10,0)``) and takes a struct with a blank in a field name for an empty row; names of
fields are data, so the few rules stand here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

# Trino, Hive connector, "Type mapping"; Athena User Guide, "Data types in Amazon Athena".
_NAMES = {
    "string": "varchar",
    "int": "integer",
    "float": "real",
    "binary": "varbinary",
    "numeric": "decimal",
    "dec": "decimal",
    "double precision": "double",
    "void": "unknown",
}
_DECIMAL = re.compile(r"\s*([0-9]{1,2})\s*(?:,\s*([0-9]{1,2})\s*)?")
_DEFAULT_PRECISION = "10"  # Hive's decimal without parameters is decimal(10,0)
_NAME = re.compile(r"[^<>(),:`]*")
_FIELD = re.compile(r"\s*(?:`((?:[^`]|``)*)`\s*|([^<>,:`]*)):")
_PLAIN_FIELD = re.compile(r"[a-z_][a-z0-9_]*")
_MAX_DEPTH = 100
_CACHED_TYPES = 8_192


@lru_cache(maxsize=_CACHED_TYPES)
def trino_type(hive_type: str, *, timestamp_precision: int = 3) -> str:
    """Return Trino's spelling of *hive_type*; what is no Hive type comes back in lower case.

    Args:
        timestamp_precision: 3 for tables of the Hive connector, 6 for Iceberg's.
    """
    try:
        return _Parser(hive_type.strip(), timestamp_precision).parse()
    except ValueError:
        return hive_type.strip().lower()


class _Parser:
    """Reads one type from left to right.

    Methods raise ValueError where the text is not Hive's spelling.
    """

    def __init__(self, text: str, timestamp_precision: int) -> None:
        self._text = text
        self._position = 0
        self._timestamp = f"timestamp({timestamp_precision})"

    def parse(self) -> str:
        name = self._type(0)
        if self._position != len(self._text):
            raise ValueError(self._position)

        return name

    def _type(self, depth: int) -> str:
        if depth > _MAX_DEPTH:
            raise ValueError(depth)

        name = self._take(_NAME).strip().lower()
        following = self._text[self._position : self._position + 1]
        if following == "<":
            return self._nested(name, depth + 1)

        parameters = self._parameters() if following == "(" else None
        return self._simple(name, parameters)

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
        match = self._match(_FIELD)
        quoted, bare = match.groups()
        # Trino's Hive connector reads the names of fields in lower case.
        name = (bare.strip() if quoted is None else quoted.replace("``", "`")).lower()
        if not _PLAIN_FIELD.fullmatch(name):
            name = '"' + name.replace('"', '""') + '"'

        return f"{name} {self._type(depth)}"

    def _simple(self, name: str, parameters: str | None) -> str:
        name = _NAMES.get(name, name)
        if name == "decimal":
            numbers = _DECIMAL.fullmatch(parameters or _DEFAULT_PRECISION)
            if numbers is None:
                raise ValueError(parameters)

            return f"decimal({numbers[1]},{numbers[2] or 0})"

        if parameters is not None:
            return f"{name}({parameters.strip()})" + self._take(_NAME).rstrip().lower()

        if name == "timestamp":
            return self._timestamp

        if name == "timestamp with local time zone":
            return f"{self._timestamp} with time zone"

        if not name:
            raise ValueError(self._position)

        return name

    def _parameters(self) -> str:
        end = self._text.find(")", self._position)
        inner = self._text[self._position + 1 : end]
        if end < 0 or not inner.replace(",", "").replace(" ", "").isdecimal():
            raise ValueError(self._position)  # such as Trino's own array(varchar)

        self._position = end + 1
        return inner

    def _list(self, item: Callable[[], str]) -> list[str]:
        """The items between the bracket that opens here and the one that closes it."""
        items: list[str] = []
        closing = ","
        while closing == ",":
            self._position += 1
            items.append(item())
            closing = self._text[self._position : self._position + 1]

        if closing != ">":
            raise ValueError(self._position)

        self._position += 1
        return items

    def _take(self, pattern: re.Pattern[str]) -> str:
        return self._match(pattern).group()

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._position)
        if match is None:
            raise ValueError(self._position)

        self._position = match.end()
        return match
