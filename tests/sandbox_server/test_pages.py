"""Lists come in AWS's pages, with AWS's limits and tokens."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from kada_athena_async.sandbox import Sandbox
from tests.sandbox_server.support import (
    Client,
    ClientMaker,
    all_pages,
    error_of,
    make_execution,
)

LISTS = [
    ("athena", "list_work_groups", "WorkGroups", {}, 50, 65),
    ("athena", "list_query_executions", "QueryExecutionIds", {}, 50, 130),
    ("athena", "list_databases", "DatabaseList", {"CatalogName": "AwsDataCatalog"}, 50, 120),
    (
        "athena",
        "list_table_metadata",
        "TableMetadataList",
        {"CatalogName": "AwsDataCatalog", "DatabaseName": "s"},
        50,
        123,
    ),
    ("glue", "get_databases", "DatabaseList", {}, 100, 120),
    ("glue", "get_tables", "TableList", {"DatabaseName": "s"}, 100, 123),
]


@pytest.mark.parametrize(("service", "name", "member", "given", "size", "total"), LISTS)
def test_a_list_comes_in_full_pages_to_its_end(
    connect: ClientMaker,
    service: str,
    name: str,
    member: str,
    given: dict[str, Any],
    size: int,
    total: int,
) -> None:
    """Without a size each page has the operation's most, and together they hold each item once."""
    call = getattr(connect(service), name)

    pages = all_pages(call, member, **given)

    full, rest = divmod(total, size)
    assert [len(items) for items in pages] == [size] * full + [rest]
    items = [item if isinstance(item, str) else item["Name"] for page in pages for item in page]
    assert len(set(items)) == total


@pytest.mark.parametrize(("service", "name", "member", "given", "size", "total"), LISTS)
def test_a_page_size_out_of_range_is_refused(
    connect: ClientMaker,
    service: str,
    name: str,
    member: str,
    given: dict[str, Any],
    size: int,
    total: int,
) -> None:
    """A page larger than AWS's model allows is an error, in the service's own words."""
    call = getattr(connect(service), name)

    code, message = error_of(call, MaxResults=size + 1, **given)

    expected = "InvalidInputException" if service == "glue" else "InvalidRequestException"
    assert (code, "less than or equal to" in message) == (expected, True)
    assert len(call(MaxResults=3, **given)[member]) == 3


@pytest.mark.parametrize("token", ["nonsense", "AAAA", "é"])
def test_a_token_that_was_never_given_out_is_refused(athena: Client, token: str) -> None:
    """Tokens cannot be made up."""
    code, _ = error_of(athena.list_query_executions, NextToken=token)

    assert code == "InvalidRequestException"


def test_a_token_is_good_for_its_own_list_only(athena: Client) -> None:
    """The token of one workgroup's history does not continue another's."""
    token = athena.list_query_executions(MaxResults=2)["NextToken"]

    code, _ = error_of(athena.list_query_executions, NextToken=token, WorkGroup="off")

    assert code == "InvalidRequestException"


def test_history_is_listed_newest_first(athena: Client) -> None:
    """The ids come in the order of submission, the newest first."""
    ids = [i for page in all_pages(athena.list_query_executions, "QueryExecutionIds") for i in page]

    assert ids == [make_execution(n).query_execution_id for n in range(1, 131)]


@pytest.mark.parametrize("order", ["newest", "oldest", "shuffled"])
def test_history_loses_nothing_while_it_grows(sandbox: Sandbox, athena: Client, order: Any) -> None:
    """Whatever the order, executions that arrive between pages neither hide nor repeat others."""
    sandbox.behaviour.history_order = order
    first = athena.list_query_executions(MaxResults=20)
    for number in range(5):
        sandbox.submit(make_execution(1000 + number, submitted_at=sandbox.now()))

    rest = all_pages(
        athena.list_query_executions, "QueryExecutionIds", NextToken=first["NextToken"]
    )

    seen = first["QueryExecutionIds"] + [i for page in rest for i in page]
    assert len(seen) == len(set(seen))
    assert set(seen) >= {make_execution(n).query_execution_id for n in range(1, 131)}


def test_pages_can_be_short_and_even_empty(sandbox: Sandbox, athena: Client) -> None:
    """On demand a page has fewer items than asked for, and a token all the same."""
    sandbox.faults.add("short_page", "athena:ListQueryExecutions", size=0, calls=1)
    sandbox.faults.add("short_page", "athena:ListQueryExecutions", size=7, calls=2)

    pages = all_pages(athena.list_query_executions, "QueryExecutionIds")

    assert [len(page) for page in pages] == [0, 7, 50, 50, 23]


def test_a_token_can_expire_between_pages(sandbox: Sandbox, athena: Client) -> None:
    """On demand the k-th continuation is refused, and beginning again works."""
    sandbox.faults.add("expired_page_token", "athena:ListQueryExecutions", calls=3)

    with pytest.raises(ClientError) as refused:
        all_pages(athena.list_query_executions, "QueryExecutionIds")

    assert "expired" in refused.value.response["Error"]["Message"]
    assert len(all_pages(athena.list_query_executions, "QueryExecutionIds")) == 3
