"""Sources and outputs within one query, traced to the columns of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kada_athena_async.sql.names import TableName

DIRECT = ("identity", "transformation", "aggregation")
"""Ways in which a value flows into a column, from the least to the most changed; OpenLineage's
ColumnLineageDatasetFacet, transformations of type DIRECT."""

INDIRECT = ("conditional", "window", "sort", "filter", "join", "group_by")
"""Ways in which a column bears upon others without flowing into them; type INDIRECT. The first
three are those of one output, the others those of all rows."""

MAX_COLUMNS = 10_000
"""Of one relation; more come of queries that multiply their own columns."""

MAX_SOURCES = 200_000
"""Sources traced in one statement at most; hostile statements multiply them."""


class Source(NamedTuple):
    """A column of a table that a value comes from.

    Attributes:
        how: One of ``DIRECT`` or ``INDIRECT``.
        is_sure: False if it may as well be a column of another table.
    """

    table: TableName
    column: str
    how: str = "identity"
    is_sure: bool = True


Sources = frozenset[Source]
NO_SOURCES: Sources = frozenset()


def through(sources: Sources, how: str) -> Sources:
    """*sources* of an expression as the sources of what uses it in the manner of *how*."""
    if how == "identity":
        return sources

    return frozenset(source._replace(how=_composed(how, source.how)) for source in sources)


def _composed(outer: str, inner: str) -> str:
    if outer in INDIRECT:
        return outer

    return inner if inner in INDIRECT else max(outer, inner, key=DIRECT.index)


class TooManySourcesError(Exception):
    """Raised where a statement has more sources than are traced."""


class Output(NamedTuple):
    """A column of a result, and the columns of tables that its values come from."""

    name: str
    sources: Sources


class KnownTable(NamedTuple):
    """A table as its catalog spells it, with its columns in order."""

    name: TableName
    columns: tuple[str, ...]


class Relation:
    """An item of FROM: a table, a subquery, a common table expression.

    Args:
        named: The columns that are known.
        is_whole: True if these are all.
        tables: Tables all of whose columns are among the others, whatever they are.
        rest: What every other column comes from, as that of an UNNEST; None if it is not known.
        is_blind: True if there are others still, of which nothing is known.
    """

    __slots__ = ("_by_name", "is_blind", "is_whole", "named", "rest", "tables")

    def __init__(
        self,
        named: tuple[Output, ...] = (),
        *,
        is_whole: bool = False,
        tables: tuple[TableName, ...] = (),
        rest: Sources | None = None,
        is_blind: bool = False,
    ) -> None:
        self.named = named
        self.is_whole = is_whole
        self.tables = tables
        self.rest = rest
        self.is_blind = is_blind
        self._by_name: dict[str, Sources] | None = None

    @property
    def outputs(self) -> tuple[Output, ...] | None:
        """All columns in order; None if they are not known."""
        return self.named if self.is_whole else None

    @property
    def by_name(self) -> dict[str, Sources]:
        """The sources of the known columns by their names in lower case."""
        if self._by_name is None:
            self._by_name = {}
            for name, sources in self.named:
                key = name.lower()
                before = self._by_name.get(key)
                self._by_name[key] = sources if before is None else before | sources

        return self._by_name

    def find(self, column: str) -> Sources | None:
        """The sources of a column by its name in lower case; None if they cannot be known."""
        found = self.by_name.get(column)
        if found is not None or self.is_whole:
            return found

        if self.rest is not None:
            return self.rest

        # Of one table alone, it can only be that table's.
        is_certain = len(self.tables) == 1 and not self.is_blind
        return frozenset((Source(self.tables[0], column),)) if is_certain else None

    def renamed(self, names: Iterable[str]) -> Relation:
        """With other names for its first columns."""
        given = list(names)
        if not self.is_whole:
            rest = self.rest
            if rest is None or self.named:
                return OPAQUE
            return Relation(tuple(Output(name, rest) for name in given), is_whole=True)

        kept = [output.name for output in self.named[len(given) :]]
        pairs = zip([*given, *kept], self.named, strict=False)
        return Relation(tuple(Output(n, output.sources) for n, output in pairs), is_whole=True)


def whole(outputs: Iterable[Output]) -> Relation:
    """A relation of which every column is known."""
    return Relation(tuple(outputs), is_whole=True)


def without(relation: Relation, names: Iterable[str]) -> Relation:
    """*relation* without the columns of these *names*."""
    left_out = {name.lower() for name in names}
    return Relation(
        tuple(output for output in relation.named if output.name.lower() not in left_out),
        is_whole=relation.is_whole,
        tables=relation.tables,
        rest=relation.rest,
        is_blind=relation.is_blind,
    )


def joined(relations: Iterable[Relation]) -> Relation:
    """All columns of *relations* side by side."""
    all_of = list(relations)
    named = tuple(output for relation in all_of for output in relation.named)
    return Relation(
        named[:MAX_COLUMNS],
        is_whole=all(relation.is_whole for relation in all_of) and len(named) <= MAX_COLUMNS,
        tables=tuple(table for relation in all_of for table in relation.tables),
        is_blind=len(named) > MAX_COLUMNS
        or any(relation.is_blind or relation.rest is not None for relation in all_of),
    )


OPAQUE = Relation(is_blind=True)


class Ledger:
    """Sources found in a query, and names that could not be resolved.

    Args:
        known: The tables whose columns are known, by their names in lower case.
    """

    def __init__(self, known: Mapping[TableName, KnownTable]) -> None:
        self._known = known
        self._tables: dict[TableName, Relation] = {}
        self._count = 0
        self.reads: dict[TableName, dict[str, None]] = {}
        self.unlisted: set[TableName] = set()
        """Tables of which all columns are read, whatever they are."""
        self.influences: dict[Source, None] = {}
        """Columns that bear upon all rows: by a filter, a join, a grouping or an order."""
        self.problems: dict[str, None] = {}

    def read(self, name: TableName) -> Relation:
        """Note that a table is read; return it as a relation."""
        lower = TableName(*(part.lower() for part in name))
        known = self._known.get(lower)
        table = known.name if known else name
        self.reads.setdefault(table, {})
        if table not in self._tables:  # hundreds of a UNION may read the same wide one
            self._tables[table] = (
                whole(Output(c, frozenset((Source(table, c),))) for c in known.columns)
                if known
                else Relation(tables=(table,))
            )
        return self._tables[table]

    def use(self, sources: Sources) -> None:
        """Note that columns are used."""
        for source in sorted(sources):
            self.reads.setdefault(source.table, {})[source.column] = None

    def count(self, sources: Sources) -> None:
        """Note what tracing has cost.

        Raises:
            TooManySourcesError: It is too much.
        """
        self._count += len(sources)
        if self._count > MAX_SOURCES:
            raise TooManySourcesError

    def union(self, sources: Iterable[Sources]) -> Sources:
        """All of *sources* together, counted."""
        together = NO_SOURCES.union(*sources)
        self.count(together)
        return together

    def influence(self, sources: Sources, how: str) -> None:
        """Note that columns bear upon all rows of the statement's result."""
        for source in sorted(through(sources, how)):
            self.influences[source] = None

    def use_all(self, relation: Relation) -> None:
        """Note that every column of a relation is used, as by ``SELECT *``."""
        for table in relation.tables:
            self.unlisted.add(table)
            self.problem("no_schema")
        for output in relation.named:
            self.use(output.sources)

    def problem(self, reason: str) -> None:
        self.problems[reason] = None
