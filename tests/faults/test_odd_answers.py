"""Answers that the service models do not allow, and that AWS, or a proxy, was seen to send."""

from __future__ import annotations

import gzip
import json
import re
import threading
import zlib
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor, RunReport, Shared
from kada_athena_async.aws.error_codes import FOREIGN_ATTEMPTS
from kada_athena_async.errors import UnitError
from kada_athena_async.events import UnitFinished
from kada_athena_async.retry import RetryBudget
from kada_athena_async.sandbox.estate.model import Schema, Workgroup
from kada_athena_async.sandbox.wire import Reply, Request, json_reply
from tests.faults.world import START, WallClock, World, fields_of
from tests.kit.raw_aws import Forward, RawAws
from tests.kit.small_estate import make_table


class OddWorld(World):
    """A world whose runs go through a server that a test lets answer as it likes."""

    def __init__(self, path: Path, aws: RawAws, wall: WallClock) -> None:
        super().__init__(path, aws.sandbox, wall)
        self.aws = aws

    async def go(self, **fields: Any) -> RunReport:
        return await self.run(START, endpoint_url=self.aws.endpoint_url, **fields)

    def names(self, kind: str, *columns: str) -> list[tuple[str, ...]]:
        return sorted(tuple(row[column] for column in columns) for row in self.rows(kind))

    def scopes(self, scope: str) -> dict[tuple[str, ...], dict[str, Any]]:
        facts = self.manifests()[-1]["facts"]["completeness"]
        return {tuple(entry["name"]): entry for entry in facts if entry["scope"] == scope}

    def add_schemas(self, count: int, *, prefix: str) -> list[str]:
        """Schemas of the Glue catalog with two tables each."""
        glue = self.sandbox.estate.catalogs["AwsDataCatalog"]
        names = [f"{prefix}{number:03d}" for number in range(count)]
        for name in names:
            glue.schemas[name] = Schema(name=name)
            for table in ("a", "b"):
                made = make_table(table, "x bigint", now=START, schema=name)
                glue.schemas[name].tables[table] = made

        return names


@pytest.fixture
def world(tmp_path: Path, aws: RawAws, wall: WallClock) -> OddWorld:
    return OddWorld(tmp_path, aws, wall)


async def test_a_null_parameter_is_left_out(world: OddWorld) -> None:
    """ListTableMetadata answers nulls in the map of parameters for Iceberg tables."""
    world.aws.error("glue:GetTables", "AccessDeniedException", "no")

    def change(page: dict[str, Any]) -> None:
        for table in page["TableMetadataList"]:
            table["Parameters"] |= {"inputformat": None, "outputformat": None, "answer": 42}

    world.aws.alter("athena:ListTableMetadata", change)
    report = await world.go()
    assert report.committed, report.failed
    tables = world.rows("metadata_tables")
    assert len(tables) == sum(
        len(s.tables) for c in world.sandbox.estate.catalogs.values() for s in c.schemas.values()
    )
    assert all('"answer":"42"' in row["parameters"].replace(" ", "") for row in tables)
    assert not any("inputformat" in row["parameters"] for row in tables)
    assert {entry["outcome"] for entry in world.scopes("schema").values()} == {"complete"}


async def test_nulls_and_other_times_never_fail_a_page_of_history(world: OddWorld) -> None:
    """Nulls for what an execution lacks, ISO times and floats are read as what they mean."""

    def change(page: dict[str, Any]) -> None:
        page["UnprocessedQueryExecutionIds"] = None
        for execution in page["QueryExecutions"]:
            status = execution["Status"]
            status["AthenaError"] = None
            execution["EngineVersion"] = None
            status["SubmissionDateTime"] = str(status["SubmissionDateTime"])
            if execution.get("Statistics"):
                execution["Statistics"]["DataScannedInBytes"] = 5.0

    report = await world.go()
    plain = world.rows("databaselog")
    assert report.committed
    world.aws.alter("athena:BatchGetQueryExecution", change)
    other = OddWorld(world.path / "other", world.aws, world.wall)
    other.path.mkdir()
    report = await other.go()
    assert report.committed, report.failed
    odd = other.rows("databaselog")
    times = [(row["query_id"], row["submitted_at"], row["completed_at"]) for row in plain]
    assert [(row["query_id"], row["submitted_at"], row["completed_at"]) for row in odd] == times
    assert {row["scanned_bytes"] for row in odd} <= {"5", ""}


async def test_an_item_that_cannot_be_read_is_named_and_the_rest_is_told(world: OddWorld) -> None:
    """Tables without a name: their schema is partial and says which items they are."""

    def change(page: dict[str, Any]) -> None:
        page["TableList"].insert(1, {"Name": None, "TableType": "EXTERNAL_TABLE"})
        page["TableList"].insert(0, {"Name": "", "TableType": "EXTERNAL_TABLE"})

    world.aws.alter("glue:GetTables", change, where={"DatabaseName": "sales"})
    report = await world.go()
    assert report.committed, report.failed
    glue = world.sandbox.estate.catalogs["AwsDataCatalog"]
    told = [row["table"] for row in world.rows("metadata_tables") if row["schema"] == "sales"]
    assert sorted(told) == sorted(glue.schemas["sales"].tables)
    scope = world.scopes("schema")["AwsDataCatalog", "sales"]
    assert scope["outcome"] == "partial"
    assert "TableList[2].Name is null; it is left out" in scope["reason"]
    assert "glue:GetTables: item 0 has an empty name; it is left out" in scope["reason"]
    assert any("TableList[2].Name" in warning for warning in report.warnings)


async def test_a_column_that_cannot_be_read_is_named(world: OddWorld) -> None:
    """The other columns of the table are told, its schema is partial."""

    def change(page: dict[str, Any]) -> None:
        page["TableList"][0]["StorageDescriptor"]["Columns"].append({"Name": {}, "Type": "int"})

    world.aws.alter("glue:GetTables", change, where={"DatabaseName": "sales"})
    report = await world.go()
    assert report.committed, report.failed
    scope = world.scopes("schema")["AwsDataCatalog", "sales"]
    assert scope["outcome"] == "partial"
    assert "Name is an object, not text" in scope["reason"]
    assert {row["schema"] for row in world.rows("metadata_columns")} >= {"sales"}


async def test_items_that_come_twice_count_once(world: OddWorld) -> None:
    """A list that shifts shows items twice: catalogs, schemas, workgroups, columns too."""
    await world.go()
    kinds = {
        "metadata_catalogs": ("catalog",),
        "metadata_schemas": ("catalog", "schema"),
        "metadata_tables": ("catalog", "schema", "table"),
        "metadata_columns": ("catalog", "schema", "table", "column"),
        "users": ("workgroup",),
        "databaselog": ("query_id",),
    }
    once = {kind: world.names(kind, *columns) for kind, columns in kinds.items()}
    assert all(once.values())
    lists = {
        "athena:ListDataCatalogs": "DataCatalogsSummary",
        "athena:ListDatabases": "DatabaseList",
        "glue:GetDatabases": "DatabaseList",
        "athena:ListTableMetadata": "TableMetadataList",
        "glue:GetTables": "TableList",
        "athena:ListWorkGroups": "WorkGroups",
        "athena:ListQueryExecutions": "QueryExecutionIds",
    }
    for operation, key in lists.items():
        world.aws.alter(operation, lambda page, key=key: page[key].extend(page[key][:]))

    def repeat_columns(page: dict[str, Any]) -> None:
        page["TableList"] += page["TableList"]
        for table in page["TableList"]:
            table["StorageDescriptor"]["Columns"] += table["StorageDescriptor"]["Columns"][:]

    world.aws.alter("glue:GetTables", repeat_columns)
    other = OddWorld(world.path / "other", world.aws, world.wall)
    other.path.mkdir()
    report = await other.go()
    assert report.committed, report.failed
    assert {kind: other.names(kind, *columns) for kind, columns in kinds.items()} == once


FOREIGN = (b"{}", b'{"error": "backend busy"}', b"[]", b'"ok"', b" <html>Sign in</html>")


@pytest.mark.parametrize("body", FOREIGN)
async def test_a_foreign_answer_is_no_empty_history(world: OddWorld, body: bytes) -> None:
    """Asked for again a few times, then failed by name; nothing is committed, no mark moves."""
    rule = world.aws.answer("athena:ListQueryExecutions", body, where={"WorkGroup": "primary"})
    report = await world.go()
    assert not report.committed
    assert rule.answered == 5
    [outcome] = report.failed
    assert outcome.unit_id == "history/primary"
    assert "athena:ListQueryExecutions" in outcome.reason
    assert "not one of AWS's" in outcome.reason
    assert "proxy" in outcome.hint
    assert world.mark() is None


async def test_a_foreign_answer_that_passes_costs_nothing(world: OddWorld) -> None:
    """A proxy that restarts: the next answer of every list is AWS's own, and all is told."""
    operations = [
        "athena:BatchGetQueryExecution",
        "athena:ListDataCatalogs",
        "athena:ListDatabases",
        "athena:ListQueryExecutions",
        "athena:ListTableMetadata",
        "athena:ListWorkGroups",
        "glue:GetDatabases",
        "glue:GetTables",
    ]
    rules = [world.aws.answer(operation, b"{}", calls=(1,)) for operation in operations]
    report = await world.go()
    assert report.committed, report.failed
    assert [rule.answered for rule in rules] == [1] * len(rules)
    assert not [w for w in report.warnings if "stand" in w]
    finished = [e for e in world.sandbox.estate.executions.values() if e.completed_at]
    assert len(world.rows("databaselog")) >= len(finished)


async def test_a_foreign_answer_of_one_source_makes_the_other_stand_in(world: OddWorld) -> None:
    """Glue's lists are foreign for good: Athena's own tell the same tables, and it is said."""
    world.aws.answer("glue:Get*", b"{}")
    report = await world.go()
    assert report.committed, report.failed
    glue = world.sandbox.estate.catalogs["AwsDataCatalog"]
    assert world.names("metadata_tables", "catalog", "schema", "table")[-1:]
    told = Counter(r["schema"] for r in world.rows("metadata_tables") if r["catalog"] == glue.name)
    assert told == Counter({s.name: len(s.tables) for s in glue.schemas.values() if s.tables})
    reasons = [
        entry["reason"] for name, entry in world.scopes("schema").items() if name[0] == glue.name
    ]
    assert all(r.startswith("listed by athena:ListTableMetadata: glue:GetTables") for r in reasons)


@pytest.mark.parametrize("refused", [False, True])
async def test_catalogs_that_cannot_be_listed_cost_the_others_only_where_that_is_allowed(
    world: OddWorld, refused: bool
) -> None:
    """With on_error skip the account's own catalog is extracted, and run and manifest say so."""
    if refused:
        world.aws.error("athena:ListDataCatalogs", "AccessDeniedException", "no")
    else:
        world.aws.answer("athena:ListDataCatalogs", b"{}")

    with pytest.raises(UnitError, match="athena:ListDataCatalogs"):
        await world.go(catalogs=["*"])

    report = await world.go(catalogs=["*"], on_error="skip")
    assert report.committed, report.failed
    glue = world.sandbox.estate.catalogs["AwsDataCatalog"]
    tables = {(s.name, t) for s in glue.schemas.values() for t in s.tables}
    assert set(world.names("metadata_tables", "schema", "table")) == tables
    scope = world.scopes("catalog")[("*",)]
    assert scope["outcome"] == "partial"
    said = "others than AwsDataCatalog may be missing, .*athena:ListDataCatalogs"
    assert re.search(said, scope["reason"])
    assert [w for w in report.warnings if re.search(said, w)]


LISTS = {
    "athena:ListWorkGroups": ("WorkGroups", "history/*"),
    "athena:ListQueryExecutions": ("QueryExecutionIds", "history/primary"),
    "athena:ListDatabases": ("DatabaseList", "catalog/"),
    "athena:ListTableMetadata": ("TableMetadataList", "metadata/"),
}


@pytest.mark.parametrize("operation", LISTS)
async def test_a_page_token_that_repeats_is_an_error_after_one_rescan(
    world: OddWorld, operation: str
) -> None:
    """The listing begins again once, then fails by name; the run ends."""
    key, unit = LISTS[operation]
    world.aws.answer(operation, {key: [], "NextToken": "round and round"})
    report = await world.go()
    assert not report.committed
    reasons = [o.reason for o in report.failed if o.unit_id.startswith(unit)]
    assert reasons
    assert all(operation in reason and "same page token" in reason for reason in reasons)


async def test_a_token_that_repeats_once_costs_nothing(world: OddWorld) -> None:
    """The rescan gives what is missing, and nothing twice."""
    await world.go()
    once = world.names("databaselog", "query_id")

    def turn_back(page: dict[str, Any]) -> None:
        page["NextToken"] = "back"

    first = {"QueryExecutionIds": [], "NextToken": "back"}
    world.aws.answer("athena:ListQueryExecutions", first, where={"NextToken": "back"})
    world.aws.alter(
        "athena:ListQueryExecutions", turn_back, calls=(1,), where={"WorkGroup": "primary"}
    )
    other = OddWorld(world.path / "other", world.aws, world.wall)
    other.path.mkdir()
    report = await other.go()
    assert report.committed, report.failed
    assert other.names("databaselog", "query_id") == once


@pytest.mark.parametrize("operation", ["athena:ListWorkGroups", "athena:ListQueryExecutions"])
async def test_empty_pages_without_end_are_given_up(world: OddWorld, operation: str) -> None:
    """New tokens for ever, never an item: the listing fails by name instead of going on."""
    key, unit = LISTS[operation]

    def another(request: Request, _forward: Forward) -> Reply:
        token = json.loads(request.body).get("NextToken", "")
        return json_reply({key: [], "NextToken": f"{token}x"[-900:] + str(len(world.aws.requests))})

    world.aws.respond(operation, another)
    report = await world.go(workgroups=["primary"])
    assert not report.committed
    [reason] = [o.reason for o in report.failed if o.unit_id == unit]
    assert f"{operation}" in reason
    assert "251 pages in a row with nothing new" in reason


async def test_what_is_denied_for_one_schema_is_asked_for_its_neighbours(world: OddWorld) -> None:
    """24 schemas are refused to every lister, before any other answers: 20 others are told."""
    denied = world.add_schemas(24, prefix="a_denied")
    allowed = world.add_schemas(20, prefix="b_allowed")
    for name in denied:
        for operation in ("glue:GetTables", "athena:ListTableMetadata"):
            world.aws.error(operation, "AccessDeniedException", "no", where={"DatabaseName": name})

    report = await world.go(on_error="skip")
    assert report.committed, report.failed
    told = Counter(row["schema"] for row in world.rows("metadata_tables"))
    assert {name: told[name] for name in allowed} == dict.fromkeys(allowed, 2)
    outcomes = {name[1]: entry["outcome"] for name, entry in world.scopes("schema").items()}
    assert {name for name, outcome in outcomes.items() if outcome == "denied"} == set(denied)
    # One call a schema and lister: what was refused is not asked for again.
    assert world.aws.calls["glue:GetTables"] == len(
        world.sandbox.estate.catalogs["AwsDataCatalog"].schemas
    )


async def test_a_catalog_whose_api_is_down_is_told_by_sql(world: OddWorld) -> None:
    """ListTableMetadata answers 500 for a federated catalog: SQL tells its tables and is named."""
    [other] = [n for n in world.sandbox.estate.catalogs if n != "AwsDataCatalog"]
    world.aws.error(
        "athena:ListTableMetadata",
        "InternalServerException",
        "x",
        status=500,
        where={"CatalogName": other},
    )
    report = await world.go(metadata_source="auto", on_error="fail")
    assert report.committed, report.failed
    catalog = world.sandbox.estate.catalogs[other]
    told = Counter(r["schema"] for r in world.rows("metadata_tables") if r["catalog"] == other)
    assert told == Counter({s.name: len(s.tables) for s in catalog.schemas.values() if s.tables})
    reasons = [e["reason"] for name, e in world.scopes("schema").items() if name[0] == other]
    assert reasons
    assert all(r.startswith("listed by information_schema.tables:") for r in reasons)


async def test_a_connector_that_is_gone_is_no_schema_that_was_dropped(world: OddWorld) -> None:
    """Athena's words name a missing Lambda function: SQL stands in; by API alone the run fails."""
    [other] = [n for n in world.sandbox.estate.catalogs if n != "AwsDataCatalog"]
    gone = (
        "Failed to invoke lambda function due to "
        "com.amazonaws.services.lambda.model.ResourceNotFoundException: Function not found: x"
    )
    matching = {"where": {"CatalogName": other}}
    world.aws.error("athena:ListTableMetadata", "MetadataException", gone, **matching)
    report = await world.go(metadata_source="api", on_error="fail")
    assert [gone in outcome.reason for outcome in report.failed] == [True]
    report = await world.go(metadata_source="auto", on_error="fail")
    assert report.committed, report.failed
    assert other in {row["catalog"] for row in world.rows("metadata_tables")}


async def test_an_empty_list_by_sql_of_what_is_refused_is_not_called_complete(
    world: OddWorld,
) -> None:
    """A link to a schema that Lake Formation refuses: SQL shows nothing of it, and no error."""
    refusal = "Insufficient Lake Formation permission(s): Required Describe on src"
    for operation, code in (
        ("glue:GetTables", "AccessDeniedException"),
        ("athena:ListTableMetadata", "MetadataException"),
    ):
        world.aws.error(operation, code, refusal, where={"DatabaseName": "empty"})

    report = await world.go(metadata_source="auto", on_error="fail")
    assert report.committed, report.failed
    scope = world.scopes("schema")["AwsDataCatalog", "empty"]
    assert scope["outcome"] == "partial"
    assert "what is refused to the API may be hidden from SQL" in scope["reason"]
    assert refusal in scope["reason"]


async def test_columns_without_a_type_are_named(world: OddWorld) -> None:
    """Glue asks for no type of a column: where SQL is not asked the schema is partial."""

    def change(page: dict[str, Any]) -> None:
        for table in page["TableList"]:
            for column in table["StorageDescriptor"]["Columns"][:2]:
                column["Type"] = None

    world.aws.alter("glue:GetTables", change, where={"DatabaseName": "sales"})
    for source, outcome in (("api", "partial"), ("auto", "complete")):
        report = await world.go(metadata_source=source)
        assert report.committed, report.failed
        scope = world.scopes("schema")["AwsDataCatalog", "sales"]
        assert scope["outcome"] == outcome
        assert ("orders: 2 columns come without a type" in scope["reason"]) == (source == "api")
        world = OddWorld(world.path / "next", world.aws, world.wall)
        world.path.mkdir()


async def test_s3_tables_without_a_bucket_end_no_run(world: OddWorld) -> None:
    """The catalog that holds the buckets is there before the first, and no catalog of tables."""
    parent = {"CatalogId": "123456789012:s3tablescatalog", "Name": "s3tablescatalog"}
    world.aws.answer("glue:GetCatalogs", {"CatalogList": [parent]})
    report = await world.go(metadata_source="api", on_error="fail", catalogs=["*"])
    assert report.committed, report.failed
    assert "s3tablescatalog" not in {row["catalog"] for row in world.rows("metadata_catalogs")}


async def test_schemas_whose_api_is_down_are_told_by_the_next_source(world: OddWorld) -> None:
    """GetDatabases and ListDatabases fail for good: SQL names the schemas, and it is said."""
    for operation in ("glue:GetDatabases", "athena:ListDatabases"):
        world.aws.error(operation, "InternalServerException", "x", status=500)

    report = await world.go(metadata_source="auto")
    assert report.committed, report.failed
    expected = sorted(
        (c.name, s) for c in world.sandbox.estate.catalogs.values() for s in c.schemas
    )
    assert world.names("metadata_schemas", "catalog", "schema") == expected
    for name in world.sandbox.estate.catalogs:
        assert "ListDatabases was tried" in world.scopes("catalog")[name,]["reason"]


async def test_a_description_that_cannot_be_had_ends_nothing(world: OddWorld) -> None:
    """GetDataCatalog is denied for one catalog: the others are still asked."""
    [other] = [n for n in world.sandbox.estate.catalogs if n != "AwsDataCatalog"]
    world.aws.error(
        "athena:GetDataCatalog", "AccessDeniedException", "no", where={"Name": "AwsDataCatalog"}
    )
    world.aws.answer(
        "athena:GetDataCatalog",
        {"DataCatalog": {"Name": other, "Description": "ours"}},
        where={"Name": other},
    )
    report = await world.go()
    assert report.committed, report.failed
    assert ("ours",) in world.names("metadata_catalogs", "description")


RATE_EXCEEDED = (
    "GENERIC_USER_ERROR: Encountered an exception due to: Rate exceeded (Service: CloudWatch, "
    "Status Code: 400, Request ID: 0a1b-2c3d)"
)


async def test_a_throttle_in_other_words_slows_down_and_all_tables_come(world: OddWorld) -> None:
    """A connector whose own source is throttled for a while costs time, not tables."""
    [other] = [n for n in world.sandbox.estate.catalogs if n != "AwsDataCatalog"]
    rule = world.aws.error(
        "athena:ListTableMetadata",
        "MetadataException",
        RATE_EXCEEDED,
        calls=range(1, 12),
        where={"CatalogName": other},
    )
    events: list[Any] = []
    report = await world.go(observers=[events.append])
    assert report.committed, report.failed
    assert rule.answered == 11
    assert report.throttles["athena:ListTableMetadata"] == 11
    catalog = world.sandbox.estate.catalogs[other]
    told = Counter(r["schema"] for r in world.rows("metadata_tables") if r["catalog"] == other)
    assert told == Counter({s.name: len(s.tables) for s in catalog.schemas.values() if s.tables})


async def test_an_error_type_in_a_header_alone_is_read(world: OddWorld) -> None:
    """Throttled, though the body says nothing: slowed down, then all is told."""
    rule = world.aws.answer(
        "athena:ListQueryExecutions",
        b"{}",
        status=400,
        headers=[("x-amzn-ErrorType", "com.amazon.coral#ThrottlingException:http://x/")],
        calls=(1, 2, 3),
    )
    report = await world.go()
    assert report.committed, report.failed
    assert rule.answered == report.throttles["athena:ListQueryExecutions"] == 3


async def test_a_catalog_that_is_down_leaves_its_neighbours_their_retries(
    world: OddWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One catalog has failed for good when the other fails once a schema: it is told whole."""
    # A budget that a few units can spend, and deadlines by a clock that a busy machine obeys.
    monkeypatch.setattr(RetryBudget, "CAPACITY", 200)
    [down] = [n for n in world.sandbox.estate.catalogs if n != "AwsDataCatalog"]
    healthy = world.add_schemas(4, prefix="b")
    for number in range(DOWN_UNITS - 1):
        name = f"down{number}"
        world.sandbox.estate.catalogs[down].schemas[name] = Schema(name=name)

    has_failed, ended = threading.Event(), Counter[str]()

    def note(event: object) -> None:
        if isinstance(event, UnitFinished) and event.unit_id.startswith(f"metadata/{down}/"):
            ended[event.outcome] += 1
            if ended.total() == DOWN_UNITS:
                has_failed.set()

    def fail_later(_: Request, __: Forward) -> Reply:
        has_failed.wait(25)  # no longer: a call that takes 30 s is given up
        return json_reply({"__type": "InternalServerException"}, status=500)

    world.aws.error("glue:GetTables", "AccessDeniedException", "no")
    world.aws.error(
        "athena:ListTableMetadata",
        "InternalServerException",
        status=500,
        where={"CatalogName": down},
    )
    for name in healthy:
        world.aws.respond(
            "athena:ListTableMetadata", fail_later, calls=(1,), where={"DatabaseName": name}
        )

    report = await world.go(on_error="skip", observers=[note])
    assert report.committed, report.failed
    assert ended == {"done": DOWN_UNITS}
    told = Counter(row["schema"] for row in world.rows("metadata_tables"))
    assert {name: told[name] for name in healthy} == dict.fromkeys(healthy, 2)


DOWN_UNITS = 5
"""Units of the catalog that is down: by API each schema is one."""


async def test_who_refused_reaches_the_user_with_a_remedy_that_helps(world: OddWorld) -> None:
    """Lake Formation's words are in the report and in the manifest, and the hint is about it."""
    words = "Insufficient Lake Formation permission(s): Required DESCRIBE on sales"
    for operation in ("glue:GetTables", "athena:ListTableMetadata"):
        world.aws.error(operation, "AccessDeniedException", words, where={"DatabaseName": "sales"})

    report = await world.go()
    [failed] = report.failed
    assert words in failed.reason
    assert "grant DESCRIBE on sales in Lake Formation" in failed.hint
    other = OddWorld(world.path / "other", world.aws, world.wall)
    other.path.mkdir()
    report = await other.go(on_error="skip")
    assert report.committed, report.failed
    scope = other.scopes("schema")["AwsDataCatalog", "sales"]
    assert scope["outcome"] == "denied"
    assert words in scope["reason"]


@pytest.mark.parametrize("moment", [0, -1, 86_400.0, "1970-01-01T00:00:00Z"])
async def test_a_completion_before_the_submission_is_none(world: OddWorld, moment: object) -> None:
    """A value that stands for no time puts no execution before every window: each is extracted."""

    def change(batch: dict[str, Any]) -> None:
        for execution in batch["QueryExecutions"]:
            if "CompletionDateTime" in execution["Status"]:
                execution["Status"]["CompletionDateTime"] = moment

    world.aws.alter("athena:BatchGetQueryExecution", change)
    report = await world.go()

    assert report.committed
    world.check()


async def test_executions_that_are_told_oddly_are_told_once(world: OddWorld) -> None:
    """Times in milliseconds, states and names in another case, a state of tomorrow, twins."""

    def change(batch: dict[str, Any]) -> None:
        for execution in list(batch["QueryExecutions"]):
            status = execution["Status"]
            batch["QueryExecutions"].append({**execution, "Status": {"State": "RUNNING"}})
            execution["WorkGroup"] = execution["WorkGroup"].upper()
            status["State"] = status["State"].lower()
            for name in ("SubmissionDateTime", "CompletionDateTime"):
                if name in status:
                    status[name] *= 1000

    ended_at = START - timedelta(minutes=50)
    odd = world.submit(START - timedelta(hours=1), state="TIMED_OUT")
    world.sandbox.estate.executions[odd].completed_at = ended_at
    rule = world.aws.alter("athena:BatchGetQueryExecution", change)
    report = await world.go()

    assert rule.answered
    assert report.committed
    assert world.told().pop(odd) == 1
    rows = world.rows("databaselog")
    [row] = [row for row in rows if row["query_id"] == odd]
    assert row["completed_at"] == "2026-11-01 11:10:00.000"
    assert {row["status"] for row in rows} == {"SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT"}
    assert {row["workgroup"] for row in rows} <= set(world.sandbox.estate.workgroups)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_an_answer_that_a_proxy_compressed_is_read(world: OddWorld, encoding: str) -> None:
    """Nobody asked for it; a proxy does it all the same."""

    def compress(_: Request, forward: Forward) -> Reply:
        reply = forward()
        make = gzip.compress if encoding == "gzip" else zlib.compress
        headers = (*reply.headers, ("Content-Encoding", encoding))
        return Reply(status=reply.status, headers=headers, body=make(reply.body))

    world.aws.respond("athena:*", compress)
    report = await world.go()

    assert report.committed, report.failed
    world.check()


async def test_an_answer_of_nothing_but_brackets_is_a_broken_answer(world: OddWorld) -> None:
    """It says whose answer it is, not that a request could not be sent."""
    world.aws.answer("athena:ListWorkGroups", b"[" * 200_000)
    report = await world.go()

    assert not report.committed
    assert "the answer is cut off, or no JSON" in report.failed[0].reason


@pytest.mark.parametrize("items", [[None], ["odd"], {"odd": 1}, None], ids=str)
async def test_odd_words_about_the_system_table_leave_the_history_to_the_api(
    world: OddWorld, items: object
) -> None:
    """Nobody can tell whether it is on: the API is asked, and a few tries are enough to know."""
    rule = world.aws.answer("athena:ListSystemTableStatuses", {"Items": items})
    report = await world.go(history_source="auto")

    assert report.committed, report.failed
    assert any("system table is not used" in warning for warning in report.warnings)
    assert rule.answered <= FOREIGN_ATTEMPTS
    world.check()


@pytest.mark.parametrize(
    "body",
    [
        b"<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>",
        b"<html><body>Sign in</body></html>",
    ],
    ids=["empty", "HTML"],
)
async def test_an_answer_of_sts_without_an_account_ends_no_run(
    world: OddWorld, body: bytes
) -> None:
    """Sites that share quotas are then found by the key; the account is named unknown."""
    world.aws.respond(
        "*",
        lambda request, go_on: (
            Reply(status=200, headers=(("Content-Type", "text/xml"),), body=body)
            if b"GetCallerIdentity" in request.body
            else go_on()
        ),
    )
    fields = fields_of(world.sandbox, world.out, endpoint_url=world.aws.endpoint_url)
    shared = Shared(clock=world.wall)
    async with Extractor(
        clock=world.wall, hwm_path=world.hwm_path, shared=shared, **fields
    ) as extractor:
        report = await extractor.run()

    assert report.committed, report.failed
    (said,) = [warning for warning in report.warnings if "account is not known" in warning]
    assert re.search("not AWS's|twelve digits", said), said
    world.check()


@pytest.mark.parametrize(("state", "committed"), [("succeeded", True), ("EXPIRED", False)])
async def test_statements_end_in_states_of_any_spelling(
    world: OddWorld, state: str, committed: bool
) -> None:
    """Lower case is the same state, and an unknown one ends a statement that has an end."""

    def change(page: dict[str, Any]) -> None:
        for execution in page["QueryExecutions"]:
            if execution["Status"].get("CompletionDateTime"):
                execution["Status"]["State"] = state

    world.aws.alter("athena:BatchGetQueryExecution", change)
    report = await world.go(metadata_source="sql", catalogs=["AwsDataCatalog"])
    assert report.committed is committed
    reasons = [failed.reason for failed in report.failed]
    assert all("EXPIRED" in str(reason) for reason in reasons), reasons


async def test_a_catalog_in_a_new_status_is_tried(world: OddWorld) -> None:
    """Only those that are being made or deleted, or could not be, are left out."""

    def change(page: dict[str, Any]) -> None:
        for number, catalog in enumerate(page["DataCatalogsSummary"]):
            catalog["Status"] = ("ACTIVE", "delete_in_progress")[number % 2]

    world.aws.alter("athena:ListDataCatalogs", change)
    report = await world.go(on_error="skip")
    assert report.committed, report.failed
    outcomes = [entry["outcome"] for entry in world.scopes("catalog").values()]
    assert outcomes == ["skipped"]
    assert {row["catalog"] for row in world.rows("metadata_tables")} == {"AwsDataCatalog"}


async def test_a_workgroup_that_keeps_its_results_itself_needs_no_other_bucket(
    world: OddWorld,
) -> None:
    """Athena refuses a place for results there; the vendor's configuration always has one."""
    managed = Workgroup(name="finance_managed", has_managed_results=True)
    world.sandbox.estate.workgroups[managed.name] = managed
    report = await world.go(metadata_source="sql", workgroup="finance_managed")
    assert report.committed, report.failed
    world.check()
    asked = [m for name, m in world.aws.requests if name == "athena:StartQueryExecution"]
    assert not any("ResultConfiguration" in members for members in asked[-5:])


@pytest.mark.parametrize("results", ["s3", "auto"])
@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (204, b"", "without its length"),
        (200, b"<html>\n" * 9, "its first row is not the header of the result"),
    ],
    ids=["no length", "HTML"],
)
async def test_a_result_object_that_is_none_is_not_believed(
    world: OddWorld, status: int, body: bytes, words: str, results: str
) -> None:
    """Of another's words or of unknown length: the pages stand in, where they may."""

    def respond(request: Request, forward: Forward) -> Reply:
        is_object = request.method == "GET" and request.path.endswith(".csv")
        return Reply(status=status, headers=(), body=body) if is_object else forward()

    world.aws.respond("*", respond)
    world.sandbox.faults.add("short_page", "athena:GetQueryResults", size=4)
    report = await world.go(metadata_source="sql", results=results)
    assert report.committed is (results == "auto"), report.failed
    reasons = [failed.reason for failed in report.failed]
    assert all(words in str(reason) for reason in reasons), reasons


@pytest.mark.parametrize("status", [200, 204])
async def test_an_empty_answer_in_place_of_a_result_object_is_asked_for_again(
    world: OddWorld, status: int
) -> None:
    """One of each object passes, where no page of the API may stand in."""
    asked: set[str] = set()

    def respond(request: Request, forward: Forward) -> Reply:
        is_object = request.method == "GET" and request.path.endswith(".csv")
        if not is_object or request.path in asked:
            return forward()

        asked.add(request.path)
        return Reply(status=status, headers=(), body=b"")

    world.aws.respond("*", respond)
    report = await world.go(metadata_source="sql", results="s3")
    assert report.committed, report.failed
    assert asked
    assert report.calls["s3:GetObject"] == 2 * len(asked)


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("WorkGroup primary is disabled", "name another as workgroup or another bucket"),
        ("line 1:8: mismatched input 'FORM'", "correct the statement"),
    ],
)
async def test_a_statement_that_is_not_taken_has_a_remedy(
    world: OddWorld, said: str, remedy: str
) -> None:
    """Athena's own words, and what to do."""
    world.aws.error("athena:StartQueryExecution", "InvalidRequestException", said)
    report = await world.go(metadata_source="sql", catalogs=["AwsDataCatalog"])
    (failed,) = report.failed
    assert said in failed.reason
    assert remedy in failed.hint


async def test_a_workgroup_that_is_refused_has_a_remedy(world: OddWorld) -> None:
    """AWS's words say what is wrong; that the run may go on without it they do not."""
    words = "WorkGroup adhoc is disabled"
    where = {"WorkGroup": "adhoc"}
    world.aws.error("athena:ListQueryExecutions", "InvalidRequestException", words, where=where)
    report = await world.go(catalogs=["AwsDataCatalog"])
    (failed,) = report.failed
    assert words in failed.reason
    assert 'set on_error to "skip"' in failed.hint
