"""Walks a parsed query and traces each output to the columns of tables, scope by scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp

from kada_athena_async.sql.names import Context, complete
from kada_athena_async.sql.relations import (
    NO_SOURCES,
    OPAQUE,
    Frame,
    Ledger,
    Output,
    Relation,
    Sources,
)

_DESCRIBES_THE_REST = "information_schema"  # no data of anyone's, and never in an extract

Ctes = Mapping[str, Relation]
Frames = tuple[Frame, ...]


class Resolver:
    """Resolves one statement; what it reads is in *ledger* afterwards."""

    def __init__(self, context: Context, ledger: Ledger) -> None:
        self._context = context
        self._ledger = ledger

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

        self._ledger.problem(f"unknown_{type(node).__name__.lower()}")
        return OPAQUE

    def with_ctes(self, node: exp.Expr, ctes: Ctes, outer: Frames) -> Ctes:
        with_ = node.args.get("with_")
        if with_ is None:
            return ctes

        visible = dict(ctes)
        for cte in with_.expressions:
            name, columns = cte.alias.lower(), _alias_columns(cte)
            inner = visible
            if with_.args.get("recursive"):
                inner = {**visible, name: self._seed(cte, columns, visible, outer)}
            relation = self.query(cte.this, inner, outer)
            visible[name] = relation.renamed(columns) if columns else relation

        return visible

    def _seed(self, cte: exp.Expr, columns: list[str], ctes: Ctes, outer: Frames) -> Relation:
        """What a recursive query sees of itself: the part that does not call itself."""
        body = cte.this
        while isinstance(body, exp.SetOperation):
            body = body.this
        seed = self.query(body, ctes, outer)
        return seed.renamed(columns) if columns else seed

    def _set_operation(self, node: exp.SetOperation, ctes: Ctes, outer: Frames) -> Relation:
        branches: list[Relation] = []
        left: exp.Expr = node
        # From the last to the first without recursion: hundreds may follow each other.
        while isinstance(left, exp.SetOperation):
            branches.append(self.query(left.expression, ctes, outer))
            left = left.this
        branches.append(self.query(left, ctes, outer))
        first, *rest = reversed(branches)
        outputs = [*(first.outputs or ())]
        for branch in rest:
            if first.outputs is None or branch.outputs is None:
                return OPAQUE
            pairs = zip(outputs, branch.outputs, strict=False)
            outputs = [Output(one.name, one.sources | other.sources) for one, other in pairs]

        return Relation(tuple(outputs)) if first.outputs is not None else OPAQUE

    def _values(self, node: exp.Values, frame: Frame, ctes: Ctes, outer: Frames) -> Relation:
        rows = node.expressions
        first = rows[0] if rows else None
        items = first.expressions if isinstance(first, exp.Tuple) else [first] if first else []
        outputs = [
            Output(f"_col{index}", self.sources(item, frame, ctes, outer))
            for index, item in enumerate(items)
        ]
        return Relation(tuple(outputs))

    def _select(self, node: exp.Select, ctes: Ctes, outer: Frames) -> Relation:
        frame = Frame()
        if from_ := node.args.get("from_"):
            self.source(from_.this, frame, ctes, outer)
        self._joins(node, frame, ctes, outer)
        if node.args.get("match"):
            self._ledger.problem("match_recognize")
            return OPAQUE

        aliases = frozenset(e.alias.lower() for e in node.expressions if isinstance(e, exp.Alias))
        for clause in ("where", "group", "having", "order", "qualify", "windows", "distinct"):
            for part in _parts(node.args.get(clause)):
                self.sources(part, frame, ctes, outer, aliases)

        return self._outputs(node, frame, ctes, outer)

    def _joins(self, node: exp.Expr, frame: Frame, ctes: Ctes, outer: Frames) -> None:
        for join in node.args.get("joins") or ():
            self.source(join.this, frame, ctes, outer)
            if on := join.args.get("on"):
                self.sources(on, frame, ctes, outer)
            for column in join.args.get("using") or ():
                name = column.name.lower()
                if name not in frame.merged:
                    frame.merged.append(name)
                self._ledger.use(self._unqualified(name, (*outer, frame)))

        for lateral in node.args.get("laterals") or ():
            self.source(lateral, frame, ctes, outer)

    def _outputs(self, node: exp.Select, frame: Frame, ctes: Ctes, outer: Frames) -> Relation:
        outputs: list[Output] = []
        is_known = True
        for item in node.expressions:
            star = self._star(item, frame)
            if star is None:
                sources = self.sources(item, frame, ctes, outer)
                outputs.append(Output(_output_name(item) or f"_col{len(outputs)}", sources))
            elif star.outputs is None:
                is_known = False
            else:
                outputs += star.outputs

        return Relation(tuple(outputs)) if is_known else OPAQUE

    def _star(self, item: exp.Expr, frame: Frame) -> Relation | None:
        """What ``*`` or ``t.*`` stands for; None if *item* is neither."""
        if isinstance(item, exp.Star):
            for relation in frame.relations.values():
                self._ledger.use_all(relation)
            return Relation(frame.star())

        if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            named = frame.relations.get(item.table.lower())
            if named is None:
                self._ledger.problem("unknown_column")
                return OPAQUE
            self._ledger.use_all(named)
            return named

        return None

    def source(self, node: exp.Expr, frame: Frame, ctes: Ctes, outer: Frames) -> None:
        """Add what stands in FROM or JOIN to *frame*."""
        alias, columns = node.alias, _alias_columns(node)
        if isinstance(node, exp.Subquery) and isinstance(node.this, (exp.Table, exp.Subquery)):
            self.source(node.this, frame, ctes, outer)  # parentheses around a join
        else:
            relation = self._relation(node, frame, ctes, outer)
            renamed = relation.renamed(columns) if columns else relation
            frame.add(alias or node.name, renamed)

        self._joins(node, frame, ctes, outer)

    def _relation(self, node: exp.Expr, frame: Frame, ctes: Ctes, outer: Frames) -> Relation:
        if isinstance(node, exp.Table):
            return self._table(node, ctes)

        if isinstance(node, exp.Unnest):
            return self._unnest(node, frame, ctes, outer)

        if isinstance(node, exp.Values):
            return self._values(node, frame, ctes, outer)

        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Query):
            return self.query(node.this, ctes, (*outer, frame))

        if isinstance(node, exp.Query):
            return self.query(node, ctes, outer)

        self._ledger.problem("table_function")
        for part in node.iter_expressions():
            self.sources(part, frame, ctes, outer)
        return OPAQUE

    def _table(self, node: exp.Table, ctes: Ctes) -> Relation:
        if not isinstance(node.this, exp.Identifier):
            self._ledger.problem("table_function")
            return OPAQUE

        # Trino reads names without quotes in lower case. A qualified name is never a CTE.
        parts = tuple(
            part.name if part.quoted else part.name.lower() for part in _identifiers(node)
        )
        if len(parts) == 1 and parts[0].lower() in ctes:
            return ctes[parts[0].lower()]

        name = complete(parts, self._context)
        if name is None:
            self._ledger.problem("unknown_name")
            return OPAQUE

        if name.schema.lower() == _DESCRIBES_THE_REST:
            return OPAQUE

        relation = self._ledger.read(name)
        if name.table.lower() != parts[-1].lower():
            return OPAQUE  # a metadata table: its columns are not those of its table

        return relation

    def _unnest(self, node: exp.Unnest, frame: Frame, ctes: Ctes, outer: Frames) -> Relation:
        arguments = [self.sources(e, frame, ctes, outer) for e in node.expressions]
        names = _alias_columns(node)
        together = NO_SOURCES.union(*arguments)
        # An array gives one column; a map gives two and an array of rows more, and then all of
        # them come from all of the arguments.
        traced = arguments if len(names) == len(arguments) else [together] * len(names)
        outputs = [Output(name, sources) for name, sources in zip(names, traced, strict=True)]
        if offset := node.args.get("offset"):
            outputs.append(Output(offset.name if offset is not True else "", NO_SOURCES))

        return Relation(tuple(outputs))

    def sources(
        self,
        node: exp.Expr,
        frame: Frame,
        ctes: Ctes,
        outer: Frames = (),
        aliases: frozenset[str] = frozenset(),
    ) -> Sources:
        """The columns that the values of an expression come from.

        Args:
            aliases: Names of outputs, which ORDER BY may use in place of columns.
        """
        found: set[Sources] = set()
        stack = [node]
        while stack:
            part = stack.pop()
            if isinstance(part, exp.Column):
                if not isinstance(part.this, exp.Star):
                    found.add(self._column(part, (*outer, frame), aliases))
            elif isinstance(part, exp.Query):
                relation = self.query(part, ctes, (*outer, frame))
                if not isinstance(part.parent, (exp.Exists, exp.In)):
                    found.update(output.sources for output in relation.outputs or ())
            else:
                stack.extend(part.iter_expressions())

        return NO_SOURCES.union(*found)

    def _column(self, node: exp.Column, frames: Frames, aliases: frozenset[str]) -> Sources:
        parts = [part.name.lower() for part in _identifiers(node)]
        for frame in reversed(frames):
            # The alias may itself be qualified: schema.table.column.
            for index, part in enumerate(parts[:-1]):
                relation = frame.relations.get(part)
                if relation is not None:
                    return self._of_relation(relation, parts[index + 1])

        is_alias = len(parts) == 1 and parts[0] in aliases
        if is_alias and not any(self._has(frame, parts[0]) for frame in frames):
            return NO_SOURCES

        sources = self._unqualified(parts[0], frames)  # and fields of it, if parts follow
        self._ledger.use(sources)
        return sources

    def _of_relation(self, relation: Relation, column: str) -> Sources:
        sources = relation.find(column)
        if sources is None:
            # Hidden columns, such as "$path", are in no list of columns.
            if not column.startswith("$"):
                self._ledger.problem("unknown_column" if relation.outputs else "no_schema")
            return NO_SOURCES

        if relation.table is not None:
            self._ledger.use(sources)
        return sources

    @staticmethod
    def _has(frame: Frame, column: str) -> bool:
        known = (r for r in frame.relations.values() if r.outputs is not None)
        return any(relation.find(column) is not None for relation in known)

    def _unqualified(self, column: str, frames: Iterable[Frame]) -> Sources:
        """A column without an alias: of the innermost frame that has it."""
        innermost_first = list(frames)[::-1]
        for index, frame in enumerate(innermost_first):
            relations = frame.relations.values()
            known = [r for r in relations if r.outputs is not None]
            hits = [sources for r in known if (sources := r.find(column)) is not None]
            if hits:
                if len(hits) > 1 and column not in frame.merged:
                    self._ledger.problem("ambiguous_column")
                return NO_SOURCES.union(*hits)

            unknown = [r for r in relations if r.outputs is None]
            if not unknown:
                continue
            if len(unknown) > 1 or any(self._has(f, column) for f in innermost_first[index + 1 :]):
                self._ledger.problem("ambiguous_column")
                return NO_SOURCES

            found = unknown[0].find(column)
            if found is None:
                self._ledger.problem("no_schema")
            return found or NO_SOURCES

        if not column.startswith("$"):
            self._ledger.problem("unknown_column")
        return NO_SOURCES


def _identifiers(node: exp.Table | exp.Column) -> list[exp.Identifier]:
    return [part for part in node.parts if isinstance(part, exp.Identifier)]


def _alias_columns(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    return [column.name for column in alias.columns] if isinstance(alias, exp.TableAlias) else []


def _parts(clause: object) -> list[exp.Expr]:
    parts = clause if isinstance(clause, list) else [clause]
    return [part for part in parts if isinstance(part, exp.Expr)]


def _output_name(item: exp.Expr) -> str:
    if isinstance(item, exp.Alias):
        return str(item.alias)

    if isinstance(item, (exp.Column, exp.Dot)):
        return str(item.name)

    return ""
