"""Tables and views as the text of SHOW CREATE and DESCRIBE."""

from __future__ import annotations

from collections.abc import Iterator

from kada_athena_async.sandbox.estate.model import Column, Table
from kada_athena_async.sandbox.execute.names import Place


def create_table_lines(place: Place) -> list[str]:
    """The statement that would create the table, by line."""
    table = place.table
    plain = [column for column in table.current_columns if not column.is_partition_key]
    keys = [column for column in table.current_columns if column.is_partition_key]
    kind = "TABLE" if table.table_format == "iceberg" else "EXTERNAL TABLE"
    lines = [f"CREATE {kind} `{place.schema.name}.{table.name}`(", *_column_lines(plain)]
    if table.comment:
        lines += ["COMMENT ", f"  {_quoted(table.comment)}"]

    if keys:
        lines += ["PARTITIONED BY ( ", *_column_lines(keys)]

    if table.serde:
        lines += ["ROW FORMAT SERDE ", f"  {_quoted(table.serde)} "]

    if table.input_format:
        lines += ["STORED AS INPUTFORMAT ", f"  {_quoted(table.input_format)} "]
        lines += ["OUTPUTFORMAT ", f"  {_quoted(table.output_format or '')}"]

    if table.location:
        lines += ["LOCATION", f"  {_quoted(table.location)}"]

    return lines + _property_lines(table)


def create_view_lines(place: Place) -> list[str]:
    """The statement that would create the view, by line."""
    name = f"{place.catalog.name}.{place.schema.name}.{place.table.name}".lower()
    return [f"CREATE VIEW {name} AS", *(place.table.view_sql or "").split("\n")]


def describe_lines(table: Table, pad: int) -> Iterator[str]:
    """Lines of DESCRIBE: fields padded to *pad*, between tabs; then the partition keys."""
    is_iceberg = table.table_format == "iceberg"
    if is_iceberg:
        yield from ("# Table schema:\t\t", "# col_name\tdata_type\tcomment")

    for column in table.current_columns:
        yield _padded(column.name.lower(), column.type, column.comment or "", pad=pad)

    keys = [column for column in table.current_columns if column.is_partition_key]
    if is_iceberg:
        yield from ("\t\t", "# Partition spec:\t\t", "# field_name\tfield_transform\tcolumn_name")
        yield from (f"{key.name.lower()}\tidentity\t{key.name.lower()}" for key in keys)
    elif keys:
        yield from ("\t \t ", "# Partition Information\t \t ")
        yield _padded("# col_name", "data_type", "comment", pad=pad)
        yield "\t \t "
        for key in keys:
            yield _padded(key.name.lower(), key.type, key.comment or "", pad=pad)


def _padded(*fields: str, pad: int) -> str:
    return "\t".join(field.replace("\n", "\\n").ljust(pad) for field in fields)


def _column_lines(columns: list[Column]) -> list[str]:
    lines = [
        f"  `{column.name.lower()}` {column.type}"
        + (f" COMMENT {_quoted(column.comment)}" if column.comment else "")
        for column in columns
    ]
    return _joined(lines)


def _property_lines(table: Table) -> list[str]:
    if not table.parameters:
        return []

    pairs = [f"  {_quoted(k)}={_quoted(v)}" for k, v in sorted(table.parameters.items())]
    return ["TBLPROPERTIES (", *_joined(pairs)]


def _joined(lines: list[str]) -> list[str]:
    return [line + ", " for line in lines[:-1]] + [line + ")" for line in lines[-1:]]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
