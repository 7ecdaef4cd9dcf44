"""JSON that does not fit its types: what fits is taken, the rest is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kada_athena_async.aws.lenient import ForeignError, parse, read_list, read_page
from kada_athena_async.aws.wire import (
    CatalogColumn,
    ExecutionBatch,
    GluePage,
    GlueTable,
    QueryExecution,
    ResultPage,
)


def table(**members: Any) -> tuple[GlueTable, tuple[str, ...]]:
    """A table that has *members*, as it is read, and what of it is not."""
    page, unreadable = read_page(GluePage, {"TableList": [{"Name": "t", **members}]})
    return page.table_list[0], unreadable


def execution(**members: Any) -> tuple[QueryExecution, tuple[str, ...]]:
    """An execution that has *members*, as it is read, and what of it is not."""
    item = {"QueryExecutionId": "q-1", **members}
    page, unreadable = read_page(ExecutionBatch, {"QueryExecutions": [item]})
    return page.query_executions[0], unreadable


@pytest.mark.parametrize(
    "time",
    [
        1762000000,
        1762000000.0,
        "1762000000",
        "1.762E9",
        "2025-11-01T12:26:40Z",
        "2025-11-01T13:26:40+01:00",
        "2025-11-01 12:26:40",
        "Sat, 01 Nov 2025 12:26:40 GMT",
        1762000000000,
        "1762000000000",
    ],
)
def test_a_time_may_be_spelt_in_every_way_aws_spells_times(time: object) -> None:
    """Epoch seconds or milliseconds, as number or text, ISO 8601 and RFC 822 mean one moment."""
    found, unreadable = table(CreateTime=time)
    assert (found.create_time, unreadable) == (1762000000.0, ())


@pytest.mark.parametrize("time", ["yesterday", "May", "", {}, [1], True, float("inf")])
def test_what_is_no_time_is_left_out_and_named(time: object) -> None:
    """No time is made up from a text that has none."""
    found, unreadable = table(CreateTime=time)
    assert found.create_time is None
    assert unreadable[0].startswith("TableList[0] (t).CreateTime is ")


@pytest.mark.parametrize(("number", "meant"), [(12.0, 12), ("12", 12), (" 12 ", 12), (11.6, 12)])
def test_a_number_may_be_a_float_or_a_text(number: object, meant: int) -> None:
    """Milliseconds and bytes are whole numbers, whatever they are sent as."""
    found, unreadable = execution(Statistics={"DataScannedInBytes": number})
    assert found.statistics is not None
    assert (found.statistics.data_scanned_in_bytes, unreadable) == (meant, ())


@pytest.mark.parametrize(("dpus", "meant"), [(6.5, 6.5), ("6.5", 6.5), (2e11, 2e11)])
def test_dpus_keep_their_fraction_and_are_no_time(dpus: object, meant: float) -> None:
    """The model says double; nothing is rounded, and nothing taken for milliseconds."""
    found, unreadable = execution(Statistics={"DpuCount": dpus, "DataScannedInBytes": "1"})
    assert found.statistics is not None
    assert (found.statistics.dpu_count, unreadable) == (meant, ())


def test_a_large_number_in_a_text_stays_exact() -> None:
    """A float would round it."""
    found, _ = execution(Statistics={"DataScannedInBytes": "9007199254740993"})
    assert found.statistics is not None
    assert found.statistics.data_scanned_in_bytes == 9007199254740993


@pytest.mark.parametrize(("flag", "meant"), [("true", True), ("False", False), (1, True)])
def test_a_flag_may_be_a_text_or_a_number(flag: object, meant: bool) -> None:
    """``true``, ``"true"`` and 1 mean the same."""
    found, unreadable = execution(Status={"AthenaError": {"Retryable": flag}})
    assert found.status.athena_error is not None
    assert (found.status.athena_error.retryable, unreadable) == (meant, ())


def test_members_of_a_map_become_texts_and_nulls_are_left_out() -> None:
    """A map of texts may hold numbers, flags, nulls and whole structures."""
    found, unreadable = table(Parameters={"a": None, "b": 5, "c": True, "d": {"e": [1]}, "f": "x"})
    assert found.parameters == {"b": "5", "c": "true", "d": '{"e": [1]}', "f": "x"}
    assert unreadable == ()


@pytest.mark.parametrize("item", [None, 5, [], {"Name": None}, {}, {"Name": {}}])
def test_an_item_that_cannot_be_read_is_left_out_by_its_place(item: object) -> None:
    """The items beside it stay, and the path says which is gone."""
    items = [{"Name": "a"}, item, {"Name": "c"}]
    page, unreadable = read_page(GluePage, {"TableList": items})
    assert [found.name for found in page.table_list] == ["a", "c"]
    assert len(unreadable) == 1
    assert unreadable[0].startswith("TableList[1]")
    assert unreadable[0].endswith("it is left out")


def test_an_item_is_named_by_its_name() -> None:
    """A person reads which table it is, and which member."""
    _, unreadable = table(StorageDescriptor="none", Description=["x"])
    assert unreadable == (
        "TableList[0] (t).Description is a list, not text",
        "TableList[0] (t).StorageDescriptor is text, not an object",
    )


def test_a_status_that_is_null_is_an_unknown_one() -> None:
    """``"Status": null`` is an execution of which Athena does not say how it is."""
    found, unreadable = execution(Status=None)
    assert (found.status.state, unreadable) == ("UNKNOWN", ())


def test_a_list_that_is_null_is_empty() -> None:
    """Null stands for no items, in every list."""
    page, unreadable = read_page(
        ExecutionBatch, {"QueryExecutions": None, "UnprocessedQueryExecutionIds": None}
    )
    assert (page.query_executions, page.unprocessed_query_execution_ids) == ([], [])
    assert unreadable == ()


def test_one_of_two_lists_is_enough() -> None:
    """A batch of which nothing was processed may lack the list of what was."""
    page, _ = read_page(ExecutionBatch, {"UnprocessedQueryExecutionIds": []})
    assert page.query_executions == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "it has no TableList"),
        ({"error": "busy"}, "it has no TableList"),
        ([], "it is a list, not an object"),
        ("ok", "it is text, not an object"),
        ({"TableList": "none"}, "TableList is text, not a list"),
        ({"TableList": [], "NextToken": {}}, "NextToken is an object, not text"),
    ],
)
def test_an_answer_without_its_list_or_its_token_is_foreign(answer: object, said: str) -> None:
    """An answer that would lose a page is none: never an empty list."""
    with pytest.raises(ForeignError) as caught:
        read_page(GluePage, answer)

    assert str(caught.value) == said


@pytest.mark.parametrize("result", [None, {}, {"Rows": 5}, []])
def test_a_result_without_rows_is_foreign(result: object) -> None:
    """Rows that cannot be read are not no rows."""
    with pytest.raises(ForeignError):
        read_page(ResultPage, {"ResultSet": result})


def test_a_cell_that_is_null_is_a_null_value() -> None:
    """The place of a cell counts, so it is not left out."""
    rows = [{"Data": [{"VarCharValue": "a"}, None, {}, {"VarCharValue": 5}]}]
    page, unreadable = read_page(ResultPage, {"ResultSet": {"Rows": rows}})
    assert [cell.var_char_value for cell in page.result_set.rows[0].data] == ["a", None, None, "5"]
    assert unreadable == ()


def test_columns_are_read_one_by_one() -> None:
    """A column without a name is left out and named; the others stay."""
    raw = json.dumps([{"Name": "a", "Type": 5}, {"Type": "int"}, None]).encode()
    columns, unreadable = read_list(CatalogColumn, raw, "t.Columns")
    assert [(column.name, column.type) for column in columns] == [("a", "5")]
    assert unreadable == (
        "t.Columns[1].Name is absent; it is left out",
        "t.Columns[2] is null; it is left out",
    )
    assert read_list(CatalogColumn, b'{"Name": 5}', "t.Columns") == (
        [],
        ("t.Columns is an object, not a list",),
    )


def test_no_note_holds_a_value() -> None:
    """A value may be a secret; its JSON type is all that is told."""
    _, unreadable = table(
        CreateTime="s3cr3t", PartitionKeys=[{"Name": "s3cr3t"}], Owner={"a": "s3cr3t"}
    )
    assert len(unreadable) == 2
    assert "s3cr3t" not in str(unreadable)


def test_notes_of_one_answer_are_bounded() -> None:
    """Of a page of which nothing fits the number is told."""
    _, unreadable = read_page(GluePage, {"TableList": [5] * 100})
    assert len(unreadable) == 21
    assert unreadable[-1] == "and 80 more"


def test_texts_that_no_file_can_hold_are_mended() -> None:
    """Half a surrogate pair, broken UTF-8, a byte-order mark and raw control characters pass."""
    body = b'\xef\xbb\xbf{"TableList": [{"Name": "a\\ud800", "Owner": "x\xff\ty"}]}'
    page, unreadable = read_page(GluePage, parse(body))
    assert page.table_list[0].name == "a?"
    assert page.table_list[0].owner == "x�\ty"
    assert unreadable == ()


@pytest.mark.parametrize("body", [b"", b'{"TableList": [', b"<html></html>", b"OK"])
def test_what_is_cut_off_or_no_json_is_not_parsed(body: bytes) -> None:
    """Such a body is asked for again."""
    with pytest.raises(ValueError, match=r"\w"):
        parse(body)


def test_what_is_nested_deeper_than_any_answer_is_no_json() -> None:
    """A stranger's body of brackets is a broken answer, not an error of ours."""
    for body in (b"[" * 200_000, b"[" * 100_000 + b"]" * 100_000):
        with pytest.raises(ValueError, match="nested too deeply"):
            parse(body)
