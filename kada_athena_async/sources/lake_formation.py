"""The tags that Lake Formation keeps, in bulk: a search for each tag key, never a call a table.

A search gives each table with the tags of its database, its own and those of its columns (AWS Lake
Formation API Reference, TaggedTable). A table inherits the tags of its database and a column those
of its table, unless it has another value of the same key (AWS Lake Formation Developer Guide,
assigning LF-tags). AWS does not say which inherited tags an answer repeats, nor if it holds other
keys than the one searched for: all are read here, and each once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.pages import LIST_LF_TAGS, SEARCH_DATABASES, SEARCH_TABLES, pages
from kada_athena_async.aws.wire import LFTag, TaggedTable
from kada_athena_async.concurrency import batches, offload
from kada_athena_async.errors import NotFoundError
from kada_athena_async.hwm.id_set import IdSet
from kada_athena_async.records import TagRecord

SOURCE = "lakeformation"

VALUES_MAX = 50
"""Values of one key that a search takes; a key has at most 1,000."""

_Tags: TypeAlias = Mapping[str, Sequence[str]]


class Tag(NamedTuple):
    """A value of a tag, and where it is; the database's own has no table, a table's no column."""

    schema: str
    table: str | None
    column: str | None
    key: str
    value: str
    is_inherited: bool = False


class Expression(NamedTuple):
    """A search: a key, and some of its values."""

    key: str
    values: Sequence[str]

    @property
    def parameter(self) -> list[dict[str, object]]:
        """As the searches take it."""
        return [{"TagKey": self.key, "TagValues": list(self.values)}]


class LakeFormationTags:
    """The tags of one catalog in Glue.

    Args:
        catalog_id: None for the account's own catalog.

    Attributes:
        searches: How many were made.
        unreadable: What of the answers could not be read, by path.
    """

    def __init__(self, client: AwsClient, catalog: str, catalog_id: str | None) -> None:
        self._client = client
        self._catalog = catalog
        self.searches = 0
        self._scope = f"tags of catalog {catalog}"
        self._named = {"CatalogId": catalog_id} if catalog_id else {}
        self.unreadable: list[str] = []

    async def expressions(self) -> list[Expression]:
        """The searches that find every tag; keys belong to the account, not to a catalog.

        Raises:
            UnitError: The keys may not be listed.
        """
        values: dict[str, dict[str, None]] = {}
        async with aclosing(pages(self._client, LIST_LF_TAGS, scope=self._scope)) as listing:
            async for page in listing:
                self.unreadable += page.unreadable
                for tag in page.items:
                    values.setdefault(tag.tag_key, {}).update(dict.fromkeys(tag.tag_values))

        return [search for key in values for search in expressions_of(key, list(values[key]))]

    async def records(
        self, server: str, is_included: Callable[[str], bool]
    ) -> AsyncGenerator[list[TagRecord], None]:
        """Yield the tags of databases, then of tables and columns, page by page; each once.

        Of a key or value that was deleted meanwhile there is nothing to find; it is noted as
        unreadable.

        Args:
            server: First column of every record.
            is_included: True for the name of a schema that is extracted.

        Raises:
            UnitError: They may not be searched, or a search cannot be read to its end.
        """
        seen = IdSet()

        def read(tags: Iterable[Tag]) -> list[TagRecord]:
            records = []
            for tag in tags:
                # No name or value holds NUL.
                place = "\0".join(part or "" for part in tag[:-1])
                if place not in seen and is_included(tag.schema):
                    seen.add(place)
                    records.append(TagRecord(server, self._catalog, *tag[:-1], SOURCE, tag[-1]))

            return records

        expressions = await self.expressions()
        self.searches = len(expressions)
        for expression in expressions:
            try:
                async with aclosing(self._search(expression)) as pages_of_tags:
                    async for tags in pages_of_tags:
                        # 100 tables of many columns: not on the event loop.
                        if found := await offload(partial(read, tags)):
                            yield found
            except NotFoundError as exc:
                self.unreadable.append(f"key {expression.key}: {exc.message}")

    async def _search(self, expression: Expression) -> AsyncGenerator[Iterator[Tag], None]:
        given: dict[str, Any] = {"Expression": expression.parameter, **self._named}
        search = pages(self._client, SEARCH_DATABASES, scope=self._scope, **given)
        async with aclosing(search) as databases:
            async for page in databases:
                self.unreadable += page.unreadable
                yield (
                    Tag(found.database.name, None, None, key, value)
                    for found in page.items
                    for key, values in _by_key(found.lf_tags).items()
                    for value in values
                )

        search_tables = pages(self._client, SEARCH_TABLES, scope=self._scope, **given)
        async with aclosing(search_tables) as tables:
            async for found in tables:
                self.unreadable += found.unreadable
                yield chain.from_iterable(map(tags_of_table, found.items))


def expressions_of(key: str, values: Sequence[str]) -> Iterator[Expression]:
    """The searches for all *values* of a key."""
    for batch in batches(values, VALUES_MAX):
        yield Expression(key, batch)


def tags_of_table(table: TaggedTable) -> Iterator[Tag]:
    """The tags of a table, those of its database included, and of its columns as far as given."""
    schema, name = table.table.database_name, table.table.name
    above = _by_key(table.lf_tag_on_database)
    own = {**above, **_by_key(table.lf_tags_on_table)}
    yield from (Tag(schema, name, None, *found) for found in _against(own, above))
    for column in table.lf_tags_on_columns:
        found_here = _against(_by_key(column.lf_tags), own)
        yield from (Tag(schema, name, column.name, *found) for found in found_here)


def _by_key(tags: Iterable[LFTag]) -> dict[str, Sequence[str]]:
    return {tag.tag_key: tag.tag_values for tag in tags}


def _against(tags: _Tags, above: _Tags) -> Iterator[tuple[str, str, bool]]:
    """Key, value and if *above* has the same, of each value of *tags*."""
    for key, values in tags.items():
        for value in values:
            yield key, value, value in above.get(key, ())
