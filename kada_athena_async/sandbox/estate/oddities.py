"""One table of every awkward kind that Athena's catalog can hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kada_athena_async.sandbox.estate.hive_types import trino_type
from kada_athena_async.sandbox.estate.model import Column, Table
from kada_athena_async.sandbox.estate.tables import TableLine, TableMaker, parse_columns

ODD_SCHEMAS: dict[str, str | None] = {
    "data-quality": "Checks, with a hyphen in the name",
    "2024_close": "Leading digit; 'quoted', \"doubly\", and\na second line",
}

TRICKY_COMMENTS = (
    "plain",
    'it\'s said to be "final", they say',
    "first line\nsecond line\r\nthird, after CR LF",
    "tab\there, comma, semicolon; pipe|",
    "größe der Sendung · 配送の状態 · состояние · حالة الشحنة",
    "emoji 🚚📦 and a family 👨‍👩‍👧",
    "",
    "   ",
    "=cmd|' /C calc'!A0",
    "ends in a backslash \\",
    "NULL",
    "zero width\u200b, non-breaking\u00a0, line separator\u2028 end",
    None,
)

# Athena's own name limit is 128 characters, Glue's is 255 (aws: GetTableMetadata rejects more).
NAME_AT_ATHENA_LIMIT = "consignment_note_" + "x" * (128 - len("consignment_note_"))
NAME_OVER_ATHENA_LIMIT = "consignment_history_" + "y" * (200 - len("consignment_history_"))

_LINES = (
    TableLine("data-quality", "order-checks", "parquet", "order_id bigint, passed boolean", "", ""),
    TableLine("data-quality", "select", "parquet", "from_id bigint, reason string", "", None),
    TableLine("2024_close", "2024_sales", "parquet", "sale_id bigint, amount double", "", None),
    TableLine("2024_close", "_tmp_load", "csv", "row_id bigint, line string", "", None),
    TableLine("default", "promo$codes", "parquet", "code string, uses int", "", None),
    TableLine("default", "größen_übersicht", "parquet", "paket string, länge double", "", None),
    TableLine(
        "default", "売上_明細", "json", "売上_id bigint, 金額 decimal(12,2)", "", "売上の明細"
    ),
    TableLine("default", "order", "orc", "group string, select int, `from` string", "", None),
    TableLine("archive_2019", NAME_AT_ATHENA_LIMIT, "text", "note_id bigint", "", None),
    TableLine("archive_2019", NAME_OVER_ATHENA_LIMIT, "text", "note_id bigint", "", None),
)


_OTHERS: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    # Made through Glue's API without TableType, as CloudFormation templates forget it.
    (
        *("raw_landing", "crawled_fragments", "json", "fragment_id bigint, body string"),
        {"table_type": None},
    ),
    ("logistics", "holidays", "orc", "day date, region string", {"table_type": "MANAGED_TABLE"}),
    # As Spark registers a Delta table: the columns are a dummy, the schema is in its log.
    ("curated", "delta_unsynced", "delta", "col array<string>", {}),
    (
        "curated",
        "shared_rates",
        "parquet",
        "rate_id bigint, rate double",
        {"table_type": "customer"},
    ),
)


def odd_tables(maker: TableMaker) -> Iterator[tuple[str, Table]]:
    """(schema, table) for each oddity; the same kinds at any scale."""
    for line in _LINES:
        columns = parse_columns(line.columns.replace("`", ""))
        yield line.schema, maker.table(line, columns=columns)

    yield "sales", dropped_column(maker)
    yield "data-quality", _comments(maker)
    yield "finance", _long_type(maker)
    names = "TransactionID bigint, StoreCode string, TotalInclGST double"
    yield "sales", maker.table(_line("sales", "pos_import", "csv"), columns=parse_columns(names))
    yield "data-quality", _every_type(maker)
    for schema, name, kind, text, more in _OTHERS:
        line = _line(schema, name, kind)
        yield schema, maker.table(line, columns=parse_columns(text), **more)


def _line(schema: str, name: str, kind: str) -> TableLine:
    return TableLine(schema, name, kind, "", "", None)


def dropped_column(maker: TableMaker) -> Table:
    """``sales.returns``: an Iceberg table that lost its third column, which Glue still lists."""
    columns = list(parse_columns("return_id bigint, order_id bigint, reason string, amount double"))
    gone = Column(
        name="reason_code",
        type="int",
        trino_type="integer",
        comment="dropped in 2024",
        is_current=False,
    )
    columns.insert(2, gone)
    return maker.table(_line("sales", "returns", "iceberg"), columns=tuple(columns))


def _comments(maker: TableMaker) -> Table:
    columns = tuple(
        Column(name=f"note_{index:02d}", type="string", trino_type="varchar", comment=comment)
        for index, comment in enumerate(TRICKY_COMMENTS)
    )
    table = maker.table(_line("data-quality", "tricky_comments", "parquet"), columns=columns)
    return replace(table, comment='said "hello",\nleft; a comma, a tab\tand 貨物 🚚')


def _long_type(maker: TableMaker) -> Table:
    # Athena's model caps a column's Type at 4,096 characters, Glue's at 131,072.
    fields = ",".join(f"cost_centre_{i:03d}_amount:decimal(18,4)" for i in range(150))
    hive = f"struct<{fields}>"
    columns = (
        *parse_columns("snapshot_id bigint"),
        Column(name="matrix", type=hive, trino_type=trino_type(hive), comment="wide"),
    )
    return maker.table(_line("finance", "cost_matrix", "parquet"), columns=columns)


def _every_type(maker: TableMaker) -> Table:
    text = (
        "c_tinyint tinyint, c_smallint smallint, c_int int, c_bigint bigint, c_boolean boolean, "
        "c_float float, c_double double, c_decimal decimal(38,18), c_char char(10), "
        "c_varchar varchar(255), c_string string, c_binary binary, c_date date, "
        "c_timestamp timestamp, c_array array<int>, c_map map<string,array<double>>, "
        "c_struct struct<a:int,b:struct<c:string,d:array<struct<e:date,f:map<string,bigint>>>>>, "
        "c_odd_fields struct<my-field:int,Other:string>"
    )
    return maker.table(_line("data-quality", "every_type", "parquet"), columns=parse_columns(text))
