"""Views of ``show``: each as JSON objects and as parts of a page.

Every text comes from elsewhere and goes through ``escape`` into a ``Text``, in which nothing is
markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kada_athena_async.cli.grid import CELL_CHARS, Grid
from kada_athena_async.extracts import Package, changes_between
from kada_athena_async.extracts.search import FoundTable, search
from kada_athena_async.observers.escaping import escape
from kada_athena_async.observers.wording import counted, moment, size
from kada_athena_async.records import RECORD_TYPES

_BLOCK_CELL_CHARS = 2_000
_NARROWEST_CELL = 14
_LEFT_OUT_NAMED = 5

Facts = dict[str, object]


@dataclass(slots=True, kw_only=True)
class Shown:
    """A view.

    Attributes:
        kind: What an object of it is.
        objects: For programs.
        parts: For people.
        about: What programs should know of the view as a whole, such as the ``total`` of which the
            objects are the first.
    """

    kind: str
    objects: list[Facts] = field(default_factory=list)
    parts: list[RenderableType] = field(default_factory=list)
    about: Facts = field(default_factory=dict)

    def records(self) -> list[tuple[str, Facts]]:
        """Each object with its kind."""
        return [(self.kind, facts) for facts in self.objects]


def facts(package: Package, start: datetime, end: datetime, **more: object) -> Facts:
    """The newest run of a view and the time that it is about, for programs."""
    manifest = package.manifest
    return {
        "name": manifest.name,
        "run_id": manifest.run_id,
        "start": start,
        "end": end,
        **more,
        "manifest": str(package.path),
    }


def heading(package: Package, start: datetime, end: datetime, more: str = "") -> RenderableType:
    """The collector of a view and the time that it is about, for people."""
    window = f"{moment(start)} to {moment(end)} UTC{more}"
    return Text.assemble((escape(package.manifest.name), "bold"), f": {window}")


def counts(package: Package) -> Shown:
    """The extracts, and how much of what was asked for is in them."""
    manifest = package.manifest
    table = Grid(("kind", ">rows", ">size", "file"))
    for file in manifest.files:
        table.add_row(file.kind, f"{file.rows:,}", size(file.size_bytes), file.name)

    outcomes = Counter((each.scope, each.outcome) for each in manifest.facts.completeness)
    records = [f"{counted(n, scope)} {outcome}" for (scope, outcome), n in sorted(outcomes.items())]
    objects: list[Facts] = [
        {"kind": f.kind, "rows": f.rows, "size_bytes": f.size_bytes, "file": f.name}
        for f in manifest.files
    ]
    parts: list[RenderableType] = [table, Text("; ".join(records))]
    if any(outcome not in ("complete", "excluded") for _, outcome in outcomes):
        parts.append(Text("what is not complete, and why: show problems", "dim"))
    return Shown(kind="extract", objects=objects, parts=parts)


def found(package: Package, pattern: str, rows: int) -> Shown:
    """The tables and columns that fit a pattern."""
    result = search(package, pattern, count=rows)
    parts: list[RenderableType] = []
    for table in result.tables:
        parts += _found_table(table)

    if result.count > len(result.tables):
        parts.append(more_rows(result.count, len(result.tables), "table"))
    if not result.tables:
        parts.append(Text("nothing fits; a part of a name is enough, * and ? stand for anything"))
    return Shown(kind="table", objects=[_facts(table) for table in result.tables], parts=parts)


def _facts(table: FoundTable) -> Facts:
    facts = asdict(table)
    return {**dict(zip(("catalog", "schema", "table"), facts.pop("key"), strict=True)), **facts}


def _found_table(found: FoundTable) -> list[RenderableType]:
    kind = f"  {found.table_type.lower()} {found.table_format}".rstrip()
    title = Text.assemble(
        (escape(found.name), "bold" if found.is_match else ""), (escape(kind), "dim")
    )
    table = new_table("", "", "", is_headless=True)
    for column in found.columns:
        note = "partition key" if column.is_partition_key else ""
        note = "; ".join(filter(None, (note, column.comment)))
        name = Text(escape(column.name), "bold" if column.is_match else "")
        table.add_row(name, cell(column.data_type), cell(note))

    return [title, Padding(table, (0, 0, 0, 2))]


def head(package: Package, kind: str, rows: int) -> Shown:
    """The first rows of a kind of extract."""
    names = RECORD_TYPES[kind]._fields
    first = list(islice(package.rows(kind, *names), rows))
    total = sum(file.rows for file in package.manifest.files if file.kind == kind)
    parts: list[RenderableType] = [_Rows(names, first)]
    parts.append(more_rows(total, len(first), "row") if total > len(first) else Text(""))
    objects: list[Facts] = [
        {name: text or None for name, text in zip(names, row, strict=True)} for row in first
    ]
    return Shown(kind=kind, objects=objects, parts=parts if first else [Text("no rows")])


class _Rows:
    """Rows as a table where it fits, else one field a line, empty ones left out."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self._names = names
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if len(self._names) * _NARROWEST_CELL <= options.max_width:
            table = new_table(*self._names)
            for row in self._rows:
                table.add_row(*map(cell, row))
            yield table
            return

        for number, row in enumerate(self._rows, 1):
            yield Text(f"row {number}", "dim")
            block = new_table("", "", is_headless=True)
            for name, text in zip(self._names, row, strict=True):
                if text:
                    shown = Text(escape(text, limit=_BLOCK_CELL_CHARS), overflow="fold")
                    block.add_row(Text(name, "bold"), shown)
            yield Padding(block, (0, 0, 0, 2))


def problems(package: Package, rows: int) -> Shown:
    """Scopes that could not be read, with reasons; gaps; warnings."""
    facts = package.manifest.facts
    lines: list[tuple[str, str, str, str]] = [
        (each.outcome, each.scope, ".".join(each.name), each.reason)
        for each in facts.completeness
        if each.outcome != "excluded" and (each.outcome != "complete" or each.reason)
    ]
    lines += [
        ("gap", "workgroup", gap.workgroup or "all", f"{gap.kind}: {moment(gap.start)} to "
         f"{moment(gap.end)}")
        for gap in facts.gaps
    ]  # fmt: skip
    lines += [("warning", "run", warning.code, warning.message) for warning in facts.warnings]
    names = ("outcome", "scope", "subject", "reason")
    table = Grid(("outcome", "scope", "<subject", "~reason"))
    for line in lines[:rows]:
        table.add_row(*line)

    parts: list[RenderableType] = [table]
    if not lines:
        parts = [Text("all that was asked for was read")]
    if len(lines) > rows:
        parts.append(more_rows(len(lines), rows, "problem"))
    objects: list[Facts] = [dict(zip(names, line, strict=True)) for line in lines[:rows]]
    return Shown(kind="problem", objects=objects, parts=parts)


def changes(package: Package, before: Package | None, rows: int) -> Shown:
    """Tables and columns that came, went or changed since the run before."""
    if before is None:
        return Shown(
            kind="change", parts=[Text("the first published run: there is nothing to compare with")]
        )

    result = changes_between(before, package)
    lines = [(t.table, "", t.before, t.after) for t in result.tables]
    lines += [(c.table, c.column, c.before, c.after) for c in result.columns]
    table = Grid(("", "", "~", "~"), is_headless=True)
    objects: list[Facts] = []
    for key, column, old, new in lines[:rows]:
        sign = "~" if old and new else "+" if new else "-"
        style = {"+": "green", "-": "red", "~": "yellow"}[sign]
        name = ".".join((*key, column) if column else key)
        kind = f"{old} -> {new}" if sign == "~" else (new or old)
        subject = "column" if column else "table"
        table.add_row(sign, subject, name, kind, style=style)
        catalog, schema, owner = key
        place = {"catalog": catalog, "schema": schema, "table": owner, "column": column or None}
        objects.append({**place, "before": old or None, "after": new or None})

    parts: list[RenderableType] = [
        Text(f"since {moment(before.manifest.end)} UTC, run {escape(before.manifest.run_id)}"),
        table if lines else Text(f"no change in {counted(result.compared, 'schema')}"),
    ]
    if len(lines) > rows:
        parts.append(more_rows(len(lines), rows, "change"))
    if result.left_out:
        parts.append(Text(_left_out(result.left_out)))
    return Shown(kind="change", objects=objects, parts=parts)


def _left_out(names: Sequence[tuple[str, str]]) -> str:
    more = len(names) - _LEFT_OUT_NAMED
    listed = ", ".join(escape(".".join(name)) for name in names[:_LEFT_OUT_NAMED])
    listed += f" and {more:,} more" if more > 0 else ""
    return f"not compared, as one of the runs did not read all of it: {listed}"


def more_rows(count: int, shown: int, noun: str) -> Text:
    return Text(f"{shown:,} of {counted(count, noun)}; more with --rows", "dim")


def new_table(*names: str, is_headless: bool = False) -> Table:
    """A table without lines."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=not is_headless)
    for name in names:
        table.add_column(Text(name), header_style="bold")
    return table


def cell(text: str) -> Text:
    return Text(escape(text, limit=CELL_CHARS), no_wrap=True, overflow="ellipsis")
