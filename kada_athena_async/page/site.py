"""All that the page holds of one site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kada_athena_async.extracts import Package, changes_between
from kada_athena_async.extracts.advice import advice
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.observers.escaping import escape
from kada_athena_async.page.fitting import fitted
from kada_athena_async.page.history import history_figures
from kada_athena_async.page.lineage import PAIR_CAPS, LineageFigures, lineage_figures
from kada_athena_async.page.newest_run import calls_figures, completeness_figures
from kada_athena_async.page.table_index import TablesFigures, tables_figures
from kada_athena_async.page.tables import Details, details
from kada_athena_async.page.warehouse import open_warehouse

MAX_CHANGES = 500
"""Changed tables and changed columns in the page, each; the others are counted."""

MAX_ADVICE = 500

_HEAD_BYTES = 100_000
"""Room for the rest: rankings, advice, changes, completeness."""

_INDEX_SHARE = 0.5
"""Of all bytes, at most."""

_LINEAGE_SHARE = 0.4
"""Of the bytes that the index of tables leaves; the details of the tables get the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteData:
    """The data of a site, packed for the page's script.

    Attributes:
        summary: Its key figures, unpacked: for the index of sites, and where scripts do not run.
        parts: Name of each part -> its text; each is unpacked when it is first looked at. Empty
            where there is room for the summary only.
    """

    summary: dict[str, Any]
    parts: dict[str, bytes]

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.parts.values()))


def site_data(runs: Runs, before: Package | None, *, site: str, max_bytes: int) -> SiteData:
    """Read the extracts of *runs* and pack what they say into *max_bytes*.

    Args:
        before: The run before the newest, with which its metadata is compared.
        site: Its name; empty where there is one only.

    Raises:
        StateError: An extract is missing or torn, or there is no room to count.
    """
    newest = runs.newest
    history, tables, lineage, shown = _figures(runs, max_bytes)
    facts = newest.manifest.facts
    estate = tables.to_dict()
    summary = {
        "site": escape(site),
        "server": escape(facts.server),
        "region": escape(facts.region),
        "start": f"{runs.start:%Y-%m-%d %H:%M}",
        "end": f"{runs.end:%Y-%m-%d %H:%M}",
        "runs": len(runs.packages),
        "estate": {name: estate[name] for name in ("tables", "views", "schemas", "columns")},
        "totals": history["totals"],
        "usd": runs.prices.scanned_usd(history["totals"]["billed"]),
    }
    head = {
        **summary,
        "estate": estate,
        "history": history,
        "advice": _advice(runs),
        "changes": _changes(before, newest),
        "completeness": completeness_figures(newest.manifest),
        "calls": calls_figures(newest.manifest),
        "runList": [_run(package) for package in runs.packages],
        "files": [[escape(f.name), f.rows, f.size_bytes] for f in newest.manifest.files],
        "lineage": {
            "count": lineage.count,
            "shown": lineage.shown,
            "pairCap": lineage.pair_cap,
        },
        "details": {
            **shown.level._asdict(),
            "packets": len(shown.packets),
            "leftOut": shown.level.left_out(),
        },
        "leftOut": _left_out(tables, lineage),
    }
    parts = {"tables": tables.index, "edges": lineage.edges}
    if lineage.pairs:
        parts["pairs"] = lineage.pairs

    if shown.names:
        parts["names"] = shown.names

    parts.update({f"details-{number}": each for number, each in enumerate(shown.packets)})
    return SiteData(summary=summary, parts=fitted(head, parts, max_bytes))


def _left_out(tables: TablesFigures, lineage: LineageFigures) -> list[str]:
    """Words for the tables and lineage that are left out."""
    limits = {
        f"tables beyond {tables.shown:,}": tables.shown < tables.tables + tables.views,
        f"flows between tables beyond {lineage.shown:,}": lineage.shown < lineage.count,
        f"columns of a flow beyond {lineage.pair_cap:,}": lineage.pair_cap < PAIR_CAPS[0],
    }
    found = [words for words, is_out in limits.items() if is_out and not words.endswith(" 0")]
    nothing = ["lineage of columns"] if lineage.shown and not lineage.pair_cap else []
    return [*found, *nothing]


def _figures(
    runs: Runs, max_bytes: int
) -> tuple[dict[str, Any], TablesFigures, LineageFigures, Details]:
    """Figures counted in the warehouse, which is gone after that."""
    with open_warehouse(runs) as warehouse:
        history = history_figures(warehouse)
        tables = tables_figures(warehouse, int(max_bytes * _INDEX_SHARE))
        room = max(0, max_bytes - len(tables.index) - min(_HEAD_BYTES, max_bytes // 3))
        lineage = lineage_figures(warehouse, int(room * _LINEAGE_SHARE))
        room -= len(lineage.edges) + len(lineage.pairs)
        return history, tables, lineage, details(warehouse, tables.shown, room)


def _advice(runs: Runs) -> dict[str, Any]:
    found = advice(runs)
    kinds: dict[str, int] = {}
    for finding in found:
        kinds[finding.kind] = kinds.get(finding.kind, 0) + 1

    listed = [
        {
            **finding.to_dict(),
            "subject": escape(finding.subject),
            "detail": escape(finding.detail),
            "remedy": escape(finding.remedy, limit=600),
            "evidence": [escape(each) for each in finding.evidence],
        }
        for finding in found[:MAX_ADVICE]
    ]
    return {"count": len(found), "kinds": kinds, "findings": listed}


def _changes(before: Package | None, newest: Package) -> dict[str, Any] | None:
    if before is None:
        return None

    found = changes_between(before, newest)
    return {
        "since": f"{before.manifest.end:%Y-%m-%d %H:%M}",
        "compared": found.compared,
        "leftOut": [escape(".".join(name)) for name in found.left_out[:MAX_CHANGES]],
        "leftOutCount": len(found.left_out),
        "tableCount": len(found.tables),
        "tables": [
            [escape(".".join(each.table)), each.before, each.after]
            for each in found.tables[:MAX_CHANGES]
        ],
        "columnCount": len(found.columns),
        "columns": [
            [
                escape(".".join(each.table)),
                escape(each.column),
                escape(each.before),
                escape(each.after),
            ]
            for each in found.columns[:MAX_CHANGES]
        ],
    }


def _run(package: Package) -> list[str]:
    manifest = package.manifest
    times = (manifest.start, manifest.end, manifest.started_at)
    return [*(f"{at:%Y-%m-%d %H:%M}" for at in times), escape(manifest.facts.version)]
