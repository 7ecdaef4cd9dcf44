"""CREATE, DROP and ALTER: what they change in the estate, so that the next statement sees it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sqlglot import exp

from kada_athena_async.sandbox.estate.model import Catalog, Column, Schema, Table
from kada_athena_async.sandbox.execute.names import (
    NAME,
    match_statement,
    place_schema,
    place_table,
    split_name,
)
from kada_athena_async.sandbox.execute.outcome import START, StatementFailed
from kada_athena_async.sandbox.execute.parse import parse
from kada_athena_async.sandbox.execute.select import describe_query, run_query
from kada_athena_async.sandbox.execute.session import Session, table_named
from kada_athena_async.sandbox.execute.show import DDL_TASK, DDL_TASK_FAILED
from kada_athena_async.sandbox.execute.trino_types import hive_type

_EXISTS = r"(?:\s+IF\s+(?:NOT\s+)?EXISTS)?"
_DATABASE = re.compile(
    rf"(?:CREATE|DROP)\s+(?:DATABASE|SCHEMA){_EXISTS}\s+(?P<name>{NAME})"
    r"(?:\s+COMMENT\s+'(?P<comment>[^']*)')?(?:\s+LOCATION\s+'(?P<location>[^']*)')?",
    re.IGNORECASE,
)
_VIEW = re.compile(
    rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?.*?VIEW\s+(?P<name>{NAME})\s+"
    r"(?:\([^)]*\)\s+)?(?:COMMENT\s+'[^']*'\s+)?(?:SECURITY\s+\w+\s+)?AS\s+(?P<query>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_CTAS = re.compile(
    rf"CREATE\s+TABLE{_EXISTS}\s+(?P<name>{NAME})\s+(?P<options>(?:(?!\bAS\b).)*?)"
    r"\bAS\s*(?P<query>\(?\s*(?:SELECT|WITH|VALUES|TABLE)\b.*)$",
    re.IGNORECASE | re.DOTALL,
)
_OBJECT = re.compile(
    rf"(?:DROP|ALTER|MSCK\s+REPAIR)\s+(?:TABLE|VIEW){_EXISTS}\s+(?P<name>{NAME})", re.IGNORECASE
)
_CONDITIONAL = re.compile(r"\bIF\s+(?:NOT\s+)?EXISTS\b", re.IGNORECASE)


def create_database(statement: str, session: Session) -> None:
    """Add a schema.

    Raises:
        StatementFailed: It exists and the statement does not say IF NOT EXISTS.
    """
    found = match_statement(_DATABASE, statement)
    *catalog_part, name = split_name(found["name"])
    catalog = session.find_catalog(catalog_part[0] if catalog_part else None)
    if name not in catalog.schemas:
        catalog.schemas[name] = Schema(
            name=name,
            description=found["comment"],
            location=found["location"],
            created_at=session.now,
        )
    elif not _CONDITIONAL.search(statement):
        raise _already_exists(f"Database {name}")


def drop_database(statement: str, session: Session) -> None:
    """Remove a schema.

    Raises:
        StatementFailed: It does not exist, or it has tables and the statement does not say CASCADE.
    """
    found = match_statement(_DATABASE, statement)
    try:
        catalog, schema = place_schema(found["name"], session)
    except StatementFailed:
        if _CONDITIONAL.search(statement):
            return

        raise

    if schema.tables and not re.search(r"\bCASCADE\s*$", statement, re.IGNORECASE):
        raise StatementFailed(
            f"{DDL_TASK} InvalidOperationException(message:Database {schema.name} is not empty. "
            "One or more tables exist.)",
            type=DDL_TASK_FAILED,
        )

    del catalog.schemas[schema.name]


def create_table(statement: str, session: Session) -> None:
    """Add a table from its Hive definition; one that only the grammar knows adds nothing.

    Raises:
        StatementFailed: The definition cannot be parsed, or the table exists.
    """
    tree = parse(statement)
    definition = tree.this if isinstance(tree, exp.Create) else None
    if not isinstance(definition, exp.Schema):
        return

    _, schema, name = _new_table(definition.this.sql("trino"), session)
    if table_named(schema, name) is None:
        schema.tables[name] = _defined_table(name, tree, definition, session.now)
    elif not _CONDITIONAL.search(statement):
        raise _already_exists(f"Table {schema.name}.{name}")


def create_table_as(statement: str, session: Session) -> int:
    """Add a table with the columns of a query; how many rows the query gives is returned.

    Raises:
        StatementFailed: The query fails, or the table exists.
    """
    found = match_statement(_CTAS, statement)
    catalog, schema, name = _new_table(found["name"], session)
    result = run_query(found["query"], session)
    if table_named(schema, name) is not None:
        if _CONDITIONAL.search(statement):
            return 0

        full = f"{catalog.name}.{schema.name}.{name}".lower()
        raise StatementFailed(
            f"TABLE_ALREADY_EXISTS: {START}: Destination table '{full}' already exists"
        )

    options = found["options"]
    is_iceberg = re.search(r"table_type\s*=\s*'iceberg'", options, re.IGNORECASE) is not None
    keys = _listed(r"(?:partitioned_by|partitioning)\s*=\s*ARRAY\s*\[([^\]]*)\]", options)
    place = re.search(r"(?:external_location|location)\s*=\s*'([^']*)'", options, re.IGNORECASE)
    schema.tables[name] = Table(
        name=name,
        table_type="EXTERNAL_TABLE",
        table_format="iceberg" if is_iceberg else "hive",
        columns=_columns(result.columns, keys),
        location=place[1] if place else None,
        parameters={"table_type": "ICEBERG"} if is_iceberg else {"EXTERNAL": "TRUE"},
        created_at=session.now,
        updated_at=session.now,
    )
    return len(result.rows)


def create_view(statement: str, session: Session) -> None:
    """Add a view, or replace one.

    Raises:
        StatementFailed: The query does not resolve, or the name is taken.
    """
    found = match_statement(_VIEW, statement)
    _, schema, name = _new_table(found["name"], session)
    existing = table_named(schema, name)
    if existing and not (found["replace"] and existing.is_view):
        raise StatementFailed(f"VIEW_ALREADY_EXISTS: line 1:1: View already exists: '{name}'")

    query = found["query"].strip()
    schema.tables[name] = Table(
        name=name,
        table_type="VIRTUAL_VIEW",
        table_format=None,
        columns=_columns(describe_query(query, session)),
        comment="Presto View",
        parameters={"presto_view": "true", "comment": "Presto View"},
        created_at=existing.created_at if existing else session.now,
        updated_at=session.now,
        view_sql=query,
        view_dialect="athena",
        view_schema=session.database,
    )


def drop_table(statement: str, session: Session) -> None:
    """Remove a table or view.

    Raises:
        StatementFailed: It does not exist and the statement does not say IF EXISTS.
    """
    try:
        place = place_table(match_statement(_OBJECT, statement)["name"], session)
    except StatementFailed:
        if _CONDITIONAL.search(statement):
            return

        raise

    del place.schema.tables[place.table.name]


def alter_table(statement: str, session: Session) -> None:
    """Accept a change to a table that exists; the estate stays as it is.

    Raises:
        StatementFailed: The table does not exist.
    """
    place_table(match_statement(_OBJECT, statement)["name"], session)


def _new_table(name: str, session: Session) -> tuple[Catalog, Schema, str]:
    *schema_parts, table = split_name(name)
    catalog, schema = place_schema(".".join(map("`{}`".format, schema_parts)) or None, session)
    return catalog, schema, table


def _defined_table(
    name: str, tree: exp.Expr, definition: exp.Schema, now: datetime | None
) -> Table:
    properties = tree.args.get("properties") or exp.Properties(expressions=[])
    partitioned = properties.find(exp.PartitionedByProperty)
    keys = partitioned.find_all(exp.ColumnDef) if partitioned else ()
    location = properties.find(exp.LocationProperty)
    comment = properties.find(exp.SchemaCommentProperty)
    parameters = {
        p.name: p.args["value"].name for p in properties.expressions if type(p) is exp.Property
    }
    is_iceberg = parameters.get("table_type", "").lower() == "iceberg"
    return Table(
        name=name,
        table_type="EXTERNAL_TABLE",
        table_format="iceberg" if is_iceberg else "hive",
        columns=(
            *(_defined(column) for column in definition.expressions),
            *(_defined(key, is_key=True) for key in keys),
        ),
        location=location.name if location else None,
        comment=comment.name if comment else None,
        parameters={"EXTERNAL": "TRUE", **parameters},
        created_at=now,
        updated_at=now,
    )


def _defined(column: exp.Expr, *, is_key: bool = False) -> Column:
    if not column.args.get("kind"):
        raise StatementFailed(
            f"FAILED: ParseException {START} cannot recognize input near '{column.name}'"
        )

    comment = column.find(exp.CommentColumnConstraint)
    trino = column.args["kind"].sql("trino").lower()
    return Column(
        name=column.name.lower(),
        type=hive_type(trino),
        trino_type=trino,
        comment=comment.name if comment else None,
        is_partition_key=is_key,
    )


def _columns(described: Sequence[tuple[str, str]], keys: Sequence[str] = ()) -> tuple[Column, ...]:
    columns = [
        Column(
            name=name.lower(),
            type=hive_type(trino),
            trino_type=trino,
            is_partition_key=name.lower() in keys,
        )
        for name, trino in described
    ]
    return tuple(sorted(columns, key=lambda column: column.is_partition_key))


def _listed(pattern: str, options: str) -> list[str]:
    found = re.search(pattern, options, re.IGNORECASE)
    return [name.lower() for name in re.findall(r"'([^']*)'", found[1])] if found else []


def _already_exists(what: str) -> StatementFailed:
    return StatementFailed(
        f"{DDL_TASK} AlreadyExistsException(message:{what} already exists.)", type=DDL_TASK_FAILED
    )
