"""Trino's types: as DuckDB's for sample data, and from DuckDB's for results."""

from __future__ import annotations

import re
from functools import lru_cache

from sqlglot import exp
from sqlglot.errors import SqlglotError

from kada_athena_async.sandbox.estate.identifiers import quoted

_SIMPLE = {
    exp.DType.BOOLEAN: "BOOLEAN",
    exp.DType.TINYINT: "TINYINT",
    exp.DType.SMALLINT: "SMALLINT",
    exp.DType.INT: "INTEGER",
    exp.DType.BIGINT: "BIGINT",
    exp.DType.FLOAT: "FLOAT",
    exp.DType.DOUBLE: "DOUBLE",
    exp.DType.DATE: "DATE",
    exp.DType.TIMESTAMP: "TIMESTAMP",
    exp.DType.TIMESTAMPTZ: "TIMESTAMPTZ",
    exp.DType.VARBINARY: "BLOB",
    exp.DType.TIME: "TIME",
}

# What DuckDB widens or calls otherwise than Trino would for the same expression.
_OF_DUCKDB = {
    "HUGEINT": "bigint",
    "UBIGINT": "bigint",
    "FLOAT": "real",
    "BLOB": "varbinary",
    "TIMESTAMP": "timestamp(3)",
    "TIMESTAMP_S": "timestamp(3)",
    "TIMESTAMP_MS": "timestamp(3)",
    "TIMESTAMP_NS": "timestamp(3)",
    "TIMESTAMP WITH TIME ZONE": "timestamp(3) with time zone",
    "INTERVAL": "interval day to second",
    "UUID": "varchar",
    "NULL": "unknown",
    '"NULL"': "unknown",
}


@lru_cache(maxsize=4096)
def duckdb_type(trino_type: str) -> str:
    """DuckDB's type for values of a Trino type; text where there is nothing closer."""
    try:
        return _duckdb_of(exp.DataType.build(trino_type, dialect="trino"))
    except SqlglotError:
        return "VARCHAR"


@lru_cache(maxsize=4096)
def trino_type(duckdb_type: str) -> str:
    """The Trino type that a result column of a DuckDB type has."""
    if duckdb_type in _OF_DUCKDB:
        return _OF_DUCKDB[duckdb_type]

    try:
        spelled = exp.DataType.build(duckdb_type, dialect="duckdb").sql("trino").lower()
    except SqlglotError:
        return "varchar"

    return re.sub(r"(decimal\(\d+), ", r"\1,", spelled)


@lru_cache(maxsize=4096)
def hive_type(trino_type: str) -> str:
    """The catalog's spelling of a Trino type, such as ``struct<a:int>``."""
    try:
        spelled = exp.DataType.build(trino_type, dialect="trino").sql("hive").lower()
    except SqlglotError:
        return "string"

    # A timestamp's precision and zone are lost in Hive.
    plain = re.sub(r"timestamp(?:tz)?(?:\(\d+\))?(?: with time zone)?", "timestamp", spelled)
    return plain.replace(": ", ":").replace(", ", ",")


def _duckdb_of(node: exp.DataType) -> str:
    parts = node.expressions
    if node.this == exp.DType.DECIMAL:
        precision, scale = ([int(part.name) for part in parts] + [38, 0][len(parts) :])[:2]
        return f"DECIMAL({precision}, {scale})"

    if node.this == exp.DType.ARRAY and parts:
        return f"{_duckdb_of(parts[0])}[]"

    if node.this == exp.DType.MAP and len(parts) == 2:
        return f"MAP({_duckdb_of(parts[0])}, {_duckdb_of(parts[1])})"

    if node.this == exp.DType.STRUCT and parts:
        fields = (f"{quoted(part.name)} {_duckdb_of(part.args['kind'])}" for part in parts)
        return f"STRUCT({', '.join(fields)})"

    return _SIMPLE.get(node.this, "VARCHAR")
