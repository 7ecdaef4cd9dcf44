"""Statistics of tables, read from what their writers leave in the catalog."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kada_athena_async.sources.statistics import UNKNOWN, TableStatistics, statistics_of

UPDATED = datetime(2026, 10, 1, tzinfo=timezone.utc)
WRITTEN = datetime(2026, 9, 1, tzinfo=timezone.utc)
DDL = {"transient_lastDdlTime": str(int(WRITTEN.timestamp()))}
HIVE = {"numRows": "7", "totalSize": "900", "numFiles": "2"}
CRAWLER = {"recordCount": "5", "sizeKey": "800", "objectCount": "1", "averageRecordSize": "160"}
SPARK = {"spark.sql.statistics.numRows": "6", "spark.sql.statistics.totalSize": "850"}
SNAPSHOT = {
    "current-snapshot-summary": '{"total-records":"8","total-files-size":"950",'
    '"total-data-files":"3","engine":"trino"}',
    "current-snapshot-timestamp-ms": str(int(WRITTEN.timestamp() * 1000)),
}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (CRAWLER, (5, 800, 1, UPDATED, "crawler")),
        (HIVE | DDL, (7, 900, 2, WRITTEN, "hive")),
        (HIVE | DDL | {"presto_query_id": "x"}, (7, 900, 2, WRITTEN, "athena")),
        (HIVE, (7, 900, 2, UPDATED, "hive")),
        (SPARK | DDL, (6, 850, None, WRITTEN, "spark")),
        (SNAPSHOT, (8, 950, 3, WRITTEN, "iceberg")),
        (CRAWLER | HIVE | SPARK | DDL, (6, 850, None, WRITTEN, "spark")),
        (CRAWLER | {"numRows": "-1", "totalSize": "-1"}, (5, 800, 1, UPDATED, "crawler")),
        (HIVE | {"numRows": "-1"}, (None, 900, 2, UPDATED, "hive")),
        ({"numRows": "0", "totalSize": "0"}, (0, 0, None, UPDATED, "hive")),
        (SNAPSHOT | {"current-snapshot-summary": "{"} | HIVE, (7, 900, 2, UPDATED, "hive")),
    ],
)
def test_the_best_writer_is_believed(
    parameters: dict[str, str], expected: tuple[object, ...]
) -> None:
    """All figures come from one writer; -1 is what nobody knows, and 0 is a number."""
    assert statistics_of(parameters, UPDATED) == TableStatistics(*expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        {},
        {"numRows": "many", "totalSize": "1e9", "numFiles": ""},
        {"recordCount": "9" * 40},
        {"numRows": "１２"},
        {"current-snapshot-summary": "[" * 100_000},
        {"current-snapshot-summary": "[1]"},
    ],
)
def test_what_is_no_figure_is_unknown(parameters: dict[str, str] | None) -> None:
    """Nothing is guessed from what cannot be read."""
    assert statistics_of(parameters, UPDATED) == UNKNOWN
