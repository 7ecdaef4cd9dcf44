"""Completeness of one schema: counts, missing parts, remarks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from kada_athena_async.scopes import ScopeFacts

REASON_CHARS = 300
"""Characters of one reason at most."""

NAMED_MAX = 5
"""Tables, members and reasons that are named; of the others the manifest has the number."""


@dataclass(slots=True)
class SchemaTally:
    """Counts of one schema.

    Attributes:
        unreadable_tables: Tables that SQL cannot read.
    """

    counts: Counter[str] = field(default_factory=Counter)
    unreadable_tables: list[str] = field(default_factory=list)
    is_partial: bool = False
    _notes: list[str] = field(default_factory=list)
    _unreadable: list[str] = field(default_factory=list)

    def note(self, reason: str) -> None:
        """Note what to know of a schema that may be complete all the same."""
        self._notes.append(reason[:REASON_CHARS])

    def miss(self, reason: str) -> None:
        """Note what is missing, and that something is."""
        self.note(reason)
        self.is_partial = True

    def miss_part(self, path: str) -> None:
        """Note a part of an answer that could not be read."""
        self._unreadable.append(path[:REASON_CHARS])
        self.is_partial = True

    def scope(self, name: tuple[str, str], *, sql_refusal: str) -> ScopeFacts:
        """The completeness record of the schema *name* (catalog and schema).

        Args:
            sql_refusal: Why SQL was not asked; empty if it was, or was not meant to be.
        """
        reasons = []
        if self.unreadable_tables:
            reasons.append(f"SQL cannot read {_named(self.unreadable_tables, ', ', ' and ')}")

        if self._unreadable:
            reasons.append(f"unreadable: {_named(self._unreadable, '; ', '; and ')}")

        reasons += self._notes[:NAMED_MAX]
        if more := len(self._notes[NAMED_MAX:]):
            reasons.append(f"and {more} more")

        if sql_refusal:
            reasons.append(f"without SQL: {sql_refusal}")

        return ScopeFacts(
            scope="schema",
            name=name,
            outcome="partial" if self.is_partial else "complete",
            counts=dict(self.counts),
            reason="; ".join(reasons),
        )


def _named(names: Sequence[str], between: str, last: str) -> str:
    more = len(names) - NAMED_MAX
    return between.join(names[:NAMED_MAX]) + (f"{last}{more} more" if more > 0 else "")
