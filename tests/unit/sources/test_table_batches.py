"""Tables are divided into batches that lose none, and wait without changing."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime, timezone

import msgspec
import pytest

from kada_athena_async.sources.interface import RawColumns, RawView, TableDetail
from kada_athena_async.sources.statement_texts import NAMES_MAX
from kada_athena_async.sources.strategy import (
    BY_SCHEMA,
    LARGE,
    LARGE_AT_ONCE,
    METADATA_SOURCES,
    SMALL,
    BatchSizes,
)
from kada_athena_async.sources.table_batches import (
    SPREAD_TABLES,
    SchemaPage,
    TableBatch,
    batches_of,
)

COLUMNS = RawColumns(
    msgspec.Raw(b'[{"Name": "\xc3\xa4,\\"b\\"", "Type": "int"}]'), msgspec.Raw(b"null")
)


def table(schema: str, number: int) -> TableDetail:
    return TableDetail(
        schema=schema,
        name=f"t{number:05d}",
        is_view=number % 20 == 0,
        comment="a\nb",
        created_at=datetime(2026, 1, 2, 3, 4, 5, 678_000, timezone.utc),
        parameters={"k": "v"},
        columns=COLUMNS,
        view=RawView(text=None) if number % 20 == 0 else None,
    )


async def pages(schemas: dict[str, int], *, broken: str = "") -> AsyncGenerator[SchemaPage, None]:
    """Pages of 100 tables; the listing of *broken* ends after its first one."""
    for schema, count in schemas.items():
        for first in range(0, count, 100):
            tables = [table(schema, n) for n in range(first, min(first + 100, count))]
            yield SchemaPage(schema=schema, tables=tables, is_last=False, found_by="api")
            if schema == broken:
                break

        if schema != broken:
            yield SchemaPage(schema=schema, tables=[], is_last=True, found_by="api")


async def batches(
    schemas: dict[str, int], sizes: BatchSizes, *, is_compressed: bool = False, broken: str = ""
) -> list[TableBatch]:
    found = batches_of([pages(schemas, broken=broken)], sizes, is_compressed=is_compressed)
    return [piece async for piece in found if isinstance(piece, TableBatch)]


@pytest.mark.parametrize("is_compressed", [True, False])
async def test_no_table_is_lost_or_changed(is_compressed: bool) -> None:
    """Cut and put away, the tables come out as they were listed, in their order."""
    schemas = {"a": 3, "empty": 0, "big": 730, "b": 60, "c": 45}
    found = await batches(schemas, LARGE, is_compressed=is_compressed)

    listed = [table(schema, n) for schema, count in schemas.items() for n in range(count)]
    tables = [table for piece in found for table in piece.take_tables()]
    assert sorted(tables, key=lambda t: (t.schema, t.name)) == sorted(
        listed, key=lambda t: (t.schema, t.name)
    )
    assert [piece.index for piece in sorted(found, key=lambda p: p.index)] == list(
        range(len(found))
    )
    assert "empty" in {schema for piece in found if piece.is_whole for schema in piece.schemas}


async def test_the_first_batch_is_small_and_the_others_large() -> None:
    """So the first statement of a unit begins early, and few follow it."""
    found = await batches({f"s{number}": 50 for number in range(10)}, LARGE)

    assert [len(piece) for piece in found] == [100, 400]


async def test_a_schema_too_large_for_a_batch_is_divided_by_names() -> None:
    """As it is listed, into statements that are over soon after its last page."""
    found = await batches({"big": 730}, LARGE)

    assert [len(piece) for piece in found] == [300, 300, 130]
    assert not any(piece.is_whole for piece in found)


@pytest.mark.parametrize(
    ("tables", "statements"), [(601, 6), (1_999, 19), (10_000, 19), (11_399, 20), (25_000, 59)]
)
async def test_tables_known_at_once_are_spread_evenly(tables: int, statements: int) -> None:
    """Over the query slots but one, so that their statements end together; 600 at most in each."""
    sizes = METADATA_SOURCES["sql"].batch_sizes(200, query_slots=20)
    found = [piece for piece in await batches({"big": tables}, sizes) if not piece.is_whole]

    names = [name.name for piece in found for name in piece.names()]
    assert names == [table("big", number).name for number in range(tables)]
    assert len(found) == statements
    assert max(map(len, found)) <= NAMES_MAX
    if tables < 11_400:
        assert max(map(len, found)) - min(map(len, found)) <= 2 * SPREAD_TABLES


async def test_a_large_schema_is_listed_aside() -> None:
    """Its pages need each other's tokens: those that follow do not wait for them; none is lost."""
    schemas = {"a": 3, "big": 730, "b": 60, "huge": 601, "c": 5}
    listings = [pages({name: count}) for name, count in schemas.items()]
    found = [
        piece async for piece in batches_of(listings, LARGE, is_compressed=False, may_part=True)
    ]
    asides = [piece for piece in found if not isinstance(piece, TableBatch)]
    whole = [piece for piece in found if isinstance(piece, TableBatch) and piece.is_whole]
    parts = [piece for piece in found if isinstance(piece, TableBatch) and not piece.is_whole]
    for aside in asides:
        parts += [piece async for piece in aside]

    assert len(asides) == 2
    assert [(piece.index, piece.schemas, len(piece)) for piece in whole] == [
        (0, ["a", "b", "c"], 68)
    ]
    assert sorted(len(piece) for piece in parts) == [1, 130, 300, 300, 300, 300]
    in_order = sorted(parts, key=lambda piece: piece.index)
    listed = [table(schema, n).name for schema in ("big", "huge") for n in range(schemas[schema])]
    assert [name.name for piece in in_order for name in piece.names()] == listed


async def test_a_listing_that_breaks_off_leaves_the_next_schema_alone() -> None:
    """Tables listed of a schema that failed are not taken for a part of the one after it."""
    found = await batches({"a": 150, "b": 5}, LARGE, broken="a")

    assert [(piece.schemas, len(piece)) for piece in found] == [(["b"], 5)]


def test_few_schemas_are_in_small_batches() -> None:
    """Large batches would leave query slots without work."""
    assert METADATA_SOURCES["auto"].batch_sizes(39, query_slots=20) == SMALL
    assert METADATA_SOURCES["auto"].batch_sizes(40, query_slots=20) == LARGE
    assert METADATA_SOURCES["sql"].batch_sizes(40, query_slots=20)[:2] == LARGE_AT_ONCE[:2]
    assert METADATA_SOURCES["api"].batch_sizes(4, query_slots=20) == BY_SCHEMA
