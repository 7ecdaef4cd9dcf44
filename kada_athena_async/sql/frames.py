"""Relations of one FROM clause: what a name or a star stands for among them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from kada_athena_async.sql.relations import (
    MAX_COLUMNS,
    NO_SOURCES,
    OPAQUE,
    Output,
    Relation,
    Sources,
    joined,
)

_FEW = 8
"""So many relations are asked one by one: an index of wide ones takes longer than the question."""


class _Merged(NamedTuple):
    """A column that USING made one of two.

    Attributes:
        begin, right, end: Places of the join's first relation, of its right side, and of what
            follows it.
        left: What comes of the left side.
    """

    column: str
    begin: int
    right: int
    end: int
    sources: Sources
    left: Sources


class Frame:
    """The relations of one FROM clause, by alias in lower case."""

    def __init__(self) -> None:
        self.relations: dict[str, Relation] = {}
        self.partial: list[Relation] = []
        """Those whose columns are not all known."""
        self._merged: dict[str, list[_Merged]] = {}
        self._hidden: set[int] = set()
        self._twins: dict[str, list[Relation]] = {}
        self._qualified: dict[tuple[str, ...], Relation] = {}
        self._partial_at: list[int] = []
        self._named: list[tuple[int, Relation]] = []
        self._indexed = 0
        self._by_column: dict[str, list[tuple[int, Sources]]] = {}

    def add(self, alias: str, relation: Relation, name: Sequence[str] = ()) -> None:
        """Add a relation.

        Args:
            name: The qualified name of a table without an alias, in lower case: of ``a.t`` and
                ``b.t`` each has its own columns.
        """
        place = len(self.relations)
        key = alias.lower()
        for width in range(2, len(name) + 1):
            self._qualified.setdefault(tuple(name[-width:]), relation)
        if key in self.relations or not key:
            self._twins.setdefault(key, [self.relations.get(key, OPAQUE)]).append(relation)
            key = f"{key}\x00{place}"
        self.relations[key] = relation
        if not relation.is_whole:
            self.partial.append(relation)
            self._partial_at.append(place)
        if relation.named:
            self._named.append((place, relation))

    def _having(self, column: str) -> list[tuple[int, Sources]]:
        """The places of the relations that are known to have *column*, with its sources there."""
        if len(self._named) <= _FEW:
            found = [(at, one.by_name[column]) for at, one in self._named if column in one.by_name]
        else:
            for place, relation in self._named[self._indexed :]:
                for name, sources in relation.by_name.items():
                    self._by_column.setdefault(name, []).append((place, sources))
            self._indexed = len(self._named)
            found = self._by_column.get(column, [])

        return [each for each in found if each[0] not in self._hidden] if self._hidden else found

    def of_name(self, names: Sequence[str]) -> tuple[Relation, int] | None:
        """The relation that the first of *names* name, and their number; None if they name none.

        Args:
            names: Of a column with its fields, or of a star, in lower case.
        """
        for width in (3, 2):
            found = self._qualified.get(tuple(names[:width]))
            if found is not None and len(names) > width:
                return found, width

        # The alias may itself be qualified: schema.table.column.
        for index, name in enumerate(names[:-1]):
            found = self.relations.get(name)
            if found is not None and (index == 0 or self._may_be(names[index - 1], name)):
                twins = self._twins.get(name) if name else None
                return _one_of(twins, names[index + 1]) if twins else found, index + 1

        return None

    def _may_be(self, schema: str, table: str) -> bool:
        """False if the tables of this name are said to lie in other schemas."""
        schemas = [key[0] for key in self._qualified if len(key) == 2 and key[1] == table]
        return not schemas or schema in schemas

    def hide(self, place: int) -> None:
        """Leave the relation at *place* to those that name it: a SEMI or ANTI JOIN only looks."""
        self._hidden.add(place)
        for name, merged in self._merged.items():
            self._merged[name] = [
                each._replace(sources=each.left) if each.right == place else each for each in merged
            ]

    def common(self, begin: int, right: int) -> list[str]:
        """The columns that relations at *begin* to before *right*, and after, both have."""
        shown = [each for each in self._named if each[0] not in self._hidden]
        later = {name for place, one in shown if place >= right for name in one.by_name}
        before = (one.by_name for place, one in shown if begin <= place < right)
        return [name for name in dict.fromkeys(chain.from_iterable(before)) if name in later]

    def hits(self, column: str) -> list[Sources]:
        """The sources of *column* in each relation that is known to have it."""
        merged = self._merged.get(column)
        if merged is not None:
            return [one.sources for one in merged]

        return [sources for _, sources in self._having(column)]

    def merge(self, column: str, begin: int, right: int) -> Sources:
        """Make one column of those of the relations at *begin* to before *right*, and after."""
        merged = self._merged.pop(column, [])
        inside = [one for one in merged if one.begin >= begin]
        sides: list[Sources] = []
        for first, end in ((begin, right), (right, len(self.relations))):
            found = [one.sources for one in inside if first <= one.begin < end]
            if not found:
                known = self._having(column)
                found = [sources for place, sources in known if first <= place < end]
            partial_at = slice(
                bisect_left(self._partial_at, first), bisect_left(self._partial_at, end)
            )
            unknown = self.partial[partial_at]
            if not found and len(unknown) == 1:  # it can only be of the one
                found.append(unknown[0].find(column) or NO_SOURCES)
            sides.append(NO_SOURCES.union(*found))

        together = NO_SOURCES.union(*sides)
        one = _Merged(column, begin, right, len(self.relations), together, sides[0])
        self._merged[column] = [*(each for each in merged if each not in inside), one]
        return together

    def star(self) -> Relation:
        """All columns: those that USING merged before the others of its join."""
        places = enumerate(self.relations.values())
        shown = [(place, each) for place, each in places if place not in self._hidden]
        together = joined(relation for _, relation in shown)
        if not self._merged:
            return together

        merges = [one for found in self._merged.values() for one in found]
        merges.sort(key=lambda one: (one.begin, -one.right))
        outputs: list[Output] = []
        for place, relation in shown:
            while merges and merges[0].begin <= place:
                outputs.append(Output(merges[0].column, merges.pop(0).sources))
            outputs += (
                output
                for output in relation.named
                if not any(
                    one.begin <= place < one.end
                    for one in self._merged.get(output.name.lower(), ())
                )
            )

        return Relation(
            tuple(outputs[:MAX_COLUMNS]),
            is_whole=together.is_whole,
            tables=together.tables,
            is_blind=together.is_blind,
        )


def _one_of(twins: Sequence[Relation], column: str) -> Relation:
    """The relation of several of one name that has *column*, or all of them for a star."""
    if column == "*":
        return joined(twins)

    having = [relation for relation in twins if column in relation.by_name]
    if len(having) == 1:
        return having[0]

    found = NO_SOURCES.union(*(relation.find(column) or NO_SOURCES for relation in twins))
    return Relation(rest=frozenset(source._replace(is_sure=False) for source in found))
