"""Result sets as GetQueryResults gives them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from kada_athena_async.sandbox.wire import Json

Row = Sequence["str | None"]
Columns = Sequence[tuple[str, str]]

# Precision that Athena gives for types without one of their own.
_PRECISION = {
    "boolean": 0,
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "real": 17,
    "float": 17,
    "double": 17,
    "varchar": 2147483647,
    "char": 2147483647,
    "varbinary": 1073741824,
    "timestamp": 3,
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_LENGTH = re.compile(r"(?:var)?char\((\d+)\)")


def to_metadata(columns: Columns) -> bytes:
    """The binary companion of a result object; opaque to everyone but Athena."""
    return b"\x08\x01\x12" + msgspec.json.encode([list(column) for column in columns])


def result_page(columns: Columns, rows: Sequence[Row], update_count: int | None) -> Json:
    """GetQueryResults' answer without its token; *rows* include a header row if there is one."""
    data = [{"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in rows]
    return {
        "UpdateCount": update_count or 0,
        "ResultSet": {
            "Rows": data,
            "ResultSetMetadata": {"ColumnInfo": [_column_info(n, t) for n, t in columns]},
        },
    }


def _column_info(name: str, trino_type: str) -> Json:
    decimal = _DECIMAL.match(trino_type)
    length = _LENGTH.match(trino_type)
    plain = re.split(r"[(\s]", trino_type, maxsplit=1)[0]
    precision, scale = _PRECISION.get(plain, 0), 0
    if decimal:
        precision, scale = int(decimal[1]), int(decimal[2])
    elif length:
        precision = int(length[1])

    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": plain,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": plain in ("varchar", "char"),
    }
