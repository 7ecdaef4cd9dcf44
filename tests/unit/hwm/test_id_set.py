"""A small set is a set."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from kada_athena_async.hwm.id_set import IdSet


@given(st.lists(st.text()), st.lists(st.text()))
def test_it_holds_what_was_added_and_nothing_else(added: list[str], asked: list[str]) -> None:
    """The same answers as Python's own set."""
    ids = IdSet()
    for query_id in added:
        ids.add(query_id)

    assert len(ids) == len(set(added))
    assert [query_id in ids for query_id in added + asked] == [
        query_id in set(added) for query_id in added + asked
    ]


def test_it_grows_and_forgets_nothing() -> None:
    """Through several sizes each id is found again."""
    ids = IdSet()
    for number in range(20_000):
        ids.add(f"id-{number}")

    assert len(ids) == 20_000
    assert all(f"id-{number}" in ids for number in range(20_000))
    assert not any(f"id-{number}" in ids for number in range(20_000, 30_000))


def test_an_id_takes_less_than_fifty_bytes() -> None:
    """A long history does not fill the memory: at most 48 bytes an id, growing included."""
    tracemalloc.start()
    ids = IdSet()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(25_000):
        ids.add(f"id-{number}")

    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (after - before) / 25_000 <= 48
