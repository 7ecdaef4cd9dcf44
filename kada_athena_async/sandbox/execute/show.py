"""Answers SHOW statements from the estate."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kada_athena_async.sandbox.execute.describe import (
    create_table_lines,
    create_view_lines,
    describe_lines,
)
from kada_athena_async.sandbox.execute.names import (
    NAME,
    match_statement,
    place_schema,
    place_table,
    split_name,
)
from kada_athena_async.sandbox.execute.outcome import START, StatementFailed
from kada_athena_async.sandbox.execute.sample_data import partition_values
from kada_athena_async.sandbox.execute.session import Session

DDL_TASK = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask."
DDL_TASK_FAILED = 1003

# Athena pads what DESCRIBE and SHOW COLUMNS print to this many characters.
PAD = 20

Shown = tuple[tuple[str, ...], list[list[str | None]]]

_LIKE = r"(?:\s+(?:LIKE\s+)?'(?P<pattern>[^']*)')?"
_IN = rf"(?:\s+(?:IN|FROM)\s+(?P<schema>{NAME}))?"
_DATABASES = re.compile(rf"SHOW\s+(?:DATABASES|SCHEMAS){_IN}{_LIKE}$", re.IGNORECASE)
_TABLES = re.compile(rf"SHOW\s+(?:TABLES|VIEWS){_IN}{_LIKE}$", re.IGNORECASE)
_COLUMNS = re.compile(rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+(?P<table>{NAME}){_IN}$", re.IGNORECASE)
_OF_TABLE = re.compile(
    rf"(?:SHOW\s+(?:CREATE\s+)?\w+|DESC(?:RIBE)?)(?:\s+(?:EXTENDED|FORMATTED)(?=\s))?"
    rf"\s+(?P<table>{NAME})(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_PROPERTY = re.compile(r"\s*\(\s*'(?P<name>[^']*)'\s*\)\s*$")


def show_databases(statement: str, session: Session) -> Shown:
    """SHOW DATABASES or SCHEMAS, narrowed by a pattern."""
    found = match_statement(_DATABASES, statement)
    catalog = session.find_catalog(split_name(found["schema"])[0] if found["schema"] else None)
    names = (schema.name.lower() for schema in list(catalog.schemas.values()))
    return ("database_name",), _cells(_like(names, found["pattern"]))


def show_tables(statement: str, session: Session) -> Shown:
    """SHOW TABLES: tables and views."""
    found = match_statement(_TABLES, statement)
    _, schema = place_schema(found["schema"], session)
    names = (table.name.lower() for table in list(schema.tables.values()))
    return ("tab_name",), _cells(_like(names, found["pattern"]))


def show_views(statement: str, session: Session) -> Shown:
    """SHOW VIEWS: only what Athena made; a Hive view it does not know as a view."""
    found = match_statement(_TABLES, statement)
    _, schema = place_schema(found["schema"], session)
    views = (t.name.lower() for t in list(schema.tables.values()) if t.view_dialect == "athena")
    return ("views",), _cells(_like(views, found["pattern"]))


def show_columns(statement: str, session: Session) -> Shown:
    """SHOW COLUMNS: names, padded."""
    found = match_statement(_COLUMNS, statement)
    name = f"{found['schema']}.{found['table']}" if found["schema"] else found["table"]
    table = place_table(name, session).table
    return ("field",), _cells(c.name.lower().ljust(PAD) for c in table.current_columns)


def show_partitions(statement: str, session: Session) -> Shown:
    """SHOW PARTITIONS: ``key=value/key=value`` of what the sample rows hold."""
    place = place_table(match_statement(_OF_TABLE, statement)["table"], session)
    keys = [c.name.lower() for c in place.table.current_columns if c.is_partition_key]
    if not keys:
        raise StatementFailed(
            f"{DDL_TASK} Table {place.schema.name}.{place.table.name} is not a partitioned table",
            type=DDL_TASK_FAILED,
        )

    rows = partition_values(place.table)
    return ("partition",), _cells(
        "/".join(f"{key}={value}" for key, value in zip(keys, row, strict=True)) for row in rows
    )


def show_properties(statement: str, session: Session) -> Shown:
    """SHOW TBLPROPERTIES, of all properties or of the one in brackets."""
    found = match_statement(_OF_TABLE, statement)
    wanted = _PROPERTY.match(found["rest"])
    parameters = place_table(found["table"], session).table.parameters
    return ("prpt_name", "prpt_value"), [
        [name, value]
        for name, value in sorted(parameters.items())
        if wanted is None or wanted["name"] == name
    ]


def show_create_table(statement: str, session: Session) -> Shown:
    """SHOW CREATE TABLE, a row a line."""
    place = place_table(match_statement(_OF_TABLE, statement)["table"], session)
    if place.table.is_view:
        raise StatementFailed(
            f"{DDL_TASK} {place.schema.name}.{place.table.name} is a view, not a table",
            type=DDL_TASK_FAILED,
        )

    return ("createtab_stmt",), _cells(create_table_lines(place))


def show_create_view(statement: str, session: Session) -> Shown:
    """SHOW CREATE VIEW, a row a line."""
    place = place_table(match_statement(_OF_TABLE, statement)["table"], session)
    if place.table.view_dialect != "athena":
        full = f"{place.catalog.name}.{place.schema.name}.{place.table.name}".lower()
        raise StatementFailed(f"NOT_SUPPORTED: {START}: Relation '{full}' is a table, not a view")

    return ("create view",), _cells(create_view_lines(place))


def describe_table(statement: str, session: Session) -> Shown:
    """DESCRIBE: one padded cell a row, though Athena announces three columns."""
    table = place_table(match_statement(_OF_TABLE, statement)["table"], session).table
    return ("col_name", "data_type", "comment"), _cells(describe_lines(table, PAD))


def _like(names: Iterable[str], pattern: str | None) -> list[str]:
    """The names that match a Hive pattern: a regular expression where a lone ``*`` means any."""
    if not pattern:
        return sorted(names)

    try:
        matches = re.compile(re.sub(r"(?<!\.)\*", ".*", pattern), re.IGNORECASE).fullmatch
    except re.error as error:
        raise StatementFailed(f"{DDL_TASK} {error}: {pattern}", type=DDL_TASK_FAILED) from error

    return sorted(name for name in names if matches(name))


def _cells(values: Iterable[str]) -> list[list[str | None]]:
    return [[value] for value in values]
