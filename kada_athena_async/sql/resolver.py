"""Walks a parsed query and traces each output to the columns of tables, scope by scope."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping
from functools import partial

from sqlglot import exp

from kada_athena_async.sql.columns import (
    Columns,
    Frames,
    all_but,
    columns_of_using,
    json_columns,
)
from kada_athena_async.sql.expressions import changed_by, parts
from kada_athena_async.sql.frames import Frame
from kada_athena_async.sql.match_recognize import frame_after
from kada_athena_async.sql.names import Context, complete
from kada_athena_async.sql.parse_tree import (
    alias_columns,
    expressions_of,
    identifiers,
    is_star,
    items_of_row,
    named_items,
    names_table,
    table_arguments,
)
from kada_athena_async.sql.relations import (
    DIRECT,
    NO_SOURCES,
    OPAQUE,
    Ledger,
    Output,
    Relation,
    Sources,
    joined,
    through,
    whole,
)
from kada_athena_async.sql.set_operations import output_of, outputs_that_sort, united

_DESCRIBES_THE_REST = "information_schema"  # no data of anyone's, and never in an extract

MAX_ROUNDS = 12
"""Of a recursive query; some are written to multiply their own columns."""

Ctes = ChainMap[str, Relation]
NO_ALIASES: Mapping[str, Sources] = {}

_KINDS_OF_JOIN = ("kind", "side", "method", "on", "using")

# How the columns of a clause bear upon the rows of the result.
_CLAUSES = {
    "where": "filter",
    "group": "group_by",
    "having": "filter",
    "order": "sort",
    **dict.fromkeys(("sort", "distribute", "cluster"), "sort"),
    "qualify": "filter",
    "distinct": "group_by",
}


class Resolver:
    """Resolves one statement; what it reads is in *ledger* afterwards."""

    def __init__(self, context: Context, ledger: Ledger) -> None:
        self._context = context
        self.ledger = ledger
        self._columns = Columns(ledger)

    def query(self, node: exp.Expr, ctes: Ctes, outer: Frames = ()) -> Relation:
        """The result of a query; *outer* are the frames around it, innermost last."""
        ctes = self.with_ctes(node, ctes, outer)
        if isinstance(node, exp.Subquery):
            return self.query(node.this, ctes, outer)

        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, ctes, outer)

        if isinstance(node, exp.Select):
            return self._select(node, ctes, outer)

        if isinstance(node, exp.Values):
            return self._values(node, Frame(), ctes, outer)

        if isinstance(node, exp.Table):
            return self._table(node, ctes, outer)

        self.ledger.problem(f"unknown_{type(node).__name__.lower()}")
        return OPAQUE

    def with_ctes(self, node: exp.Expr, ctes: Ctes, outer: Frames) -> Ctes:
        """The common table expressions that *node* sees: its own before *ctes*."""
        with_ = node.args.get("with_")
        if with_ is None:
            return ctes

        visible = ctes.new_child()
        for cte in with_.expressions:
            name, columns = cte.alias.lower(), alias_columns(cte)
            recursive = name if with_.args.get("recursive") else ""
            body = cte.this
            if isinstance(body, exp.SetOperation):
                inner = self.with_ctes(body, visible, outer)
                relation = self._set_operation(body, inner, outer, recursive, columns)
            else:
                relation = self.query(body, visible, outer)
            visible[name] = relation.renamed(columns) if columns else relation

        return visible

    def _set_operation(
        self,
        node: exp.SetOperation,
        ctes: Ctes,
        outer: Frames,
        recursive: str = "",
        columns: Iterable[str] = (),
    ) -> Relation:
        """The result of UNION and such.

        Args:
            recursive: The name under which the later branches see the first, with *columns* as
                the names of its columns; empty if they do not.
        """
        branches: list[exp.SetOperation] = []
        left: exp.Expr = node
        # From the last to the first without recursion: hundreds may follow each other.
        while isinstance(left, exp.SetOperation):
            branches.append(left)
            left = left.this
        first = self.query(left, ctes, outer)

        def result(visible: Ctes) -> Relation:
            query = partial(self.query, ctes=visible, outer=outer)
            return united(first, branches, query, self.ledger)

        if not recursive:
            relation = result(ctes)
            if order := node.args.get("order"):
                self.ledger.influence(outputs_that_sort(order, relation), "sort")
            return relation

        names = list(columns)
        relation = known = first
        for _ in range(MAX_ROUNDS):
            seen = ctes.new_child({recursive: known.renamed(names) if names else known})
            relation = result(seen)
            # A value moves on by one column a round.
            if relation.named == known.named or not names_table(node, recursive):
                return relation
            known = relation

        return relation

    def _values(self, node: exp.Values, frame: Frame, ctes: Ctes, outer: Frames) -> Relation:
        columns: list[list[Sources]] = []
        for row in node.expressions:
            for index, item in enumerate(items_of_row(row)):
                if index == len(columns):
                    columns.append([])
                columns[index].append(self.sources(item, frame, ctes, outer))

        return whole(
            Output(f"_col{i}", self.ledger.union(found)) for i, found in enumerate(columns)
        )

    def _select(self, node: exp.Select, ctes: Ctes, outer: Frames) -> Relation:
        frame = Frame()
        if from_ := node.args.get("from_"):
            self.source(from_.this, frame, ctes, outer)
        if node.args.get("match"):
            trace = partial(self.sources, ctes=ctes, outer=outer)
            frame = frame_after(node, frame, trace, self.ledger)
        self._joins(node, frame, ctes, outer)
        result = self._outputs(node, frame, ctes, outer)
        aliases = {
            name: result.by_name.get(name, NO_SOURCES)
            for name in (e.alias.lower() for e in node.expressions if isinstance(e, exp.Alias))
        }
        no_columns = {name: found for name, found in aliases.items() if not frame.hits(name)}
        for clause, how in _CLAUSES.items():
            named_first = aliases if clause == "order" else no_columns
            for part in expressions_of(node.args.get(clause)):
                items = part.iter_expressions() if clause in ("group", "order") else (part,)
                for item in items:
                    # ORDER BY reads a name as an output's first, GROUP BY as a column's.
                    is_column = clause == "group" and frame.hits(item.name.lower())
                    named = None if is_column else output_of(item, result)
                    if clause not in ("group", "order") or named is None:
                        named = self.sources(item, frame, ctes, outer, named_first)
                    self.ledger.influence(named, how)

        return result

    def _joins(
        self, node: exp.Expr, frame: Frame, ctes: Ctes, outer: Frames, begin: int = 0
    ) -> None:
        """Add what is joined to the relations of *frame* from the place *begin* on."""
        for join in node.args.get("joins") or ():
            right = len(frame.relations)
            if not any(join.args.get(key) for key in _KINDS_OF_JOIN):  # a comma
                begin = right
            self.source(join.this, frame, ctes, outer)
            if on := join.args.get("on"):
                self.ledger.influence(self.sources(on, frame, ctes, outer), "join")
            for column in columns_of_using(join, frame, begin, right, self.ledger):
                merged = frame.merge(column, begin, right)
                self.ledger.use(merged)
                self.ledger.influence(merged, "join")
            if join.args.get("kind") in ("SEMI", "ANTI"):
                frame.hide(right)

        for lateral in node.args.get("laterals") or ():
            self.source(lateral, frame, ctes, outer)

    def _outputs(self, node: exp.Select, frame: Frame, ctes: Ctes, outer: Frames) -> Relation:
        pieces: list[Relation] = []
        width = 0
        for item in node.expressions:
            found = self._star(item, frame, ctes, outer) if is_star(item) else None
            if found is None:
                found = whole(
                    Output(name or f"_col{width}", self.sources(value, frame, ctes, outer))
                    for name, value in named_items(item)
                )
            pieces.append(found)
            width += len(found.named)

        return joined(pieces)

    def _star(self, item: exp.Expr, frame: Frame, ctes: Ctes, outer: Frames) -> Relation | None:
        """Columns that ``*`` or ``t.*`` stands for; None if *item* is neither."""
        if isinstance(item, exp.Aliases):  # row.* AS (x, y)
            star = self._star(item.this, frame, ctes, outer)
            return star and star.renamed(alias.name for alias in item.expressions)

        if isinstance(item, exp.Star):
            for relation in frame.relations.values():
                self.ledger.use_all(relation)
            return all_but(frame.star(), item, self.ledger)

        if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            names = [part.name.lower() for part in item.parts[:-1]]
            found = frame.of_name([*names, "*"])
            if found is not None and found[1] == len(names):
                self.ledger.use_all(found[0])
                return all_but(found[0], item.this, self.ledger)

            row = exp.column(item.table, *[part.name for part in item.parts[1:-1]])
            return self._fields(row, frame, ctes, outer)

        if isinstance(item, exp.Dot) and isinstance(item.expression, exp.Star):
            return self._fields(item.this, frame, ctes, outer)

        return None

    def _fields(self, row: exp.Expr, frame: Frame, ctes: Ctes, outer: Frames) -> Relation:
        """All fields of a value of type ROW: how many there are, nobody says."""
        return Relation(rest=through(self.sources(row, frame, ctes, outer), "transformation"))

    def source(self, node: exp.Expr, frame: Frame, ctes: Ctes, outer: Frames) -> None:
        """Add what stands in FROM or JOIN to *frame*."""
        begin = len(frame.relations)
        alias, columns = node.alias, alias_columns(node)
        if isinstance(node, exp.Subquery) and isinstance(node.this, (exp.Table, exp.Subquery)):
            self.source(node.this, frame, ctes, outer)  # parentheses around a join
        else:
            relation = self._relation(node, frame, ctes, outer)
            if node.args.get("pivots"):  # Spark's: other columns than those that it has
                self.ledger.problem("pivot")
                self.ledger.use_all(relation)
                relation = OPAQUE
            renamed = relation.renamed(columns) if columns else relation
            name: list[str] = []
            if isinstance(node, exp.Table) and not alias:
                name = [part.name.lower() for part in identifiers(node)]
            frame.add(alias or node.name, renamed, name)

        self._joins(node, frame, ctes, outer, begin)

    def _relation(self, node: exp.Expr, frame: Frame, ctes: Ctes, outer: Frames) -> Relation:
        if isinstance(node, exp.Table) and isinstance(node.this, exp.JSONTable):
            return json_columns(node.this, self.sources(node.this.this, frame, ctes, outer))

        if isinstance(node, exp.Table):
            return self._table(node, ctes, outer)

        if isinstance(node, exp.Unnest):
            return self._unnest(node, frame, ctes, outer)

        if isinstance(node, exp.Values):
            return self._values(node, frame, ctes, outer)

        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Query):
            return self.query(node.this, ctes, (*outer, frame))

        if isinstance(node, exp.Query):
            return self.query(node, ctes, outer)

        found = [self.sources(part, frame, ctes, outer) for part in node.iter_expressions()]
        if isinstance(node, exp.Lateral):  # LATERAL VIEW explode(...): all comes of its arguments
            return Relation(rest=through(self.ledger.union(found), "transformation"))

        self.ledger.problem("table_function")
        return OPAQUE

    def _table(self, node: exp.Table, ctes: Ctes, outer: Frames) -> Relation:
        if not isinstance(node.this, exp.Identifier):
            self.ledger.problem("table_function")
            for argument in table_arguments(node):
                if isinstance(argument, exp.Column):
                    self.ledger.use_all(self._named(identifiers(argument), ctes))
                elif isinstance(argument, exp.Query):
                    self.query(argument, ctes, outer)
            return OPAQUE

        # Trino reads names without quotes in lower case. A qualified name is never a CTE.
        return self._named(identifiers(node), ctes)

    def _named(self, name_parts: Iterable[exp.Identifier], ctes: Ctes) -> Relation:
        names = tuple(part.name if part.quoted else part.name.lower() for part in name_parts)
        if len(names) == 1 and names[0].lower() in ctes:
            return ctes[names[0].lower()]

        name = complete(names, self._context)
        if name is None:
            self.ledger.problem("unknown_name")
            return OPAQUE

        if name.schema.lower() == _DESCRIBES_THE_REST:
            return OPAQUE

        relation = self.ledger.read(name)
        if name.table.lower() != names[-1].lower():
            return OPAQUE  # a metadata table: its columns are not those of its table

        return relation

    def _unnest(self, node: exp.Unnest, frame: Frame, ctes: Ctes, outer: Frames) -> Relation:
        arguments = [self.sources(e, frame, ctes, outer) for e in node.expressions]
        arguments = [through(argument, "transformation") for argument in arguments]
        names = alias_columns(node)
        together = self.ledger.union(arguments)
        if not names:
            return Relation(rest=together)

        # An array gives one column; a map gives two and an array of rows more, and then each may
        # come from any of the arguments.
        if len(arguments) > 1:
            together = frozenset(source._replace(is_sure=False) for source in together)
        traced = arguments if len(names) == len(arguments) else [together] * len(names)
        outputs = [Output(name, sources) for name, sources in zip(names, traced, strict=True)]
        if offset := node.args.get("offset"):
            outputs.append(Output(offset.name if offset is not True else "", NO_SOURCES))

        return whole(outputs)

    def sources(
        self,
        node: exp.Expr,
        frame: Frame,
        ctes: Ctes,
        outer: Frames = (),
        aliases: Mapping[str, Sources] = NO_ALIASES,
    ) -> Sources:
        """The columns that the values of an expression come from, and how.

        Args:
            aliases: Outputs that names may stand for, before any column.
        """
        found: set[Sources] = set()
        stack = [(node, "identity")]
        while stack:
            part, how = stack.pop()
            if isinstance(part, exp.Column):
                if not isinstance(part.this, exp.Star):
                    of_column = self._columns.find(part, (*outer, frame), aliases)
                    found.add(through(of_column, how))
            elif isinstance(part, exp.Query):
                relation = self.query(part, ctes, (*outer, frame))
                is_test = isinstance(part.parent, (exp.Exists, exp.In))
                for output in () if is_test and how in DIRECT else relation.named:
                    found.add(through(output.sources, how))
                if is_test and not isinstance(part.parent, exp.Exists):
                    for output in relation.named:
                        self.ledger.influence(output.sources, "filter")
            elif isinstance(part, exp.Dot):
                stack += ((child, changed_by(part, how)) for child in part.iter_expressions())
            else:
                stack += parts(part, how)

        return self.ledger.union(found)
