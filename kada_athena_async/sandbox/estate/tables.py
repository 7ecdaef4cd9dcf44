"""Makes tables from short descriptions: formats, serdes, partitions, projections, sample rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple
from zlib import crc32

from kada_athena_async.sandbox.estate.core_tables import COLUMN_COMMENTS
from kada_athena_async.sandbox.estate.hive_types import sampler, split_top, trino_type
from kada_athena_async.sandbox.estate.model import Column, Table

_HIVE_IO = "org.apache.hadoop.hive.ql.io"
_SERDE = "org.apache.hadoop.hive.serde2"
_TEXT_IN = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUT = f"{_HIVE_IO}.HiveIgnoreKeyTextOutputFormat"


class _Storage(NamedTuple):
    table_format: str
    serde: str | None
    input_format: str | None
    output_format: str | None
    parameters: dict[str, str]


_PARQUET = (
    f"{_HIVE_IO}.parquet.serde.ParquetHiveSerDe",
    f"{_HIVE_IO}.parquet.MapredParquetInputFormat",
    f"{_HIVE_IO}.parquet.MapredParquetOutputFormat",
)

# Athena user guide, "Supported SerDes", "Query Iceberg/Hudi/Delta Lake tables"; Glue's crawlers
# write `classification`.
STORAGE: dict[str, _Storage] = {
    "parquet": _Storage("hive", *_PARQUET, {"EXTERNAL": "TRUE", "classification": "parquet"}),
    "projected": _Storage("hive", *_PARQUET, {"EXTERNAL": "TRUE", "projection.enabled": "true"}),
    "csv": _Storage(
        "hive",
        f"{_SERDE}.OpenCSVSerde",
        _TEXT_IN,
        _TEXT_OUT,
        {"EXTERNAL": "TRUE", "classification": "csv", "skip.header.line.count": "1"},
    ),
    "text": _Storage(
        "hive", f"{_SERDE}.lazy.LazySimpleSerDe", _TEXT_IN, _TEXT_OUT, {"EXTERNAL": "TRUE"}
    ),
    "json": _Storage(
        "hive",
        "org.openx.data.jsonserde.JsonSerDe",
        _TEXT_IN,
        _TEXT_OUT,
        {"EXTERNAL": "TRUE", "classification": "json"},
    ),
    "orc": _Storage(
        "hive",
        f"{_HIVE_IO}.orc.OrcSerde",
        f"{_HIVE_IO}.orc.OrcInputFormat",
        f"{_HIVE_IO}.orc.OrcOutputFormat",
        {"EXTERNAL": "TRUE", "classification": "orc"},
    ),
    "avro": _Storage(
        "hive",
        f"{_SERDE}.avro.AvroSerDe",
        f"{_HIVE_IO}.avro.AvroContainerInputFormat",
        f"{_HIVE_IO}.avro.AvroContainerOutputFormat",
        {"EXTERNAL": "TRUE", "avro.schema.literal": '{"type": "record", "name": "row"}'},
    ),
    "iceberg": _Storage("iceberg", None, None, None, {"table_type": "ICEBERG"}),
    "hudi": _Storage(
        "hudi",
        _PARQUET[0],
        "org.apache.hudi.hadoop.HoodieParquetInputFormat",
        _PARQUET[2],
        {"EXTERNAL": "TRUE", "spark.sql.sources.provider": "hudi"},
    ),
    "delta": _Storage(
        "delta",
        f"{_SERDE}.lazy.LazySimpleSerDe",
        f"{_HIVE_IO}.SymlinkTextInputFormat",
        _TEXT_OUT,
        {"EXTERNAL": "TRUE", "table_type": "DELTA", "spark.sql.sources.provider": "delta"},
    ),
}


def _statistics(line: TableLine) -> dict[str, str]:
    """Statistics of a table's writers, if they write any; drawn from its name, which changes
    nothing else."""
    rows = crc32(line.name.encode()) % 5_000_000
    size_bytes, files = str(rows * 87), str(1 + rows // 100_000)
    if line.kind in ("csv", "json", "parquet"):
        return {
            "UPDATED_BY_CRAWLER": "southern-cross",
            "recordCount": str(rows),
            "sizeKey": size_bytes,
            "objectCount": files,
            "averageRecordSize": "87",
        }

    if line.kind in ("orc", "avro"):  # Hive does not know how many rows it has without ANALYZE
        known = str(rows) if rows % 2 else "-1"
        return {"numRows": known, "totalSize": size_bytes, "numFiles": files}

    if line.kind == "hudi":
        return {
            "spark.sql.statistics.numRows": str(rows),
            "spark.sql.statistics.totalSize": size_bytes,
        }

    return {}


def _with_microseconds(column: Column) -> Column:
    """The column as Trino's Iceberg connector types it; Hive's counts milliseconds."""
    return replace(column, trino_type=column.trino_type.replace("timestamp(3)", "timestamp(6)"))


class TableLine(NamedTuple):
    """A table as ``core_tables`` describes it."""

    schema: str
    name: str
    kind: str
    columns: str
    partitions: str
    comment: str | None


def read_lines(text: str) -> Iterator[tuple[str, str | None, TableLine | None]]:
    """(schema, its description, None) where a schema begins, then (schema, None, table line)."""
    schema = ""
    for line in text.strip().splitlines():
        if line.startswith("["):
            schema, _, description = line[1:].partition("]")
            yield schema, description.strip() or None, None
            continue

        name, kind, columns, *more = (field.strip() for field in line.split("|"))
        partitions, comment = (*more, "", "")[:2]
        yield schema, None, TableLine(schema, name, kind, columns, partitions, comment or None)


def parse_columns(text: str, *, is_partition_key: bool = False) -> tuple[Column, ...]:
    """``a bigint, b array<string>`` as columns, with the comments of ``COLUMN_COMMENTS``."""
    columns = []
    for item in split_top(text, ",") if text else ():
        name, _, hive = item.strip().partition(" ")
        columns.append(
            Column(
                name=name,
                type=hive,
                trino_type=trino_type(hive),
                comment=COLUMN_COMMENTS.get(name),
                is_partition_key=is_partition_key,
            )
        )

    return tuple(columns)


def _projection(partitions: Sequence[Column], location: str) -> dict[str, str]:
    # Athena user guide, "Supported types for partition projection".
    parameters: dict[str, str] = {}
    for column in partitions:
        key = f"projection.{column.name}"
        if column.name == "dt":
            parameters |= {f"{key}.type": "date", f"{key}.range": "2023-01-01,NOW"}
            parameters[f"{key}.format"] = "yyyy-MM-dd"
        else:
            parameters |= {f"{key}.type": "enum", f"{key}.values": "SYD,MEL,BNE,PER,NSW,VIC"}

    path = "/".join(f"{column.name}=${{{column.name}}}" for column in partitions)
    parameters["storage.location.template"] = f"{location}{path}/"
    return parameters


@dataclass(slots=True)
class TableMaker:
    """Makes tables: every choice comes from *rng*, every time is counted back from *now*."""

    rng: Random
    now: datetime

    def table(
        self,
        line: TableLine,
        *,
        columns: tuple[Column, ...] | None = None,
        table_type: str | None = "EXTERNAL_TABLE",
    ) -> Table:
        """A table of the Glue catalog; *columns* instead of the line's when given."""
        storage = STORAGE[line.kind]
        keys = parse_columns(line.partitions, is_partition_key=True)
        location = f"s3://scf-{line.schema.replace('_', '-')}/{line.name}/"
        created, updated = self._ages()
        parameters = storage.parameters | {
            "transient_lastDdlTime": str(int(updated.timestamp())),
        }
        if line.kind == "iceberg":
            metadata = f"{location}metadata/{self.rng.randrange(99999):05d}.metadata.json"
            parameters["metadata_location"] = metadata

        parameters |= _statistics(line)
        if line.kind == "projected":
            parameters |= _projection(keys, location)

        whole = (*(columns or parse_columns(line.columns)), *keys)
        if line.kind == "iceberg":
            whole = tuple(map(_with_microseconds, whole))

        return Table(
            name=line.name,
            table_type=table_type,
            table_format=storage.table_format,
            columns=whole,
            location=location,
            owner=self.rng.choice(("hadoop", "etl", "owner", None)),
            comment=line.comment,
            parameters=parameters,
            serde=storage.serde,
            input_format=storage.input_format,
            output_format=storage.output_format,
            created_at=created,
            updated_at=updated,
            last_access_at=updated if self.rng.random() < 0.1 else None,
            sample_rows=self.rows(whole),
        )

    def federated(self, line: TableLine, catalog: str) -> Table:
        """A table of another catalog: it says less of itself (aws: no location, no serde)."""
        is_hive = line.kind.endswith("_TABLE")
        columns = parse_columns(line.columns)
        return Table(
            name=line.name,
            table_type=line.kind or None,
            table_format="hive" if is_hive else None,
            columns=columns,
            location=f"hdfs://legacy-nn:8020/{line.schema}/{line.name}" if is_hive else None,
            parameters={} if is_hive else {"sourceTable": line.name},
            serde=STORAGE["orc"].serde if is_hive else None,
            created_at=self._ages()[0] if is_hive else None,
            sample_rows=self.rows(columns),
        )

    def rows(self, columns: Sequence[Column]) -> tuple[tuple[object, ...], ...]:
        """3 to 8 rows for *columns*; None in a column that is no longer current."""
        samplers = [
            (column.name, sampler(column.type) if column.is_current else None) for column in columns
        ]
        if columns and columns[0].name.endswith("_id") and columns[0].type == "bigint":
            samplers[0] = (columns[0].name, lambda name, rng, row, now: row)

        rng, now = self.rng, self.now
        return tuple(
            tuple(make and make(name, rng, row, now) for name, make in samplers)
            for row in range(1, 4 + int(rng.random() * 6))
        )

    def _ages(self) -> tuple[datetime, datetime]:
        age_s = int((0.01 + self.rng.random()) * 900 * 86_400)
        created = self.now.replace(microsecond=0) - timedelta(seconds=age_s)
        return created, created + timedelta(seconds=int(age_s * self.rng.random()))
