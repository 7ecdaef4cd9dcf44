"""Columns of Python values, which a statement reads as a table of DuckDB's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_WIDTH_BYTES = 8
"""Of a value that is no text, roughly."""


@dataclass(frozen=True, slots=True)
class ColumnData:
    """Columns of equal length.

    Attributes:
        columns: Name -> DuckDB's type, such as ``BIGINT``, and the values.
    """

    columns: Mapping[str, tuple[str, Sequence[object]]]

    @property
    def size_bytes(self) -> int:
        """Size of the values, roughly as a columnar file without compression has it."""
        return sum(_size_bytes(value) for _, values in self.columns.values() for value in values)


def _size_bytes(value: object) -> int:
    if isinstance(value, str | bytes):
        return len(value) + _WIDTH_BYTES // 2

    return _WIDTH_BYTES
