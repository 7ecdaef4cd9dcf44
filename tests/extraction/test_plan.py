"""``plan``: what it foretells is what a run does; it runs no query and writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from kada_athena_async import Extractor
from kada_athena_async.cli.app import app
from kada_athena_async.sandbox import Sandbox
from tests.extraction.conftest import run

# Per operation: a tenth, or three calls. Looks at running statements depend on how long those
# take, which nobody knows before: at most twice as many, or twenty.
SHARE, CALLS = 0.1, 3
POLLS_FACTOR, POLLS = 2.0, 20

POLLED = "athena:BatchGetQueryExecution"


def too_far_off(foretold: Mapping[str, int], made: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Operation -> foretold and made, where they differ by more than is promised."""
    wrong = {}
    for name in foretold.keys() | made.keys():
        told, did = foretold.get(name, 0), made.get(name, 0)
        allowed = max(CALLS, SHARE * did)
        if name == POLLED:
            allowed = max(POLLS, POLLS_FACTOR * did)

        if abs(told - did) > allowed:
            wrong[name] = (told, did)

    return wrong


@pytest.mark.parametrize("source", ["auto", "api", "sql"])
async def test_a_run_makes_the_calls_that_were_foretold(
    source: str, extractor: Callable[..., Extractor], sandbox: Sandbox
) -> None:
    """Per operation, within the tolerance above, for each source; from one and the same plan."""
    # Our own statements of tests before this one are younger than the window's end, all of them.
    for query_id, execution in list(sandbox.estate.executions.items()):
        if "kada_athena_async" in execution.query:
            del sandbox.estate.executions[query_id]

    # Each of the estate's kinds of catalogs, but none that fails.
    fields = {"catalogs": ["AwsDataCatalog", "dynamo_orders", "hive_legacy"]}
    # Whatever is configured, all sources are compared.
    plan = await extractor(metadata_source="auto", **fields).plan()
    report = await run(extractor(metadata_source=source, **fields))
    assert plan.estimate is not None
    foretold = plan.estimate.of(source)  # type: ignore[arg-type]

    assert too_far_off(foretold.calls, report.calls) == {}
    assert foretold.statements == report.calls.get("athena:StartQueryExecution", 0)
    assert sum(c.tables + c.views for c in plan.catalogs) == report.rows["metadata_tables"]
    assert sum(c.columns for c in plan.catalogs) == pytest.approx(
        report.rows["metadata_columns"], rel=0.02
    )
    assert sum(w.executions for w in plan.workgroups) == pytest.approx(
        report.rows["databaselog"], rel=0.1
    )


async def test_it_writes_nothing_and_runs_nothing(
    extractor: Callable[..., Extractor], sandbox: Sandbox, tmp_path: Path
) -> None:
    """No directory, no mark, no execution, and it says what calls it took."""
    made, executions = extractor(metadata_source="sql"), len(sandbox.estate.executions)
    before = sandbox.calls.copy()
    plan = await made.plan()
    calls = sandbox.calls - before

    assert names_in(tmp_path) == []
    assert len(sandbox.estate.executions) == executions
    assert calls["athena:StartQueryExecution"] == 0
    assert plan.calls_made == dict(calls)


async def test_after_a_run_its_manifest_tells_the_sizes(
    extractor: Callable[..., Extractor],
) -> None:
    """The next plan looks into no schema, and its window begins at the mark."""
    report = await run(extractor())
    plan = await extractor().plan()
    assert plan.calls_made is not None

    assert plan.start == report.end
    assert {c.origin for c in plan.catalogs if not c.reason} == {"last run"}
    assert "glue:GetTables" not in plan.calls_made
    assert sum(c.tables + c.views for c in plan.catalogs) == report.rows["metadata_tables"]


async def test_a_window_is_chosen_as_for_a_run(extractor: Callable[..., Extractor]) -> None:
    """Start and end as given, and a gap is said."""
    plan = await extractor().plan(start_hwm="2020-01-01 00:00:00")

    assert any(note.startswith("2020-01-01 00:00 to ") for note in plan.notes)
    assert any("cannot be extracted" in note for note in plan.notes)


async def test_a_workgroup_that_lags_has_a_window_of_its_own(
    extractor: Callable[..., Extractor], sandbox: Sandbox
) -> None:
    """A workgroup left out last time is read from where it was left."""
    where = {"workgroup": "adhoc"}
    fault = sandbox.faults.add(
        "error", "athena:ListQueryExecutions", code="AccessDeniedException", where=where
    )
    try:
        report = await run(extractor(on_error="skip"))
    finally:
        sandbox.faults.clear(fault)

    plan = await extractor().plan()
    starts = {one.name: one.start for one in plan.workgroups}

    assert starts["primary"] == report.end
    assert starts["adhoc"] < report.end


async def test_what_may_not_be_looked_into_is_said(
    extractor: Callable[..., Extractor], sandbox: Sandbox
) -> None:
    """A denied catalog and a denied history are notes, not the end of the plan."""
    user = sandbox.add_user(
        "half",
        policy={
            "Statement": [
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {
                    "Effect": "Deny",
                    "Action": ["athena:ListQueryExecutions", "glue:*"],
                    "Resource": "*",
                },
            ]
        },
    )
    plan = await extractor(
        catalogs=["AwsDataCatalog"], key=user.access_key_id, secret=user.secret
    ).plan()
    assert plan.estimate is not None

    assert "glue:GetDatabases is not allowed" in plan.catalogs[0].reason
    assert any("athena:ListQueryExecutions is not allowed" in note for note in plan.notes)
    assert "the APIs may not list AwsDataCatalog" in plan.estimate.recommendation.reason


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def command(sandbox: Sandbox, folder: Path, *arguments: str, **fields: Any) -> Result:
    path = folder / "config.json"
    path.write_text(json.dumps(sandbox.config(folder / "out", quota_share=1.0, **fields)))
    path.chmod(0o600)
    mark = ["--hwm-path", str(folder / "athena_hwm.txt")]
    return CliRunner().invoke(
        app, ["plan", "-c", str(path), *mark, *arguments], env={"COLUMNS": "80", "TERM": "dumb"}
    )


def test_the_tables_fit_and_say_what_is_an_estimate(sandbox: Sandbox, tmp_path: Path) -> None:
    """80 columns, no colour in a file, every source, a recommendation and its reason."""
    result = command(sandbox, tmp_path, catalogs=["*"])

    assert result.exit_code == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "\x1b" not in result.stdout
    assert "auto *     api     sql" in result.stdout
    assert "rough dollars at most" in result.stdout
    assert "recommended: auto. SQL and the APIs check and replace each other" in result.stdout
    assert "snowflake_finance" in result.stdout
    assert "CREATE_FAILED" in result.stdout


def test_json_has_every_figure(sandbox: Sandbox, tmp_path: Path) -> None:
    """One object a site, for programs."""
    result = command(sandbox, tmp_path, "--json")
    (line,) = [json.loads(line) for line in result.stdout.splitlines()]

    assert [v["source"] for v in line["estimate"]["variants"]] == ["auto", "api", "sql"]
    assert line["estimate"]["recommendation"]["source"] == "auto"
    assert line["workgroups"][0]["origin"] == "counted"


def test_a_wrong_window_is_one_sentence(sandbox: Sandbox, tmp_path: Path) -> None:
    """Before any call, with the remedy."""
    result = command(sandbox, tmp_path, "--start-hwm", "yesterday")

    assert result.exit_code == 2
    assert "--start-hwm = 'yesterday': write YYYY-MM-DD HH:MM:SS" in result.stderr
