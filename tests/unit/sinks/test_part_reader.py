"""Parts are read back as they were written, record by record."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kada_athena_async.column_block import ColumnBlock, Rows
from kada_athena_async.files import Files
from kada_athena_async.records import ColumnRecord, ViewRecord
from kada_athena_async.sinks.journal import PartFile, RunIntent
from kada_athena_async.sinks.part_reader import BATCH_RECORDS, read_parts, read_table_columns
from kada_athena_async.sinks.staging import Staging

NOW = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)


async def write(tmp_path: Path, kind: str, batch: Rows, *, compress: bool) -> PartFile:
    intent = RunIntent(
        run_id=f"run-{uuid4()}",
        name="athena",
        start=NOW,
        end=NOW.replace(hour=13),
        hwm=None,
        manages_hwm=False,
        compress=compress,
        config_digest="",
        plan_digest="",
        started_at=NOW,
    )
    staging = await Staging.create(tmp_path, intent, Files())
    async with staging.part("unit", kind) as part:
        await part.write(batch)

    await staging.seal("unit", {})
    (file,) = staging.sealed()["unit"].parts
    return file


async def stage(tmp_path: Path, records: list[ViewRecord], *, compress: bool) -> list[ViewRecord]:
    file = await write(tmp_path, "metadata_views", records, compress=compress)
    return [row for batch in read_parts([file], is_packed=compress) for row in batch]


async def test_batches_go_over_the_ends_of_parts(tmp_path: Path) -> None:
    """Twenty parts of one view each are one batch: each batch costs its way to the workers."""
    views = [
        ViewRecord("athena", "AwsDataCatalog", "sales", f"view_{n}", "SELECT 1", "trino")
        for n in range(20)
    ]
    parts = []
    for view in views:
        place = tmp_path / view.view
        place.mkdir()
        parts.append(await write(place, "metadata_views", [view], compress=True))

    assert [*read_parts(parts, is_packed=True)] == [views]


texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@given(
    definitions=st.lists(texts | st.text('",\r\n a'), min_size=1, max_size=20),
    compress=st.booleans(),
)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
async def test_any_text_comes_back(tmp_path: Path, definitions: list[str], compress: bool) -> None:
    """Quotes, commas, line ends of any kind and other scripts survive; empty becomes None."""
    records = [ViewRecord("s", "c", "d", f"v{i}", d, None) for i, d in enumerate(definitions)]

    found = await stage(tmp_path, records, compress=compress)

    assert found == [record._replace(definition=record.definition or None) for record in records]


names = st.sampled_from(["a", "b", 'a,"b"', '"', "\n", "c d", "x,", "é"])


@given(
    tables=st.lists(st.tuples(names, names, st.lists(names, min_size=1)), min_size=1, max_size=9),
    lines_at_once=st.integers(1, 5),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
async def test_the_columns_of_tables_come_back(
    tmp_path: Path,
    tables: list[tuple[str, str, list[str]]],
    lines_at_once: int,
) -> None:
    """All of them, in order and under their names."""
    block = ColumnBlock()
    for schema, table, columns in tables:
        for at, column in enumerate(columns, start=1):
            row = ("s", "c", schema, table, column, at, 'row("a" int)', None, True, False, '"\n')
            fields = ColumnRecord(*row)._asdict()
            block.extend(**{name: [value] for name, value in fields.items()})

    file = await write(tmp_path, "metadata_columns", block, compress=True)
    found = [
        (piece.schema, piece.table, column)
        for pieces in read_table_columns(
            file,
            is_packed=True,
            lines_at_once=lines_at_once,
        )
        for piece in pieces
        for column in piece.columns
    ]

    assert found == [(s, t, c) for s, t, columns in tables for c in columns]


async def test_long_parts_come_in_batches(tmp_path: Path) -> None:
    """More records than a batch holds come in order, and a field may be longer than a block."""
    records = [ViewRecord("s", "c", "d", f"v{i}", "x" * 400_000, "athena") for i in range(3)]
    records += [ViewRecord("s", "c", "d", f"w{i}", None, "hive") for i in range(BATCH_RECORDS)]

    assert await stage(tmp_path, records, compress=True) == records


async def test_cut_part_is_refused(tmp_path: Path) -> None:
    """A part that ends in the middle of a row is an error, not a shorter part."""
    records = [ViewRecord("s", "c", "d", "v", 'a "quoted"\ntext', None)]
    file = await write(tmp_path, "metadata_views", records, compress=False)
    file.path.write_bytes(file.path.read_bytes()[:-4])

    with pytest.raises(ValueError, match="ends in the middle of a row"):
        list(read_parts([file], is_packed=False))
