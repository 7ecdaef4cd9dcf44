"""An answer of Lake Formation becomes tags, whichever inherited ones it repeats."""

from __future__ import annotations

import msgspec
import pytest

from kada_athena_async.aws.wire import TaggedTable
from kada_athena_async.sources.lake_formation import Tag, expressions_of, tags_of_table


def pairs(**tags: str) -> list[dict[str, object]]:
    return [{"TagKey": key, "TagValues": [value]} for key, value in tags.items()]


def read(**members: object) -> set[Tag]:
    """The tags of the table ``sales.orders`` as an answer tells them."""
    answer = {"Table": {"DatabaseName": "sales", "Name": "orders"}, **members}
    return set(tags_of_table(msgspec.json.decode(msgspec.json.encode(answer), type=TaggedTable)))


def table(key: str, value: str, *, is_inherited: bool = False) -> Tag:
    return Tag("sales", "orders", None, key, value, is_inherited)


@pytest.mark.parametrize("repeated", [{}, {"domain": "sales"}])
def test_a_table_has_the_tags_of_its_database(repeated: dict[str, str]) -> None:
    """If the table repeats them or not."""
    found = read(
        LFTagOnDatabase=pairs(domain="sales"), LFTagsOnTable=pairs(**repeated, tier="gold")
    )
    assert found == {table("domain", "sales", is_inherited=True), table("tier", "gold")}


def test_another_value_of_the_same_key_takes_the_place_of_the_inherited_one() -> None:
    """A resource has one value of a key: the nearest."""
    found = read(LFTagOnDatabase=pairs(domain="sales"), LFTagsOnTable=pairs(domain="finance"))
    assert found == {table("domain", "finance")}


def test_a_column_inherits_from_its_table_and_the_database() -> None:
    """A column's tag is inherited if the table has the same value, its own or the database's."""
    columns = [{"Name": "email", "LFTags": pairs(pii="direct", domain="sales", tier="silver")}]
    found = read(
        LFTagOnDatabase=pairs(domain="sales"),
        LFTagsOnTable=pairs(tier="gold"),
        LFTagsOnColumns=columns,
    )
    assert {tag[3:] for tag in found if tag.column == "email"} == {
        ("pii", "direct", False),
        ("domain", "sales", True),
        ("tier", "silver", False),
    }


def test_several_values_of_a_key_are_several_tags() -> None:
    """The model allows a list."""
    found = read(LFTagsOnTable=[{"TagKey": "use", "TagValues": ["a", "b"]}])
    assert found == {table("use", "a"), table("use", "b")}


def test_a_search_takes_fifty_values() -> None:
    """All values of a key are searched for, each once, in order."""
    values = [f"v{number}" for number in range(120)]
    searches = list(expressions_of("key", values))
    assert [len(search.values) for search in searches] == [50, 50, 20]
    assert [value for search in searches for value in search.values] == values
    assert {search.key for search in searches} == {"key"}
