"""Statements of a history masked and analysed a second, and the share that is right.

The statements are the distinct ones of the sandbox's executions, of which the truth is known.
``mask``: ours; sqlglot's tree with its literals replaced; sqlglot's tokens spliced; a few regular
expressions. ``analyse``: ours in one process, and ours through the workers with the whole history,
where each shape is parsed once; sqlglot's own tables and its ``lineage`` of all columns;
sqllineage. A leak is a planted secret that survives; a failure an exception.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage
from sqlglot.schema import MappingSchema
from sqlglot.tokens import TokenType

from benchmarks.frame import Options, median, parse, rounded, show
from kada_athena_async.sandbox.estate.build import build_estate
from kada_athena_async.sandbox.estate.model import Estate, Execution
from kada_athena_async.sandbox.estate.sentinels import SENTINEL_SECRETS
from kada_athena_async.sql.analysis import Analysis, Statement, analyse
from kada_athena_async.sql.fingerprints import fingerprint
from kada_athena_async.sql.masking import mask_sql
from kada_athena_async.sql.schema_index import SchemaIndex
from kada_athena_async.sql.workers import SqlWorkers

SQLLINEAGE = "sqllineage==1.5.9"
_LITERALS = {TokenType.STRING, TokenType.NUMBER, TokenType.HEX_STRING, TokenType.UNICODE_STRING}
_REGULAR = re.compile(r"--[^\n]*|/\*[\s\S]*?\*/|'(?:[^'\\]|\\.|'')*'|\b\d+(?:\.\d+)?\b")
_MAX_CHARS = 16_384
_COLUMNS_SAMPLE = 100
_SQLLINEAGE_SAMPLE = 100
Tables = set[tuple[str, str]]


def measured(
    work: Callable[[Execution], object], executions: Sequence[Execution], repeat: int
) -> tuple[dict[str, object], list[object]]:
    """Statements per second, and what came out for each; None where it raised."""
    rates, results = [], list[object]()
    for _ in range(repeat):
        begun = time.perf_counter()
        results = [_attempt(work, execution) for execution in executions]
        rates.append(len(executions) / (time.perf_counter() - begun))

    failures = sum(result is None for result in results)
    figures = {"statements_per_s": median(rates), "statements": len(executions)}
    return {**figures, "failures": failures}, results


def _attempt(work: Callable[[Execution], object], execution: Execution) -> object:
    try:
        return work(execution)
    except Exception:  # sqlglot raises many kinds; of ours each would show as a failure
        return None


def masked_by_us(execution: Execution) -> str:
    return mask_sql(
        execution.query,
        statement_type=execution.statement_type,
        substatement_type=execution.substatement_type,
        is_failed=execution.state == "FAILED",
    )


def masked_by_tree(execution: Execution) -> str:
    tree = sqlglot.parse_one(execution.query, dialect="athena")
    hidden = tree.transform(lambda n: exp.Placeholder() if isinstance(n, exp.Literal) else n)
    return hidden.sql(dialect="athena", comments=False)


def masked_by_tokens(execution: Execution) -> str:
    sql, pieces, position = execution.query, [], 0
    for token in sqlglot.tokenize(sql, dialect="athena"):
        if token.token_type in _LITERALS:
            pieces += (sql[position : token.start], "?")
            position = token.end + 1

    return "".join((*pieces, sql[position:]))


def masked_by_regular_expressions(execution: Execution) -> str:
    return _REGULAR.sub("?", execution.query)


def bench_masks(executions: Sequence[Execution], repeat: int) -> dict[str, object]:
    """Every way of masking: speed, and planted secrets that survive."""
    ways: dict[str, Callable[[Execution], str]] = {
        "own": masked_by_us,
        "sqlglot_tree": masked_by_tree,
        "sqlglot_tokens": masked_by_tokens,
        "regular_expressions": masked_by_regular_expressions,
    }
    figures: dict[str, object] = {}
    for name, way in ways.items():
        found, texts = measured(way, executions, repeat)
        # A way that raises has nothing to show but the statement as it was.
        shown = (e.query if t is None else str(t) for e, t in zip(executions, texts, strict=True))
        leaks = sum(any(secret in text for secret in SENTINEL_SECRETS) for text in shown)
        figures[name] = {**found, "statements_that_leak": leaks}

    def named(execution: Execution) -> str:
        return fingerprint(execution.query, statement_type=execution.statement_type)

    figures["own_fingerprint"], _ = measured(named, executions, repeat)
    return figures


def statement_of(execution: Execution) -> Statement:
    return Statement(
        sql=execution.query,
        catalog=execution.catalog,
        schema=execution.database,
        statement_type=execution.statement_type,
        substatement_type=execution.substatement_type,
    )


def touched_by_us(analysis: Analysis) -> Tables:
    touched = [read.table for read in analysis.reads]
    touched += [analysis.target] if analysis.target else []
    return {(name.schema, name.table) for name in touched}


def touched_by_sqlglot(execution: Execution) -> Tables:
    tree = sqlglot.parse_one(execution.query, dialect="athena")
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = (t for t in tree.find_all(exp.Table) if t.db or t.name not in ctes)
    return {(t.db or execution.database or "default", t.name) for t in tables if t.name}


def share_right(executions: Iterable[Execution], answers: Iterable[Tables | None]) -> float:
    """The share of statements of which exactly the tables that it touches were found."""
    pairs = list(zip(executions, answers, strict=True))
    right = sum(
        {(ref.schema, ref.table) for ref in (*e.reads, *e.writes)} == answer for e, answer in pairs
    )
    return rounded(right / len(pairs))


def bench_analyses(
    estate: Estate, executions: Sequence[Execution], repeat: int
) -> dict[str, object]:
    """Every way of finding what a statement touches, in one process."""
    schema, nested = SchemaIndex(), {}
    for catalog, in_schema, table in estate.tables():
        names = [column.name for column in table.current_columns]
        schema.add(catalog.name, in_schema.name, table.name, names)
        nested.setdefault(in_schema.name, {})[table.name] = dict.fromkeys(names, "varchar")

    def by_us(execution: Execution) -> Tables:
        return touched_by_us(analyse(statement_of(execution), schema))

    own, answers = measured(by_us, executions, repeat)
    own["tables_right"] = share_right(executions, answers)
    tables, answers = measured(touched_by_sqlglot, executions, repeat)
    tables["tables_right"] = share_right(executions, answers)

    mapping = MappingSchema(nested, dialect="trino", normalize=False)
    selects = [e for e in executions if e.query.startswith(("SELECT", "WITH"))][:_COLUMNS_SAMPLE]

    def columns(execution: Execution) -> object:
        tree = sqlglot.parse_one(execution.query, dialect="athena")
        assert isinstance(tree, exp.Query)
        names = [name for name in tree.named_selects if name and name != "*"]
        return [lineage(name, tree, schema=mapping, dialect="athena") for name in names]

    of_columns, _ = measured(columns, selects, repeat)
    own_columns, _ = measured(by_us, selects, repeat)
    return {
        "own": own,
        "sqlglot_tables": tables,
        "own_of_selects": own_columns,
        "sqlglot_columns_of_selects": of_columns,
        "own_workers_whole_history": asyncio.run(through_workers(estate, schema)),
    }


async def through_workers(estate: Estate, schema: SchemaIndex) -> dict[str, object]:
    """All executions, in batches, through the workers with their cache; starting them included."""
    statements = [statement_of(e) for e in estate.executions.values() if e.state == "SUCCEEDED"]
    begun = time.perf_counter()
    async with SqlWorkers(schema) as workers:
        for start in range(0, len(statements), 500):
            await workers.analyse_many(statements[start : start + 500])

    seconds = time.perf_counter() - begun
    return {"statements_per_s": rounded(len(statements) / seconds), "statements": len(statements)}


def bench_sqllineage(executions: Sequence[Execution], place: Path) -> dict[str, object]:
    """sqllineage in an environment of its own, on a sample."""
    python = place / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", SQLLINEAGE]
        subprocess.run(install, check=True, stdout=sys.stderr)

    sample = executions[:: max(1, len(executions) // _SQLLINEAGE_SAMPLE)][:_SQLLINEAGE_SAMPLE]
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump([[e.query, e.database or "default"] for e in sample], file)
        file.flush()
        script = Path(__file__).parent / "peers" / "sqllineage_tables.py"
        done = subprocess.run(
            [str(python), str(script), file.name], stdout=subprocess.PIPE, text=True, check=True
        )

    report = json.loads(done.stdout.splitlines()[-1])
    answers = [None if t is None else {(s, n) for s, n in t} for t in report.pop("tables")]
    return {**report, "tables_right": share_right(sample, answers)}


def main() -> None:
    """Print the line."""
    options: Options = parse(__doc__ or "", repeat=3)
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL + 1)
    now = datetime(2026, 11, 23, tzinfo=timezone.utc)
    estate = build_estate(now=now, scale=0.05 if options.is_quick else 1.0)
    by_text = {e.query: e for e in estate.executions.values()}
    # The three statements of up to 262,144 bytes would be all that is measured.
    distinct = [e for e in by_text.values() if len(e.query) <= _MAX_CHARS]
    done = [e for e in distinct if e.state == "SUCCEEDED"]
    figures: dict[str, object] = {
        "mask": bench_masks(distinct, options.repeat),
        "analyse": bench_analyses(estate, done, options.repeat),
    }
    if not options.is_quick:
        place = options.environment.parent / "sqllineage"
        figures["sqllineage"] = bench_sqllineage(done, place)
    show("sql", options, figures)


if __name__ == "__main__":
    main()
