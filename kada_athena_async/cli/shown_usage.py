"""Views of ``show`` about use and cost, over all published runs."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import RenderableType
from rich.text import Text

from kada_athena_async.cli.grid import Grid
from kada_athena_async.cli.shown import Facts, Shown, more_rows
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.extracts.table_usage import table_uses, unused_tables
from kada_athena_async.observers.escaping import escape
from kada_athena_async.observers.wording import counted, size, some

_NAMED = 5
_DAY_CHARS = 10


def tables(runs: Runs, rows: int) -> Shown:
    """The tables that are used, the most read first."""
    uses = table_uses(runs)
    shown = Grid(("<table", ">reads", ">writes", ">users", ">scanned", "last read", "last write"))
    for use in uses[:rows]:
        shown.add_row(
            ".".join((use.catalog, use.schema, use.table)),
            f"{use.reads:,}",
            f"{use.writes:,}",
            f"{use.users:,}",
            size(use.scanned_bytes),
            use.last_read_at[:_DAY_CHARS],
            use.last_write_at[:_DAY_CHARS],
        )

    parts: list[RenderableType] = [shown if uses else Text("no table was used")]
    if len(uses) > rows:
        parts.append(more_rows(len(uses), rows, "table"))
    return Shown(
        kind="table_use",
        objects=[use.to_dict() for use in uses[:rows]],
        parts=parts,
        about={"total": len(uses)},
    )


def unused(runs: Runs, rows: int) -> Shown:
    """The tables that nobody used, the largest first."""
    found = unused_tables(runs)
    shown = Grid(("<table", "kind", ">size", ">rows", ">storage a month"))
    for each in found.tables[:rows]:
        shown.add_row(
            ".".join((each.catalog, each.schema, each.table)),
            each.table_type.lower(),
            "" if each.size_bytes is None else size(each.size_bytes),
            "" if each.row_count is None else f"{each.row_count:,}",
            "" if each.usd_per_month is None else _money(each.usd_per_month),
        )

    noun = "table or view" if len(found.tables) == 1 else "tables or views"
    looked = f"{len(found.tables):,} {noun} unused"
    looked = f"{looked} in {counted(found.schemas, 'complete schema')}"
    nothing = "every table was used" if found.schemas else "no schema was read completely"
    parts: list[RenderableType] = [shown if found.tables else Text(nothing), Text(looked)]
    if len(found.tables) > rows:
        parts.append(more_rows(len(found.tables), rows, "table"))
    if found.left_out:
        names = some([".".join(name) for name in found.left_out], most=_NAMED)
        parts.append(Text(f"not looked at, as a run did not read all of them: {names}"))
    parts += [Text(escape(f"more may have been used: {doubt}")) for doubt in found.doubts]
    objects: list[Facts] = [
        {**asdict(each), "created_at": each.created_at or None} for each in found.tables[:rows]
    ]
    about: Facts = {
        "total": len(found.tables),
        "schemas": found.schemas,
        "left_out": [list(name) for name in found.left_out],
        "doubts": list(found.doubts),
    }
    return Shown(kind="unused_table", objects=objects, parts=parts, about=about)


def users(runs: Runs, rows: int) -> Shown:
    """Queries and cost of each user, the most expensive first."""
    from kada_athena_async.extracts.users import user_totals

    totals = user_totals(runs)
    names = ("<user", "<principal", "client", ">queries", ">failed", ">scanned", ">cost")
    shown = Grid((*names, ">DPU hours", "last"))
    for total in totals[:rows]:
        shown.add_row(
            total.user,
            total.principal,
            total.client,
            f"{total.executions:,}",
            f"{total.failed:,}",
            size(total.scanned_bytes),
            _money(total.usd),
            f"{total.dpu_hours:,.1f}" if total.dpu_hours else "",
            total.last_at[:_DAY_CHARS],
        )

    parts: list[RenderableType] = [shown if totals else Text("no queries"), _price(runs)]
    if len(totals) > rows:
        parts.append(more_rows(len(totals), rows, "user"))
    return Shown(
        kind="user",
        objects=[total.to_dict() for total in totals[:rows]],
        parts=parts,
        about={"total": len(totals), **_price_facts(runs)},
    )


def who(runs: Runs, name: str, rows: int) -> Shown:
    """Users that read, wrote or changed a table.

    Raises:
        ConfigError: No run knows the table.
    """
    from kada_athena_async.extracts.users import known_table, table_users

    found = table_users(runs, name)
    if not found and not known_table(runs, name):
        remedy = "no run knows that table; `show search` finds tables by parts of their names"
        raise ConfigError([Problem("show who", ascii(name), remedy)], source="command")

    shown = Grid(("<table", "did", "<user", "<principal", "client", ">queries", "last"))
    for use in found[:rows]:
        shown.add_row(
            ".".join((use.catalog, use.schema, use.table)),
            use.event_type.lower(),
            use.user,
            use.principal,
            use.client,
            f"{use.executions:,}",
            use.last_at[:_DAY_CHARS],
        )

    parts: list[RenderableType] = [shown if found else Text("no use of it in these runs")]
    if len(found) > rows:
        parts.append(more_rows(len(found), rows, "user"))
    return Shown(
        kind="table_user",
        objects=[use.to_dict() for use in found[:rows]],
        parts=parts,
        about={"total": len(found)},
    )


def advised(runs: Runs, rows: int) -> Shown:
    """Findings on cost with their remedy, the most expensive first."""
    # It reads SQL, which takes longer to load than all other views.
    from kada_athena_async.extracts.advice import advice

    found = advice(runs)
    names = (">cost", "why", "<of", ">queries", ">scanned", "~what to do", "=for example")
    shown = Grid(names)
    for each in found[:rows]:
        shown.add_row(
            _money(each.usd),
            each.kind.replace("_", " "),
            each.subject,
            f"{each.executions:,}",
            size(each.scanned_bytes),
            each.remedy,
            ", ".join(each.evidence[:1]),
        )

    parts: list[RenderableType] = [shown if found else Text("nothing to advise"), _price(runs)]
    if len(found) > rows:
        parts.append(more_rows(len(found), rows, "finding"))
    return Shown(
        kind="advice",
        objects=[each.to_dict() for each in found[:rows]],
        parts=parts,
        about={"total": len(found), **_price_facts(runs)},
    )


def _price_facts(runs: Runs) -> Facts:
    prices = runs.prices
    return {"usd_per_tb": prices.usd_per_tb, "price_source": prices.tb_source}


def _price(runs: Runs) -> Text:
    prices = runs.prices
    price = f"{_money(prices.usd_per_tb)} a TB ({prices.tb_source})"
    return Text(escape(f"rough dollars: {price}; see docs/usage-and-cost.md"), "dim")


def _money(dollars: float) -> str:
    return "< $0.01" if 0 < dollars < 0.01 else f"${dollars:,.2f}"
