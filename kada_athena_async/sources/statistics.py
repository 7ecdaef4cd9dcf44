"""Rows, bytes and files of a table, as those who wrote it left them in the catalog; pure.

No call is made for them. Sources: AWS Glue Developer Guide, "Parameters set on Data Catalog tables
by crawler"; Apache Hive, ``StatsSetupConst``; Apache Spark, ``HiveExternalCatalog``; Trino's Hive
connector, which Athena's INSERT and CREATE TABLE AS run; Apache Iceberg, ``HiveTableOperations``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from kada_athena_async.aws.wire import moment

_MAX_DIGITS = 18
_ENGINE_MARKS = ("presto_query_id", "presto_version", "trino_query_id", "trino_version")


class TableStatistics(NamedTuple):
    """Statistics of a table's size; None where no source has them.

    Attributes:
        at: When the figures were written, or the last time at which they can have been.
        source: Who wrote them: ``iceberg``, ``spark``, ``athena``, ``hive`` or ``crawler``.
    """

    row_count: int | None = None
    size_bytes: int | None = None
    file_count: int | None = None
    at: datetime | None = None
    source: str | None = None


UNKNOWN = TableStatistics()


def statistics_of(
    parameters: Mapping[str, str] | None, updated_at: datetime | None
) -> TableStatistics:
    """The statistics in a table's *parameters*, all of them from one writer.

    Where several wrote some, those count that are exact (Iceberg's snapshot) or computed on
    purpose (Spark's ANALYZE) before those that are kept along the way. -1 means unknown.

    Args:
        updated_at: When the table's entry was last changed.
    """
    if not parameters:
        return UNKNOWN

    written_at = _moment(parameters.get("transient_lastDdlTime"), 1) or updated_at
    keeper = "athena" if any(mark in parameters for mark in _ENGINE_MARKS) else "hive"
    found = (
        _of_iceberg(parameters),
        _made("spark", parameters, _SPARK, written_at),
        _made(keeper, parameters, _HIVE, written_at),
        _made("crawler", parameters, _CRAWLER, updated_at),
    )
    return next((statistics for statistics in found if statistics is not None), UNKNOWN)


_SPARK = ("spark.sql.statistics.numRows", "spark.sql.statistics.totalSize", "")
_HIVE = ("numRows", "totalSize", "numFiles")
_CRAWLER = ("recordCount", "sizeKey", "objectCount")
_SNAPSHOT = ("total-records", "total-files-size", "total-data-files")


def _made(
    source: str, values: Mapping[str, object], keys: tuple[str, str, str], at: datetime | None
) -> TableStatistics | None:
    figures = [_count(values.get(key)) for key in keys]
    if figures == [None, None, None]:
        return None

    return TableStatistics(figures[0], figures[1], figures[2], at, source)


def _of_iceberg(parameters: Mapping[str, str]) -> TableStatistics | None:
    summary = parameters.get("current-snapshot-summary")
    if not summary:
        return None

    try:
        values = msgspec.json.decode(summary, type=dict[str, object])
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None

    at = _moment(parameters.get("current-snapshot-timestamp-ms"), 1_000)
    return _made("iceberg", values, _SNAPSHOT, at)


def _count(value: object) -> int | None:
    """A figure of zero or more; None for -1 and for what is no number."""
    text = str(value).strip()
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
    return int(text) if is_number else None


def _moment(value: object, parts_per_second: int) -> datetime | None:
    count = _count(value)
    return None if count is None else moment(count / parts_per_second)
