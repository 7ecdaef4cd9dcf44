"""Reads a listing page by page: the one loop around ``NextToken``.

Short and empty pages with a token are legal (github.com/DyfanJones/noctua/issues/137); only an
absent token ends a listing. A listing that changes while it is read shows an item twice: it is
given once. A token that comes a second time would go round for ever.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED, UNREADABLE
from kada_athena_async.aws.lenient import NOTES_MAX
from kada_athena_async.aws.wire import (
    CatalogSummary,
    Database,
    GlueTable,
    LFTag,
    NestedCatalog,
    Row,
    TableMetadata,
    TaggedDatabase,
    TaggedTable,
    TrailEvent,
    WorkgroupSummary,
)
from kada_athena_async.errors import RequestError

ItemT = TypeVar("ItemT")

RESCANS = 2
"""Times that a listing begins again because its token was refused: it has expired, most likely."""

REPEATS = 1
"""Times that it begins again because a token came a second time."""

EMPTY_PAGES_MAX = 250
"""Pages in a row without anything new, after which a listing is given up: it could be 10,000
databases that Lake Formation hides, 50 a page."""

EMPTY_TABLE_PAGES_MAX = 1000
"""The same for tables, of which Glue allows 200,000 a database."""


@dataclass(frozen=True, slots=True)
class ListOperation(Generic[ItemT]):
    """An operation whose answer has pages.

    Attributes:
        name: Such as ``glue:GetTables``.
        items: The list of a decoded page.
        key: By which an item is known again; None where items may be equal, or where the caller
            keeps account of them itself.
        page_size: Items of a page (AWS's limit); always sent, for default pages were seen to be
            tiny (github.com/trinodb/trino/issues/20188).
    """

    name: str
    items: Callable[[Any], list[ItemT]]
    key: Callable[[ItemT], str] | None
    page_size: int
    empty_pages_max: int = EMPTY_PAGES_MAX


LIST_EXECUTIONS: ListOperation[str] = ListOperation(
    "athena:ListQueryExecutions", attrgetter("query_execution_ids"), key=None, page_size=50
)
LIST_WORKGROUPS: ListOperation[WorkgroupSummary] = ListOperation(
    "athena:ListWorkGroups", attrgetter("work_groups"), key=attrgetter("name"), page_size=50
)
LIST_CATALOGS: ListOperation[CatalogSummary] = ListOperation(
    "athena:ListDataCatalogs",
    attrgetter("data_catalogs_summary"),
    key=attrgetter("catalog_name"),
    page_size=50,
)
LIST_DATABASES: ListOperation[Database] = ListOperation(
    "athena:ListDatabases", attrgetter("database_list"), key=attrgetter("name"), page_size=50
)
GET_CATALOGS: ListOperation[NestedCatalog] = ListOperation(
    "glue:GetCatalogs",
    attrgetter("catalog_list"),
    key=lambda catalog: catalog.catalog_id or catalog.name,
    page_size=1000,
)
GET_DATABASES: ListOperation[Database] = ListOperation(
    "glue:GetDatabases", attrgetter("database_list"), key=attrgetter("name"), page_size=100
)
LIST_TABLE_METADATA: ListOperation[TableMetadata] = ListOperation(
    "athena:ListTableMetadata",
    attrgetter("table_metadata_list"),
    key=attrgetter("name"),
    page_size=50,
    empty_pages_max=EMPTY_TABLE_PAGES_MAX,
)
GET_TABLES: ListOperation[GlueTable] = ListOperation(
    "glue:GetTables",
    attrgetter("table_list"),
    key=attrgetter("name"),
    page_size=100,
    empty_pages_max=EMPTY_TABLE_PAGES_MAX,
)
QUERY_RESULTS: ListOperation[Row] = ListOperation(
    "athena:GetQueryResults", attrgetter("result_set.rows"), key=None, page_size=1000
)
LOOKUP_EVENTS: ListOperation[TrailEvent] = ListOperation(
    "cloudtrail:LookupEvents", attrgetter("events"), key=None, page_size=50
)
LIST_LF_TAGS: ListOperation[LFTag] = ListOperation(
    name="lakeformation:ListLFTags",
    items=attrgetter("lf_tags"),
    key=None,  # a key of more than 50 values may come in several items
    page_size=1000,
)
SEARCH_DATABASES: ListOperation[TaggedDatabase] = ListOperation(
    "lakeformation:SearchDatabasesByLFTags", attrgetter("database_list"), key=None, page_size=100
)
SEARCH_TABLES: ListOperation[TaggedTable] = ListOperation(
    "lakeformation:SearchTablesByLFTags",
    attrgetter("table_list"),
    key=None,
    page_size=100,
    empty_pages_max=EMPTY_TABLE_PAGES_MAX,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[ItemT]):
    """One page.

    Attributes:
        items: In the order of the answer; without those that came before, where they have a key.
        unreadable: What of the answer could not be read, by path.
        next_token: None on the last page.
        scan: How often the listing has begun again.
    """

    items: list[ItemT]
    unreadable: tuple[str, ...]
    next_token: str | None
    scan: int


async def pages(
    client: AwsClient,
    listing: ListOperation[ItemT],
    *,
    scope: str = "",
    token: str | None = None,
    rescans: int = RESCANS,
    **parameters: object,
) -> AsyncGenerator[Page[ItemT], None]:
    """The pages of *listing*, from *token* on; close it (``aclosing``) if you leave early.

    Args:
        scope: What is listed, named in errors.

    Raises:
        UnitError: It cannot be read to its end; ``RequestError`` if its tokens go round, or if
            its pages bring nothing new any more.
    """
    service, _, operation = listing.name.partition(":")
    tokens = _Tokens(f"{listing.name} for {scope}" if scope else listing.name, rescans)
    known: set[str] = set()
    barren = 0
    while True:
        more = {"NextToken": token} if token else {}
        try:
            answer = await client.call(
                service, operation, scope=scope, MaxResults=listing.page_size, **parameters, **more
            )
        except RequestError:
            if not token or not tokens.may_begin_again():
                raise

            token = None
            continue

        page = answer[DECODED]
        following: str | None = page.next_token or None
        if tokens.is_repeated(token, following):
            token = None
            continue

        items = listing.items(page)
        fresh = _fresh(items, listing.key, known)
        barren = 0 if fresh else barren + 1
        if barren > listing.empty_pages_max:
            raise nothing_new(tokens.name, barren)

        yield Page(
            items=fresh,
            unreadable=(*answer.get(UNREADABLE, ()), *_nameless(items, listing)),
            next_token=following,
            scan=tokens.scan,
        )
        if following is None:
            return

        token = following


def first_page_ahead(
    client: AwsClient, listing: ListOperation[Any], *, scope: str, **parameters: object
) -> None:
    """Begin to ask for the first page that ``pages`` will ask for with the same arguments."""
    service, _, operation = listing.name.partition(":")
    client.call_ahead(service, operation, scope, MaxResults=listing.page_size, **parameters)


def nothing_new(name: str, barren: int) -> RequestError:
    """The error of a listing whose pages bring nothing new any more."""
    return RequestError(
        f"{name} gave {barren} pages in a row with nothing new and would never end",
        code="EmptyPages",
        hint=_REPORT,
    )


_REPORT = "run again; if it stays so, report it to AWS with the operation's name"


class _Tokens:
    """The tokens of one listing; pure."""

    def __init__(self, name: str, rescans: int) -> None:
        self.name, self.scan = name, 0
        self._rescans, self._repeats = rescans, min(REPEATS, rescans)
        # Hashes, for a token has up to a thousand characters and a history 200,000 pages.
        self._seen: set[int] = set()

    def may_begin_again(self) -> bool:
        if self.scan == self._rescans:
            return False

        self.scan += 1
        self._seen.clear()
        return True

    def is_repeated(self, sent: str | None, following: str | None) -> bool:
        """True if *following* was given before, so that the listing must begin again.

        Raises:
            RequestError: It has begun again and the same happens.
        """
        self._seen.add(hash(sent))
        if following is None or hash(following) not in self._seen:
            return False

        self._repeats -= 1
        if self._repeats < 0 or not self.may_begin_again():
            raise RequestError(
                f"{self.name} gives the same page token again and would never end",
                code="RepeatedToken",
                hint=_REPORT,
            )

        return True


def _nameless(items: list[ItemT], listing: ListOperation[ItemT]) -> list[str]:
    """Notes on the items that have an empty name, by which nothing could find them."""
    if listing.key is None:
        return []

    return [
        f"{listing.name}: item {place} has an empty name; it is left out"
        for place, item in enumerate(items)
        if not listing.key(item)
    ][:NOTES_MAX]


def _fresh(items: list[ItemT], key: Callable[[ItemT], str] | None, known: set[str]) -> list[ItemT]:
    """*items* without those that are *known*, to which they are added, or have no name."""
    if key is None:
        return items

    fresh = []
    for item in items:
        name = key(item)
        if name and name not in known:
            known.add(name)
            fresh.append(item)

    return fresh
