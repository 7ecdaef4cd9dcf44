"""Statements that change data or explain: their query is checked and counted, data stays."""

from __future__ import annotations

import re

from sqlglot import exp

from kada_athena_async.sandbox.execute.names import NAME
from kada_athena_async.sandbox.execute.outcome import START, StatementFailed
from kada_athena_async.sandbox.execute.parse import parse, position_of
from kada_athena_async.sandbox.execute.select import describe_query, run_query
from kada_athena_async.sandbox.execute.session import Session

_UNLOAD = re.compile(r"UNLOAD\s*\((?P<query>.*)\)\s*TO\s+'s3://[^']+'", re.IGNORECASE | re.DOTALL)
_INSERT = re.compile(
    rf"INSERT\s+INTO\s+(?P<name>{NAME})\s*(?:\((?!\s*(?:SELECT|WITH|VALUES)\b)[^)]*\)\s*)?"
    r"(?P<query>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_EXPLAIN = re.compile(
    r"EXPLAIN\s+(?:ANALYZE\s+)?(?:VERBOSE\s+)?(?:\([^)]*\)\s*)?(?P<query>.*)$",
    re.IGNORECASE | re.DOTALL,
)


def unload(statement: str, session: Session) -> int:
    """Number of rows that UNLOAD would write.

    Raises:
        StatementFailed: Its query fails.
    """
    found = _UNLOAD.match(statement)
    if found is None:
        raise StatementFailed(
            f"{START}: mismatched input 'UNLOAD'. Expecting: UNLOAD (query) TO 's3://'"
        )

    return len(run_query(found["query"], session).rows)


def insert(statement: str, session: Session) -> int:
    """Number of rows that INSERT would write.

    Raises:
        StatementFailed: Its target does not exist or its query fails.
    """
    found = _INSERT.match(statement)
    target = parse(f"SELECT * FROM {found['name']}").find(exp.Table) if found else None
    if found is None or target is None:
        raise StatementFailed(f"{START}: mismatched input 'INSERT'")

    _check_target(target, session)
    return len(run_query(found["query"], session).rows)


def change(statement: str, session: Session) -> int:
    """Number of rows that UPDATE or DELETE would change; 0 for MERGE, OPTIMIZE and VACUUM.

    Raises:
        StatementFailed: The target does not exist or the condition does not resolve.
    """
    tree = parse(statement)
    target = tree.find(exp.Table)
    if target is None:
        return 0

    _check_target(target, session)
    if not isinstance(tree, (exp.Update, exp.Delete)):
        return 0

    query = exp.select("*").from_(exp.table_(target.name, db=target.db, catalog=target.catalog))
    where = tree.args.get("where")
    counted = query.where(where.this.copy()) if where else query
    return len(run_query(counted.sql("athena"), session).rows)


def explain(statement: str, session: Session) -> list[list[str | None]]:
    """A plan, a row a line: what is read and what comes out.

    Raises:
        StatementFailed: The query does not resolve.
    """
    found = _EXPLAIN.match(statement)
    query = found["query"] if found else ""
    tree = parse(query)
    layout: list[str] = []
    if isinstance(tree, exp.Query):
        layout = [f"{name}:{trino}" for name, trino in describe_query(query, session)]

    lines = [
        "Query Plan",
        "Fragment 0 [SINGLE]",
        f"    Output layout: [{', '.join(layout)}]",
        "    Output partitioning: SINGLE []",
        *(f"    TableScan[table = {table.sql('trino')}]" for table in tree.find_all(exp.Table)),
    ]
    return [[line] for line in lines]


def _check_target(target: exp.Table, session: Session) -> None:
    at = position_of(target)
    catalog = session.find_catalog(target.catalog or None, at)
    session.find_table(
        catalog, session.find_schema(catalog, target.db or None, at), target.name, at
    )
