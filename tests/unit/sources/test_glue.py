"""Details of a table as Glue answers it."""

from __future__ import annotations

import json

import msgspec
import pytest

from kada_athena_async.aws.wire import GlueTable
from kada_athena_async.pipeline.transforms import view_of
from kada_athena_async.sources.glue import detail_of

LINK = {"Name": "l", "TargetTable": {"CatalogId": "1", "DatabaseName": "d", "Name": "t"}}


def glue_table(storage: object) -> GlueTable:
    body = json.dumps({**LINK, "StorageDescriptor": storage})
    return msgspec.json.decode(body, type=GlueTable)


@pytest.mark.parametrize("storage", [None, {}, {"Columns": [], "SortColumns": []}])
def test_a_link_without_storage_has_no_format(storage: object) -> None:
    """Glue leaves the storage of a link out, or empty, where its target is not shown."""
    table = glue_table(storage)

    assert detail_of("s", table).table_format is None


def test_a_link_that_is_resolved_has_the_format_of_its_target() -> None:
    """With the target's storage comes what it is."""
    storage = {"Location": "s3://b/t", "InputFormat": "x"}
    table = glue_table(storage)

    assert detail_of("s", table).table_format == "hive"


@pytest.mark.parametrize("member", ["ViewOriginalText", "ViewExpandedText"])
def test_a_materialized_view_without_representations_is_sparks(member: str) -> None:
    """Its text stands where that of a Hive view does."""
    body = json.dumps({"Name": "m", "IsMaterializedView": True, member: "SELECT `a` FROM t"})
    view = detail_of("s", msgspec.json.decode(body, type=GlueTable)).view
    assert view is not None
    assert view_of(view)[:2] == ("SELECT `a` FROM t", "spark")
