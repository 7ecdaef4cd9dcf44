"""Objects of ``show --json``: the keys that the guide promises, and what is about all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kada_athena_async.cli import shown_history, shown_usage
from kada_athena_async.cli.shown import Shown
from kada_athena_async.extracts.runs import Runs, select_runs
from kada_athena_async.files import Files
from kada_athena_async.scopes import ScopeFacts
from tests.unit.extracts.making import AT, make_package, record, schema_record, table

GUIDE = Path(__file__).parents[3] / "docs/usage-and-cost.md"
VIEWS: dict[str, Callable[[Runs, int], Shown]] = {
    "show tables": shown_usage.tables,
    "show unused": shown_usage.unused,
    "show users": shown_usage.users,
    "show who": lambda runs, rows: shown_usage.who(runs, "orders", rows),
    "show advice": shown_usage.advised,
    "show workgroups": shown_history.workgroups,
    "show slowest": lambda runs, rows: shown_history.fingerprints(runs, "total_ms", rows),
    "show failures": shown_history.failures,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("runs")
    names = {"catalog": "AwsDataCatalog", "schema": "sales", "table": "orders", "user": "etl"}
    times = {"completed_at": AT, "submitted_at": AT, "total_ms": 5}
    facts = {"workgroup": "primary", "user": "etl", "scanned_bytes": 2**40, "query": "SELECT"}
    make_package(
        folder,
        {
            "metadata_tables": [table("old", size_bytes=5), table("older", size_bytes=4)],
            "databaselog": [
                record("databaselog", query_id=f"q{n}", status=status, fingerprint=f"f{n}",
                       **facts, **times)
                for n, status in enumerate(("SUCCEEDED", "FAILED", "FAILED"))
            ],
            "events": [record("events", query_id="q0", event_type="READ", **names)],
            "usage": [
                record("usage", usage_date="2026-11-24", event_type="READ", executions=1,
                       failed_executions=0, scanned_bytes=1, last_at=AT, **names)
            ],
        },
        completeness=[
            schema_record("sales"),
            schema_record("half", "partial"),
            ScopeFacts(scope="workgroup", name=("w",), outcome="denied"),
        ],
    )  # fmt: skip
    return select_runs(folder, "athena", Files())


def promised() -> dict[str, tuple[str, list[str]]]:
    """Command -> the kind and the keys of its objects, as the guide has them."""
    rows = re.findall(
        r"^\| `(show \w+)`[^|]*\| `(\w+)` \| ([^|;]*)", GUIDE.read_text(), re.MULTILINE
    )
    return {command: (kind, re.findall(r"`(\w+)`", keys)) for command, kind, keys in rows}


@pytest.mark.parametrize("command", VIEWS)
def test_objects_have_the_keys_of_the_guide(command: str, runs: Runs) -> None:
    """Each view has an object, of the kind and with the keys that are written down."""
    view = VIEWS[command](runs, 1)

    assert (view.kind, list(view.objects[0])) == promised()[command]


def test_a_view_says_of_how_many_it_shows_the_first(runs: Runs) -> None:
    """The total, the price, and of unused tables what makes them doubtful."""
    unused = shown_usage.unused(runs, 1)
    assert len(unused.objects) == 1
    assert unused.about == {
        "total": 2,
        "schemas": 1,
        "left_out": [["AwsDataCatalog", "half"]],
        "doubts": ["workgroups not read completely: w"],
    }
    users = shown_usage.users(runs, 1)
    assert users.about["total"] == 1
    assert users.about["usd_per_tb"] == 5.0
    assert "us-east-1" in str(users.about["price_source"])


def test_tables_of_schemas_that_were_not_read_are_not_called_used(tmp_path: Path) -> None:
    """Where no schema was read completely nothing is known of any table."""
    records = {"metadata_tables": [table("old")]}
    make_package(tmp_path, records, completeness=[schema_record("sales", "partial")])

    shown = shown_usage.unused(select_runs(tmp_path, "athena", Files()), 1)

    said = [str(part) for part in shown.parts]
    assert said[:2] == [
        "no schema was read completely",
        "0 tables or views unused in 0 complete schemas",
    ]
