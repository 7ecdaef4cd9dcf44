"""Who reads what from whom within one query: outputs traced to the columns of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kada_athena_async.sql.names import TableName


class ColumnName(NamedTuple):
    """A column of a table."""

    table: TableName
    column: str


Sources = frozenset[ColumnName]
NO_SOURCES: Sources = frozenset()


class Output(NamedTuple):
    """A column of a result, and the columns of tables that its values come from."""

    name: str
    sources: Sources


class KnownTable(NamedTuple):
    """A table as its catalog spells it, with its columns in order."""

    name: TableName
    columns: tuple[str, ...]


class Relation(NamedTuple):
    """What stands in FROM: a table, a subquery, a common table expression.

    Attributes:
        outputs: Its columns; None where they are not known.
        table: The table, if it is one.
    """

    outputs: tuple[Output, ...] | None
    table: TableName | None = None

    def find(self, column: str) -> Sources | None:
        """The sources of a column by its name in lower case; None if there is none."""
        if self.outputs is None:
            return frozenset((ColumnName(self.table, column),)) if self.table else None

        found = [output.sources for output in self.outputs if output.name.lower() == column]
        return frozenset().union(*found) if found else None

    def renamed(self, names: Iterable[str]) -> Relation:
        """With other names for its first columns."""
        if self.outputs is None:
            return Relation(None)

        given = list(names)
        kept = [output.name for output in self.outputs[len(given) :]]
        pairs = zip([*given, *kept], self.outputs, strict=False)
        return Relation(tuple(Output(name, output.sources) for name, output in pairs))


OPAQUE = Relation(None)


class Frame:
    """The relations of one FROM clause, by alias in lower case."""

    def __init__(self) -> None:
        self.relations: dict[str, Relation] = {}
        self.merged: list[str] = []
        """Columns that USING made one of two."""

    def add(self, alias: str, relation: Relation) -> None:
        key = alias.lower()
        while key in self.relations:  # only without an alias; it cannot be named then
            key += "\x00"
        self.relations[key] = relation

    def star(self) -> tuple[Output, ...] | None:
        """All columns, those that USING merged first; None if some relation is not known."""
        outputs: list[Output] = []
        for relation in self.relations.values():
            if relation.outputs is None:
                return None
            outputs += relation.outputs

        merged = [self._merge(name, outputs) for name in self.merged]
        rest = [output for output in outputs if output.name.lower() not in self.merged]
        return tuple([*merged, *rest])

    @staticmethod
    def _merge(name: str, outputs: list[Output]) -> Output:
        same = [output for output in outputs if output.name.lower() == name]
        return Output(name, frozenset().union(*(output.sources for output in same)))


class Ledger:
    """What a query was found to read, and what could not be found out.

    Args:
        known: The tables whose columns are known, by their names in lower case.
    """

    def __init__(self, known: Mapping[TableName, KnownTable]) -> None:
        self._known = known
        self.reads: dict[TableName, dict[str, None]] = {}
        self.unlisted: set[TableName] = set()
        """Tables of which all columns are read, whatever they are."""
        self.problems: dict[str, None] = {}

    def read(self, name: TableName) -> Relation:
        """Note that a table is read; return it as a relation."""
        lower = TableName(*(part.lower() for part in name))
        known = self._known.get(lower)
        table = known.name if known else name
        self.reads.setdefault(table, {})
        if known is None:
            return Relation(None, table)

        outputs = (Output(c, frozenset((ColumnName(table, c),))) for c in known.columns)
        return Relation(tuple(outputs), table)

    def use(self, sources: Sources) -> None:
        """Note that columns are used."""
        for table, column in sorted(sources):
            self.reads.setdefault(table, {})[column] = None

    def use_all(self, relation: Relation) -> None:
        """Note that every column of a relation is used, as by ``SELECT *``."""
        if relation.table is None:
            return

        if relation.outputs is None:
            self.unlisted.add(relation.table)
            self.problem("no_schema")
        else:
            for output in relation.outputs:
                self.use(output.sources)

    def problem(self, reason: str) -> None:
        self.problems[reason] = None
