"""Reads statements with sqlglot, independently of how the estate made them."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp

from kada_athena_async.sandbox.estate.model import Execution, TableRef

_PREFIX = re.compile(
    r"\A\s*(?:EXPLAIN(?:\s+ANALYZE)?|PREPARE\s+\w+\s+FROM|UNLOAD\s*(?=\()|(?=EXECUTE\s+IMMEDIATE))\s*",
    re.IGNORECASE,
)
_UNLOAD_TAIL = re.compile(r"\)\s*TO\s+'[^']*'.*\Z", re.DOTALL)
_COMMAND = re.compile(
    r"\A\s*(?:ALTER TABLE|MSCK REPAIR TABLE|OPTIMIZE|VACUUM|DROP (?:TABLE|VIEW) IF EXISTS)"
    r"\s+(\S+)",
    re.IGNORECASE,
)
_METADATA = re.compile(r"\$(?:partitions|history|files|snapshots|manifests)\Z")


class NotRead(Exception):
    """sqlglot makes nothing of the statement; the reader says nothing of it."""


def _ref(catalog: str, schema: str, table: str, database: str | None) -> TableRef:
    if not catalog or catalog.lower() == "awsdatacatalog":
        catalog = "AwsDataCatalog"
        schema, table = schema.lower(), table.lower()

    return TableRef(catalog, schema or database or "", _METADATA.sub("", table))


def _tables(tree: exp.Expr, database: str | None) -> set[TableRef]:
    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    refs = set()
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue

        if not table.db and table.name.lower() in ctes:
            continue

        refs.add(_ref(table.catalog, table.db, table.name, database))

    return refs


def tables_of(execution: Execution) -> tuple[set[TableRef], set[TableRef]]:
    """(reads, writes) as sqlglot sees them.

    Raises:
        NotRead: It sees nothing.
    """
    sql = execution.query
    command = _COMMAND.match(sql)
    if command:
        parts = [part.strip('`"') for part in re.findall(r'`[^`]+`|"[^"]+"|[^.]+', command[1])]
        catalog, schema, table = [*[""] * (3 - len(parts)), *parts]
        return set(), {_ref(catalog, schema, table, execution.database)}

    stripped = _PREFIX.sub("", sql, count=1)
    if sql.lstrip().upper().startswith("UNLOAD"):
        stripped = _UNLOAD_TAIL.sub("", stripped).strip()[1:]

    try:
        tree = sqlglot.parse_one(stripped, read="athena")
    except sqlglot.errors.SqlglotError as error:
        raise NotRead from error

    if isinstance(tree, exp.Command) or tree is None:
        raise NotRead

    if isinstance(tree, exp.Describe) or (
        isinstance(tree, exp.Create) and tree.kind in ("SCHEMA", "DATABASE")
    ):
        return set(), set()

    target = _target(tree)
    refs = _tables(tree, execution.database)
    if target is None:
        return refs, set()

    written = _ref(target.catalog, target.db, target.name, execution.database)
    if isinstance(tree, exp.Create | exp.Insert) and not _occurs_twice(tree, target):
        refs.discard(written)

    return refs, {written}


def _target(tree: exp.Expr) -> exp.Table | None:
    if isinstance(tree, exp.Create | exp.Insert | exp.Merge | exp.Update | exp.Delete):
        found = tree.this.find(exp.Table)
        assert isinstance(found, exp.Table)
        return found

    return None


def _occurs_twice(tree: exp.Expr, target: exp.Table) -> bool:
    wanted = (target.db, target.name)
    return sum((table.db, table.name) == wanted for table in tree.find_all(exp.Table)) > 1
