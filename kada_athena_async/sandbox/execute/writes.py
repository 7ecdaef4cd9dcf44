"""Statements that change data: their query is checked and counted, data stays."""

from __future__ import annotations

import re

from sqlglot import exp

from kada_athena_async.sandbox.execute.names import NAME
from kada_athena_async.sandbox.execute.outcome import START, StatementFailed
from kada_athena_async.sandbox.execute.parse import parse, position_of
from kada_athena_async.sandbox.execute.select import run_query
from kada_athena_async.sandbox.execute.session import Session

_UNLOAD = re.compile(r"UNLOAD\s*\((?P<query>.*)\)\s*TO\s+'s3://[^']+'", re.IGNORECASE | re.DOTALL)
_INSERT = re.compile(
    rf"INSERT\s+INTO\s+(?P<name>{NAME})\s*(?:\((?!\s*(?:SELECT|WITH|VALUES)\b)[^)]*\)\s*)?"
    r"(?P<query>.*)$",
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


def _check_target(target: exp.Table, session: Session) -> None:
    at = position_of(target)
    catalog = session.find_catalog(target.catalog or None, at)
    session.find_table(
        catalog, session.find_schema(catalog, target.db or None, at), target.name, at
    )
