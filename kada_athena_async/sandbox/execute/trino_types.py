"""Trino's types: as Arrow types for sample data, and from DuckDB's for results."""

from __future__ import annotations

import re
from functools import lru_cache

import pyarrow as pa
from sqlglot import exp
from sqlglot.errors import SqlglotError

_SIMPLE = {
    exp.DType.BOOLEAN: pa.bool_(),
    exp.DType.TINYINT: pa.int8(),
    exp.DType.SMALLINT: pa.int16(),
    exp.DType.INT: pa.int32(),
    exp.DType.BIGINT: pa.int64(),
    exp.DType.FLOAT: pa.float32(),
    exp.DType.DOUBLE: pa.float64(),
    exp.DType.DATE: pa.date32(),
    exp.DType.TIMESTAMP: pa.timestamp("us"),
    exp.DType.TIMESTAMPTZ: pa.timestamp("us", tz="UTC"),
    exp.DType.VARBINARY: pa.binary(),
    exp.DType.TIME: pa.time64("us"),
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
def arrow_type(trino_type: str) -> pa.DataType:
    """The Arrow type for values of a Trino type; a string where there is nothing closer."""
    try:
        return _arrow_of(exp.DataType.build(trino_type, dialect="trino"))
    except SqlglotError:
        return pa.string()


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


def _arrow_of(node: exp.DataType) -> pa.DataType:
    parts = node.expressions
    if node.this == exp.DType.DECIMAL:
        precision, scale = ([int(part.name) for part in parts] + [38, 0][len(parts) :])[:2]
        return pa.decimal128(precision, scale)

    if node.this == exp.DType.ARRAY and parts:
        return pa.list_(_arrow_of(parts[0]))

    if node.this == exp.DType.MAP and len(parts) == 2:
        return pa.map_(_arrow_of(parts[0]), _arrow_of(parts[1]))

    if node.this == exp.DType.STRUCT and parts:
        return pa.struct([(part.name, _arrow_of(part.args["kind"])) for part in parts])

    return _SIMPLE.get(node.this, pa.string())
