"""Published extracts that a run reads once more: those that hold other bytes are named."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from kada_athena_async.commit.published import held_executions, held_principals, published_ids
from kada_athena_async.errors import StateError
from tests.unit.extracts.making import AT, make_package, query

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "no gzip": lambda data: b"x" * len(data),
    "cut off": lambda data: data[:-9],
    "bytes in the middle": lambda data: data[:30] + bytes(20) + data[50:],
    "another table": lambda _: gzip.compress(b"a,b\n1,2\n"),
    "half a row": lambda data: gzip.compress(gzip.decompress(data)[:-5]),
    "no UTF-8": lambda data: gzip.compress(gzip.decompress(data) + b"\xff\n"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_a_torn_extract_is_named(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """With the way to go on; it is no bug of ours."""
    package = make_package(tmp_path, {"databaselog": [query(n) for n in range(9)]})
    (path,) = package.extracts("databaselog")
    path.write_bytes(damage(path.read_bytes()))

    for read in (published_ids([package]), held_executions([package], AT, AT)):
        with pytest.raises(StateError) as caught:
            await read

        assert caught.value.message == (
            f"{path} is torn: it holds other bytes than {package.name} says"
        )
        assert "move it away and extract its window again" in caught.value.hint


async def test_an_extract_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With the words of the operating system."""
    package = make_package(tmp_path, {})
    (path,) = package.extracts("query_principals")
    path.unlink()
    path.mkdir()

    with pytest.raises(StateError, match="cannot be read: Is a directory"):
        await held_principals([package], AT, ())


async def test_an_extract_that_was_moved_away_holds_nothing(tmp_path: Path) -> None:
    """So that its window can be extracted again."""
    package = make_package(tmp_path, {"databaselog": [query(1)]})
    (path,) = package.extracts("databaselog")
    path.unlink()

    assert "q1" not in await published_ids([package])
