"""Columns by the thousand, without a tuple for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kada_athena_async.records import ColumnRecord
from kada_athena_async.staged_records import StagedRecord


@dataclass(frozen=True, slots=True)
class ColumnBlock:
    """The rows of many ``ColumnRecord``s, held field by field.

    Columns are the bulk of an estate: a tuple for each would cost more than all else.

    Attributes:
        fields: One list for each field of ``ColumnRecord``, in its order, all of one length.
    """

    fields: tuple[list[Any], ...] = field(
        default_factory=lambda: tuple([] for _ in ColumnRecord._fields)
    )

    def __len__(self) -> int:
        return len(self.fields[0])

    def extend(self, **fields: Sequence[Any]) -> None:
        """Append rows, given as one sequence for each field of ``ColumnRecord``, all of one length.

        Raises:
            KeyError: A field is missing.
        """
        for name, held in zip(ColumnRecord._fields, self.fields, strict=True):
            held += fields[name]

    def records(self) -> list[ColumnRecord]:
        """The rows as records, for a reader who wants them one by one."""
        return list(map(ColumnRecord._make, zip(*self.fields, strict=True)))


Rows: TypeAlias = "Sequence[StagedRecord] | ColumnBlock"
"""Rows of one kind, as a part takes them."""
