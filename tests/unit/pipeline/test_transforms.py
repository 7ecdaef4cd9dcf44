"""Texts of a record on the way to its part."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kada_athena_async.pipeline.transforms import Transforms, texts_of, view_of
from kada_athena_async.records import QueryRecord
from kada_athena_async.sources.interface import RawView
from kada_athena_async.sources.reconcile import DecodedView
from kada_athena_async.sql.execution_texts import mask_texts

AT = datetime(2026, 11, 23, tzinfo=timezone.utc)
UNLOAD = "UNLOAD (SELECT a FROM t WHERE b = 'kestrel') TO 's3://bkt/x/' WITH (format = 'ORC')"


def query(sql: str, status: str) -> QueryRecord:
    nothing = dict.fromkeys(QueryRecord._fields)
    facts = {"server": "srv", "query_id": "q", "user": "u", "workgroup": "w", "submitted_at": AT}
    return QueryRecord(**{**nothing, **facts, "query": sql, "status": status})  # type: ignore[arg-type]


def masked(record: QueryRecord, *, keeps: bool = False) -> QueryRecord:
    """The record as it goes to its part."""
    transforms = Transforms(mask=True, keep_s3_locations=keeps)
    [found], _ = transforms.queries([record], mask_texts(texts_of([record]), True, keeps))
    return found


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
def test_what_never_ran_may_have_quoted_wrongly(status: str) -> None:
    """Names in double quotes are believed only where Athena found them."""
    sql = 'SELECT a FROM t WHERE b = "Ann Kestrel"'

    assert masked(query(sql, status)).query == "SELECT a FROM t WHERE b = ?"
    assert masked(query(sql, "SUCCEEDED")).query == sql


@pytest.mark.parametrize(("keeps", "location"), [(False, "?"), (True, "'s3://bkt/x/'")])
def test_locations_are_kept_on_request(keeps: bool, location: str) -> None:
    """Nothing else is, and the fingerprint does not depend on it."""
    record = masked(query(UNLOAD, "SUCCEEDED"), keeps=keeps)

    expected = f"UNLOAD (SELECT a FROM t WHERE b = ?) TO {location} WITH (format = ?)"
    assert record.query == expected
    elsewhere = UNLOAD.replace("bkt/x", "bkt/y")
    other = masked(query(elsewhere, "SUCCEEDED"), keeps=keeps)
    assert other.fingerprint == record.fingerprint


def test_where_a_views_names_lie_is_known_from_its_own_text_only() -> None:
    """SQL tells the text alone; a Hive view's text has been completed already."""
    assert view_of(RawView(text="SELECT 1", is_plain_sql=True)) == DecodedView("SELECT 1", "athena")
    assert view_of(RawView(text="SELECT a FROM t", expanded_text="SELECT `t`.`a`")) == DecodedView(
        "SELECT `t`.`a`", "hive"
    )
    assert view_of(RawView(text=None)) == DecodedView()
