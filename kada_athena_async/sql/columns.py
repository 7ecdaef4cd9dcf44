"""Finds what a column of an expression is: of which relation, and where that has it from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp

from kada_athena_async.sql.frames import Frame
from kada_athena_async.sql.parse_tree import identifiers
from kada_athena_async.sql.relations import (
    NO_SOURCES,
    OPAQUE,
    Ledger,
    Output,
    Relation,
    Sources,
    through,
    whole,
    without,
)

Frames = tuple[Frame, ...]


class Columns:
    """Resolves the columns of one statement."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, node: exp.Column, frames: Frames, aliases: Mapping[str, Sources]) -> Sources:
        """The sources of a column in the innermost of *frames* that has it.

        Args:
            aliases: Outputs that names may stand for, before any column.
        """
        names = [part.name.lower() for part in identifiers(node)]
        for frame in reversed(frames):
            if (found := frame.of_name(names)) is not None:
                relation, width = found
                sources = self._of_relation(relation, names[width])
                return _field(sources, len(names) > width + 1)

        if len(names) == 1 and names[0] in aliases:
            return aliases[names[0]]

        sources = self._unqualified(names[0], frames)  # and fields of it, if names follow
        self._ledger.use(sources)
        return _field(sources, len(names) > 1)

    def _of_relation(self, relation: Relation, column: str) -> Sources:
        sources = relation.find(column)
        if sources is None:
            # Hidden columns, such as "$path", are in no list of columns.
            if not column.startswith("$"):
                self._ledger.problem("unknown_column" if relation.is_whole else "no_schema")
            return NO_SOURCES

        self._ledger.use(sources)
        return sources

    def _unqualified(self, column: str, frames: Iterable[Frame]) -> Sources:
        """A column without an alias: of the innermost frame that has it."""
        innermost_first = list(frames)[::-1]
        for index, frame in enumerate(innermost_first):
            if hits := frame.hits(column):
                if len(hits) == 1:
                    return hits[0]
                self._ledger.problem("ambiguous_column")
                return frozenset(s._replace(is_sure=False) for s in NO_SOURCES.union(*hits))

            named = frame.relations.get(column)
            if named is not None and named.rest is not None:
                return named.rest  # UNNEST(items) AS item: the item itself

            unknown = frame.partial
            if not unknown:
                continue
            is_elsewhere = any(other.hits(column) for other in innermost_first[index + 1 :])
            if len(unknown) > 1 or is_elsewhere:
                self._ledger.problem("ambiguous_column")
                return NO_SOURCES

            found = unknown[0].find(column)
            if found is None:
                self._ledger.problem("no_schema")
            return found or NO_SOURCES

        if not column.startswith("$"):
            self._ledger.problem("unknown_column")
        return NO_SOURCES


def _field(sources: Sources, is_field: bool) -> Sources:
    return through(sources, "transformation") if is_field else sources


def columns_of_using(
    join: exp.Join, frame: Frame, begin: int, right: int, ledger: Ledger
) -> list[str]:
    """The columns of USING, or those that NATURAL takes: Spark's, in views."""
    if join.args.get("method") != "NATURAL":
        return [column.name.lower() for column in join.args.get("using") or ()]

    if frame.partial:
        ledger.problem("natural_join")
    return frame.common(begin, right)


def json_columns(table: exp.JSONTable, of_text: Sources) -> Relation:
    """The columns that JSON_TABLE makes of a text; those of a nested path too."""
    cut_out = through(of_text, "transformation")
    return whole(
        Output(column.name, NO_SOURCES if column.args.get("ordinality") else cut_out)
        for column in table.find_all(exp.JSONColumnDef, bfs=False)
        if column.name
    )


def all_but(relation: Relation, star: exp.Expr, ledger: Ledger) -> Relation:
    """The columns that ``* EXCEPT (a)`` leaves; not Trino's, but of views that others made."""
    left_out = star.args.get("except_") or ()
    if star.args.get("replace") or star.args.get("rename"):
        ledger.problem("unknown_star")
        return OPAQUE

    return without(relation, [column.name for column in left_out]) if left_out else relation
