"""Rows of parts that serve one run only, beside those of the extracts; never published."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from kada_athena_async.records import RECORD_TYPES, Record

IMMEDIATES, ACCESSED = "immediates", "tables_accessed"


class ImmediateRecord(NamedTuple):
    """The statement in the literal of an EXECUTE IMMEDIATE, masked.

    The literal as a whole is hidden in the extract, so that lineage has it from here.
    """

    query_id: str
    query: str


class AccessedRecord(NamedTuple):
    """``tables_accessed`` of an execution in Athena's system table."""

    query_id: str
    tables: tuple[tuple[str | None, ...], ...]


StagedRecord: TypeAlias = Record | ImmediateRecord | AccessedRecord

STAGED_TYPES: dict[str, type[StagedRecord]] = {
    **RECORD_TYPES,
    IMMEDIATES: ImmediateRecord,
    ACCESSED: AccessedRecord,
}
"""Kind of part -> type of its rows."""
