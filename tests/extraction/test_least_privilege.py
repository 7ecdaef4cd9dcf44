"""The policy that we print is enough, and none of it is too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor, RunReport
from kada_athena_async.config import Config, make_config
from kada_athena_async.events import Warned
from kada_athena_async.permissions import account_scope, permissions_of, policy_of
from kada_athena_async.sandbox import Sandbox
from tests.kit.small_estate import tiny_estate


def config_for(sandbox: Sandbox, folder: Path, policy: object = "admin", **fields: Any) -> Config:
    """A configuration whose key may do what *policy* says, and nothing else."""
    user = sandbox.add_user("least", policy=policy)  # type: ignore[arg-type]
    keys = {"key": user.access_key_id, "secret": user.secret}
    return make_config(sandbox.config(folder, quota_share=1.0, **{**keys, **fields}))


async def extract(config: Config, folder: Path, clock: Any, *observers: Any) -> RunReport:
    hwm_path = folder / "hwm.txt"
    async with Extractor(config, clock=clock, hwm_path=hwm_path, observers=observers) as extractor:
        return await extractor.run(manage_hwm=True)


def policy_for(config: Config, sandbox: Sandbox, *, optional: bool = True) -> Mapping[str, Any]:
    return policy_of(config, account_scope(config, sandbox.account_id), optional=optional)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """An estate in which every row is there on purpose: the runs are many."""
    with Sandbox(tiny_estate(datetime.now(timezone.utc))) as running:
        yield running


SHAPES: dict[str, dict[str, Any]] = {
    "vendor": {},
    "all": {"catalogs": ["*"]},
    "api": {"metadata_source": "api", "catalogs": ["*"]},
    "sql": {"metadata_source": "sql", "catalogs": ["AwsDataCatalog", "dynamo_orders"]},
    "tags": {"metadata_source": "api", "lake_formation_tags": True},
    "narrow": {"workgroups": ["a*", "primary"], "include_schemas": ["AwsDataCatalog.s*"]},
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_the_printed_policy_is_enough(
    shape: str, sandbox: Sandbox, tmp_path: Path, fast_clock: Any, read_extracts: Any
) -> None:
    """A run with exactly the printed policy extracts what a run with all rights does."""
    fields = {"workgroup": "adhoc", **SHAPES[shape]}
    free = config_for(sandbox, tmp_path / "free", **fields)
    exact = config_for(sandbox, tmp_path / "exact", policy_for(free, sandbox), **fields)
    found = []
    for config in (free, exact):
        folder = config.output_path
        folder.mkdir()
        found.append(await extract(config, folder, fast_clock))

    allowed, least = found
    assert least.committed
    # Our own statements of the first run are in the history of the second.
    kinds = [kind for kind in allowed.rows if kind.startswith(("metadata", "users"))]
    for kind in kinds:
        rows = [read_extracts(config.output_path).rows(kind) for config in (free, exact)]
        assert rows[0] == rows[1], kind

    assert least.rows["databaselog"] >= allowed.rows["databaselog"] > 0
    assert [w for w in least.warnings if "refused" in w] == []


NEEDED = sorted(
    {
        right.action
        for right in permissions_of(
            make_config(
                {
                    "server": "s",
                    "bucket": "s3://bucket/prefix",
                    "region": "ap-southeast-2",
                    "output_path": str(Path.cwd()),
                    "catalogs": ["AwsDataCatalog", "dynamo_orders"],
                }
            )
        )
        if right.is_needed
    }
)
# What the sandbox's Athena does not look at: only `doctor` tries it.
UNSEEN = {"glue:GetDatabase", "glue:GetTable", "s3:ListBucket"}


_FOR_SQL = {
    "athena:BatchGetQueryExecution",
    "athena:GetQueryResults",
    "athena:StartQueryExecution",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:PutObject",
}


@pytest.mark.parametrize("action", [a for a in NEEDED if a not in UNSEEN])
async def test_nothing_of_it_is_too_much(
    action: str, sandbox: Sandbox, tmp_path: Path, fast_clock: Any
) -> None:
    """With any one action taken away the run fails or names it, in a message or a remedy."""
    fields = {"catalogs": ["AwsDataCatalog", "dynamo_orders"], "workgroup": "primary"}
    config = config_for(sandbox, tmp_path, **fields)
    document = policy_for(config, sandbox, optional=False)
    without = {
        "Statement": [
            {**statement, "Action": kept}
            for statement in document["Statement"]
            if (kept := [a for a in statement["Action"] if a != action])
        ]
    }
    denied = config_for(sandbox, tmp_path / "out", without, **fields)
    events: list[object] = []
    report = await extract(denied, tmp_path, fast_clock, events.append)
    scopes = [scope for outcome in report.outcomes for scope in outcome.facts.scopes]
    warned = [event for event in events if isinstance(event, Warned)]
    said = " ".join(
        [
            *(f"{warning.message} {warning.hint}" for warning in warned),
            *(f"{outcome.reason} {outcome.hint}" for outcome in report.outcomes),
            *(scope.reason for scope in scopes),
        ]
    )
    # Where Athena says in its own words that it may not use the bucket, the remedy names it.
    assert action.replace("BatchGet", "Get") in said.replace("BatchGet", "Get")
    assert "for workgroup primary: athena:GetDataCatalog" not in said
    starts = [w for w in report.warnings if "SQL on catalog AwsDataCatalog" in w]
    assert len(starts) == (action in _FOR_SQL), "one statement shows it"


async def test_a_view_of_a_registered_catalog_needs_no_statement(
    sandbox: Sandbox, tmp_path: Path, fast_clock: Any
) -> None:
    """Where Athena refuses SQL on a catalog for want of GetDataCatalog, its views still come."""
    carts = sandbox.estate.catalogs["dynamo_orders"].schemas["default"]
    view = replace(carts.tables["carts"], name="open_carts", table_type="VIRTUAL_VIEW")
    carts.tables["open_carts"] = view
    config = config_for(sandbox, tmp_path / "out", "seed", catalogs=["*"])
    try:
        report = await extract(config, tmp_path, fast_clock)
    finally:
        del carts.tables["open_carts"]

    assert report.committed, [outcome.reason for outcome in report.failed]
    assert "SQL on catalog dynamo_orders is refused, the API replaces it" in " ".join(
        report.warnings
    )
