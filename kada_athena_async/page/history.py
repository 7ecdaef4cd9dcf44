"""Executions by day, workgroup, person and statement; their time, cost and failures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from kada_athena_async.extracts.history import MAX_FAILURE_KINDS, OTHER_KINDS, failure_kind
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.observers.escaping import escape, one_line
from kada_athena_async.page.warehouse import Warehouse
from kada_athena_async.sql.masking import mask_sql, mask_text

MAX_GROUPS = 500
"""Workgroups, users or tools that stand alone; the others are one row."""

MAX_STATEMENTS = 100
"""Statements of each ranking."""

MAX_SAMPLE_CHARS = 1_500

OTHERS = "(all others)"

Plain: TypeAlias = "dict[str, Any]"
"""A value that is written as JSON."""

_SUMS = """count(*) AS n, sum(status = 'FAILED'), sum(status = 'CANCELLED'),
    sum(scanned_bytes) AS scanned, sum(billed_bytes) AS billed, sum(dpu_hours)"""

_DAYS = f"""
    SELECT substr(ended_at, 1, 10) AS day, {_SUMS}, sum(is_reused) FROM executions
    WHERE ended_at <> '' GROUP BY day ORDER BY day
"""

_HOURS = """
    SELECT workgroup, CAST(substr(ended_at, 12, 2) AS INTEGER) AS hour, count(*) FROM executions
    WHERE ended_at <> '' GROUP BY 1, 2 ORDER BY 1, 2
"""

# The value at a rank, without holding them: SQLite sorts on disk.
_QUANTILES = """
    SELECT workgroup,
        max(CASE WHEN rank = (n + 1) / 2 THEN total_ms END),
        max(CASE WHEN rank = (95 * n + 99) / 100 THEN total_ms END)
    FROM (
        SELECT workgroup, total_ms,
            row_number() OVER (PARTITION BY workgroup ORDER BY total_ms) AS rank,
            count(*) OVER (PARTITION BY workgroup) AS n
        FROM executions WHERE total_ms IS NOT NULL
    ) GROUP BY workgroup
"""

_WORKGROUPS = f"""
    SELECT workgroup, {_SUMS}, sum(total_ms), sum(queue_ms), max(queue_ms) FROM executions
    GROUP BY workgroup ORDER BY billed DESC, n DESC, workgroup
"""

_PEOPLE = f"""
    SELECT coalesce(nullif(principal, ''), user) AS who, {_SUMS}, max(ended_at)
    FROM executions LEFT JOIN principals USING (query_id)
    GROUP BY who ORDER BY billed DESC, n DESC, who
"""

_TOOLS = f"""
    SELECT coalesce(client, '') AS tool, {_SUMS}, max(ended_at)
    FROM executions LEFT JOIN principals USING (query_id)
    GROUP BY tool ORDER BY n DESC, tool
"""

# Of the bare columns SQLite takes those of the row with the largest scanned_bytes
# (sqlite.org/lang_select.html, "Bare columns in an aggregate query").
_STATEMENTS = """
    CREATE TABLE statements AS
    SELECT fingerprint, count(*) AS n, sum(status = 'FAILED') AS failed,
        count(DISTINCT workgroup) AS workgroups, min(workgroup) AS workgroup,
        sum(scanned_bytes) AS scanned, sum(billed_bytes) AS billed, sum(total_ms) AS total_ms,
        sum(queue_ms) AS queue_ms, max(ended_at) AS last_at, query_id, package,
        max(scanned_bytes) AS most_scanned
    FROM executions WHERE fingerprint <> '' GROUP BY fingerprint
"""

_LONGEST = """
    SELECT fingerprint, max(total_ms), max(queue_ms) FROM executions
    WHERE fingerprint IN (SELECT value FROM json_each(?)) GROUP BY fingerprint
"""

_RANKINGS = ("billed", "total_ms", "queue_ms", "n")

_FAILURES = """
    SELECT reason, error_category, workgroup, count(*) FROM executions
    WHERE status = 'FAILED' GROUP BY 1, 2, 3
"""


def history_figures(warehouse: Warehouse) -> Plain:
    """Figures of all executions."""
    warehouse.run(_STATEMENTS)
    totals = warehouse.row(
        f"SELECT {_SUMS}, sum(is_reused), count(DISTINCT workgroup) FROM executions"
    )
    keys = ("executions", "failed", "cancelled", "scanned", "billed", "dpu_hours", "reused")
    prices = warehouse.runs.prices
    return {
        "totals": {key: value or 0 for key, value in zip(keys, totals, strict=False)},
        "usd_per_tb": prices.usd_per_tb,
        "tb_source": prices.tb_source,
        "usd_per_dpu_hour": prices.usd_per_dpu_hour,
        "dpu_source": prices.dpu_source,
        "days": _days(warehouse),
        "hours": _hours(warehouse),
        "workgroups": _workgroups(warehouse),
        "people": _groups(warehouse, _PEOPLE),
        "tools": _groups(warehouse, _TOOLS),
        "statements": _statements(warehouse),
        "statement_count": warehouse.row("SELECT count(*) FROM statements")[0],
        "failures": _failures(warehouse),
    }


def _days(warehouse: Warehouse) -> Plain:
    """One entry a day, without holes; partial where the runs do not cover it whole."""
    found = {row[0]: row[1:] for row in warehouse.rows(_DAYS)}
    days = sorted(found)
    if days:
        first, last = datetime.fromisoformat(days[0]), datetime.fromisoformat(days[-1])
        count = min((last - first).days, 3_660)
        days = [f"{last - timedelta(days=back):%Y-%m-%d}" for back in range(count, -1, -1)]

    partial = {day for day in days if not _is_covered(warehouse.runs, day)}
    rows = [found.get(day, (0,) * 7) for day in days]
    names = ("n", "failed", "cancelled", "scanned", "billed", "dpu_hours", "reused")
    columns = {name: [row[place] or 0 for row in rows] for place, name in enumerate(names)}
    return {"day": days, **columns, "partial": [int(day in partial) for day in days]}


def _is_covered(runs: Runs, day: str) -> bool:
    """True if the windows of *runs* hold the whole day."""
    start = datetime.fromisoformat(day).replace(tzinfo=runs.end.tzinfo)
    return runs.covers(start, start + timedelta(days=1))


def _hours(warehouse: Warehouse) -> Plain:
    """Workgroup -> executions of each of the 24 hours of the day, UTC; the busiest first."""
    rows: dict[str, list[int]] = {}
    for workgroup, hour, count in warehouse.rows(_HOURS):
        rows.setdefault(workgroup, [0] * 24)[hour] += count

    ranked = sorted(rows.items(), key=lambda item: (-sum(item[1]), item[0]))
    shown = [(escape(name), counts) for name, counts in ranked[:MAX_GROUPS]]
    others = [counts for _, counts in ranked[MAX_GROUPS:]]
    if others:
        shown.append((OTHERS, [sum(each) for each in zip(*others, strict=True)]))

    return {"workgroup": [name for name, _ in shown], "counts": [counts for _, counts in shown]}


_GROUP = ("n", "failed", "cancelled", "scanned", "billed", "dpu_hours")


def _workgroups(warehouse: Warehouse) -> list[Plain]:
    times = {row[0]: row[1:] for row in warehouse.rows(_QUANTILES)}
    found = []
    for name, *row in warehouse.rows(_WORKGROUPS):
        median, p95 = times.get(name, (None, None))
        times_ms = {"total_ms": row[6], "queue_ms": row[7], "longest_queue_ms": row[8]}
        sums = dict(zip(_GROUP, row, strict=False))
        found.append({"name": escape(name), **sums, **times_ms, "median_ms": median, "p95_ms": p95})

    return _capped(found)


def _groups(warehouse: Warehouse, sql: str) -> list[Plain]:
    rows = warehouse.rows(sql)
    return _capped(
        {"name": escape(row[0]), **dict(zip((*_GROUP, "last_at"), row[1:], strict=True))}
        for row in rows
    )


def _capped(rows: Iterable[Plain]) -> list[Plain]:
    """The first ``MAX_GROUPS`` rows, and the sums of the others as one."""
    found: list[Plain] = []
    others: Plain = {}
    for row in rows:
        if len(found) < MAX_GROUPS:
            found.append(row)
            continue

        others = others or {"name": OTHERS, "groups": 0, **dict.fromkeys(_GROUP, 0)}
        others["groups"] += 1
        for key in _GROUP:
            others[key] += row[key] or 0

    return [*found, others] if others else found


def _statements(warehouse: Warehouse) -> list[Plain]:
    """The statements of all rankings, each once, with a masked sample."""
    names = ("n", "failed", "workgroups", "workgroup", "scanned", "billed", "total_ms", "queue_ms")
    chosen: dict[str, tuple[Any, ...]] = {}
    for ranking in _RANKINGS:
        sql = (
            f"SELECT fingerprint, {', '.join(names)}, last_at, query_id, package FROM statements "
            f"WHERE {ranking} > 0 ORDER BY {ranking} DESC, n DESC, fingerprint LIMIT ?"
        )
        chosen.update({row[0]: row for row in warehouse.rows(sql, MAX_STATEMENTS)})

    longest = {row[0]: row[1:] for row in warehouse.rows(_LONGEST, json.dumps(list(chosen)))}
    samples = warehouse.statements((row[-1], row[-2]) for row in chosen.values())
    found = []
    for fingerprint, row in chosen.items():
        figures = dict(zip(names, row[1:9], strict=True))
        longest_ms, longest_queue_ms = longest[fingerprint]
        sample = _masked(*samples[row[-2]]) if row[-2] in samples else ""
        found.append(
            {
                "fingerprint": escape(fingerprint),
                **figures,
                "workgroup": escape(figures["workgroup"]),
                "longest_ms": longest_ms,
                "longest_queue_ms": longest_queue_ms,
                "last_at": row[9],
                "query_id": escape(row[-2]),
                "sql": cut_sql(sample, MAX_SAMPLE_CHARS),
            }
        )

    return found


def _failures(warehouse: Warehouse) -> list[Plain]:
    """The kinds of reasons for which executions failed, the most frequent first."""
    found: dict[str, Plain] = {}
    places: dict[str, set[str]] = {}
    for reason, category, workgroup, count in warehouse.rows(_FAILURES):
        kind = failure_kind(reason, str(category or ""))
        if kind not in found and len(found) >= MAX_FAILURE_KINDS:
            kind = OTHER_KINDS

        if kind not in found:
            example = one_line(mask_text(reason))
            found[kind] = {"kind": escape(kind), "n": 0, "example": example}

        found[kind]["n"] += count
        places.setdefault(kind, set()).add(workgroup)

    ranked = sorted(found.items(), key=lambda item: (-item[1]["n"], item[0]))
    return [{**each, "workgroups": len(places[kind])} for kind, each in ranked]


def _masked(sql: str, statement_type: str, substatement_type: str, status: str) -> str:
    return mask_sql(
        sql,
        statement_type=statement_type or None,
        substatement_type=substatement_type or None,
        is_failed=status != "SUCCEEDED",
    )


def cut_sql(text: str, limit: int) -> str:
    """*text* as harmless lines, cut after *limit* characters with the number of those left out."""
    shown = escape(text[:limit], limit=6 * limit, keep="\n\t")
    return shown if len(text) <= limit else f"{shown}\n... ({len(text) - limit:,} more characters)"
