"""Tags of Lake Formation: each once, as the sandbox knows them, in few calls, never fatal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kada_athena_async import Extractor
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Schema
from kada_athena_async.sandbox.estate.tags import LF_TAGS
from tests.extraction.conftest import run
from tests.faults.world import START, WallClock
from tests.kit.raw_aws import RawAws
from tests.kit.small_estate import make_table, tiny_estate
from tests.kit.true_tags import TagTruth, true_tags

SEARCHES = sum(-(-len(values) // 50) for values in LF_TAGS.values())

LIST = "lakeformation:ListLFTags"
DATABASES = "lakeformation:SearchDatabasesByLFTags"
TABLES = "lakeformation:SearchTablesByLFTags"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A tiny estate with 230 tagged tables more: several pages of a search."""
    wall = WallClock(START)
    estate = tiny_estate(START)
    wide = Schema(name="wide", lf_tags={"domain": "finance", "cost_centre": "cc-0077"})
    for number in range(230):
        table = make_table(f"t{number:03d}", "a bigint, b string", now=START, schema="wide")
        if number % 3 == 0:
            table.lf_tags["domain"] = "operations"
            table.columns[0].lf_tags["domain"] = "operations"

        table.columns[1].lf_tags["pii"] = "indirect: name + address"
        wide.tables[table.name] = table

    estate.catalogs["AwsDataCatalog"].schemas["wide"] = wide
    with Sandbox(estate, now=wall.now) as running:
        yield running


@pytest.fixture
def tagged(extractor: Callable[..., Extractor]) -> Callable[..., Extractor]:
    """An extractor that asks for tags."""

    def make(**fields: Any) -> Extractor:
        settings = {"metadata_source": "api", "catalogs": ["*"], "lake_formation_tags": True}
        return extractor(**{**settings, **fields})

    return make


def tags_in(extracts: Any) -> Counter[TagTruth]:
    """The rows of ``metadata_tags``, with how often each is there."""
    rows = extracts.rows("metadata_tags")
    assert {row["source"] for row in rows} <= {"lakeformation"}
    return Counter(
        TagTruth(
            row["catalog"],
            row["schema"],
            row["table"],
            row["column"],
            row["tag_key"],
            row["tag_value"],
            row["inherited"] == "true",
        )
        for row in rows
    )


def facts_of(report: Any) -> Any:
    """The facts of a run's manifest."""
    return msgspec.json.decode(report.manifest.read_bytes())["facts"]


async def test_each_tag_is_there_once_as_the_estate_has_it(
    tagged: Any, sandbox: Sandbox, read_extracts: Any, tmp_path: Path
) -> None:
    """Databases, tables and columns; inherited values, overridden ones, keys of 120 values."""
    report = await run(tagged())

    found = tags_in(read_extracts(tmp_path / "out"))
    assert set(found) == set(true_tags(sandbox.estate))
    assert set(found.values()) == {1}
    assert {tag.is_inherited for tag in found if tag.table and not tag.column} == {True, False}
    assert {tag.is_inherited for tag in found if tag.column} == {True, False}
    assert report.rows["metadata_tags"] == len(found)


async def test_no_call_is_made_for_a_single_table(tagged: Any) -> None:
    """A list of the keys, then pages of a search for each 50 values of a key."""
    report = await run(tagged())

    calls = {name: n for name, n in report.calls.items() if name.startswith("lakeformation:")}
    assert calls[LIST] == 1
    assert calls[DATABASES] == SEARCHES
    assert SEARCHES < calls[TABLES] < SEARCHES + 15
    assert set(calls) == {LIST, DATABASES, TABLES}


async def test_off_asks_nothing(extractor: Any) -> None:
    """By default Lake Formation is not asked, and the extract has its header only."""
    report = await run(extractor(metadata_source="api"))

    assert not [name for name in report.calls if name.startswith("lakeformation:")]
    assert report.rows["metadata_tags"] == 0
    assert [file.rows for file in report.files if file.kind == "metadata_tags"] == [0]


@pytest.mark.parametrize("operation", [LIST, DATABASES, TABLES])
async def test_denied_the_run_commits_without_tags_and_names_the_right(
    operation: str, tagged: Any, sandbox: Sandbox
) -> None:
    """All else is extracted; warning and manifest say which right is missing, with on_error."""
    sandbox.faults.add("access_denied", operation)
    report = await run(tagged())

    assert report.committed
    assert report.rows["metadata_tables"] > 230
    assert report.rows["metadata_tags"] == 0
    assert [w for w in report.warnings if "tags of catalog AwsDataCatalog" in w and operation in w]
    facts = facts_of(report)
    assert [w for w in facts["warnings"] if w["code"] == "tags_missing"]
    notes = [s for s in facts["completeness"] if "LF-tags" in s["reason"]]
    assert [(s["name"], s["outcome"]) for s in notes] == [(["AwsDataCatalog"], "complete")]
    assert operation in notes[0]["reason"]


async def test_a_search_that_breaks_in_the_middle_leaves_no_half_of_the_tags(
    tagged: Any, sandbox: Sandbox
) -> None:
    """Some tags without the others would look as if these had been removed."""
    sandbox.faults.add("error", TABLES, code="AccessDeniedException", calls=(3,))
    report = await run(tagged())

    assert report.committed
    assert report.rows["metadata_tags"] == 0
    assert any(TABLES in warning for warning in report.warnings)


@pytest.mark.parametrize("kind", ["truncate", "server_error", "throttle", "reset_before"])
async def test_broken_answers_are_asked_for_again(
    kind: Any, tagged: Any, sandbox: Sandbox, read_extracts: Any, tmp_path: Path
) -> None:
    """Each operation fails twice, and nothing is missing or there twice."""
    for operation in (LIST, DATABASES, TABLES):
        sandbox.faults.add(kind, operation, calls=(1, 3))

    await run(tagged())
    found = tags_in(read_extracts(tmp_path / "out"))
    assert set(found) == set(true_tags(sandbox.estate))
    assert set(found.values()) == {1}


async def test_short_pages_and_tokens_that_expire_lose_and_repeat_nothing(
    tagged: Any, sandbox: Sandbox, read_extracts: Any, tmp_path: Path
) -> None:
    """A search begins again where its token is refused; each tag is still written once."""
    sandbox.faults.add("short_page", "lakeformation:*", size=7)
    sandbox.faults.add("error", TABLES, code="InvalidInputException", calls=(12,))
    await run(tagged())

    found = tags_in(read_extracts(tmp_path / "out"))
    assert set(found) == set(true_tags(sandbox.estate))
    assert set(found.values()) == {1}


async def test_only_tags_of_included_schemas_are_written(
    tagged: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """The filters of schemas hold for tags too."""
    await run(tagged(include_schemas=["AwsDataCatalog.sales"], catalogs=["AwsDataCatalog"]))

    assert {tag.schema for tag in tags_in(read_extracts(tmp_path / "out"))} == {"sales"}


async def test_a_catalog_that_is_not_in_glue_is_not_asked_for(tagged: Any) -> None:
    """Lake Formation knows Glue's catalogs only."""
    report = await run(tagged(catalogs=["dynamo_orders"]))

    assert LIST not in report.calls
    assert report.rows["metadata_tags"] == 0


async def test_a_plan_foretells_the_calls(tagged: Any) -> None:
    """The keys are listed; without a last run, every table may have every key: an upper bound."""
    plan = await tagged().plan()
    report = await run(tagged(), end_hwm="2h")  # so that there is time left to plan
    after = await tagged().plan()

    first, second = plan.estimate.of("api").calls, after.estimate.of("api").calls
    for name in (LIST, DATABASES, TABLES):
        assert first[name] >= report.calls[name]
        assert second[name] == report.calls[name]

    assert first[TABLES] <= report.calls[TABLES] + 10


async def test_a_key_deleted_while_the_run_reads_costs_that_key_only(
    tagged: Any, sandbox: Sandbox, read_extracts: Any, tmp_path: Path
) -> None:
    """The tags of the others are there; warning and manifest name the key."""
    where = {"Expression": [{"TagKey": "pii", "TagValues": list(LF_TAGS["pii"])}]}
    error = "EntityNotFoundException"
    with RawAws(sandbox) as aws:
        for operation in (DATABASES, TABLES):
            aws.error(operation, error, "Tag key pii not found", where=where)

        report = await run(tagged(endpoint_url=aws.endpoint_url))

    found = {tag.key for tag in tags_in(read_extracts(tmp_path / "out"))}
    assert {"domain", "sensitivity", "cost_centre"} <= found
    assert any("key pii" in warning for warning in report.warnings)
    assert any("key pii" in s["reason"] for s in facts_of(report)["completeness"])


async def test_an_answer_that_is_not_lake_formations_is_no_empty_list(
    tagged: Any, sandbox: Sandbox
) -> None:
    """A proxy's ``{}`` in place of a page: the tags are left out and that is said."""
    with RawAws(sandbox) as aws:
        aws.answer(TABLES, {})
        report = await run(tagged(endpoint_url=aws.endpoint_url))

    assert report.committed
    assert report.rows["metadata_tags"] == 0
    assert any("not one of AWS's" in warning for warning in report.warnings)


async def test_an_item_that_cannot_be_read_is_named_and_the_rest_is_there(
    tagged: Any, sandbox: Sandbox, read_extracts: Any, tmp_path: Path
) -> None:
    """A table without a name costs its own row only."""

    def spoil(page: Any) -> None:
        page["TableList"].insert(0, {"Table": {"DatabaseName": "sales"}})

    with RawAws(sandbox) as aws:
        aws.alter(TABLES, spoil)
        report = await run(tagged(endpoint_url=aws.endpoint_url))

    assert set(tags_in(read_extracts(tmp_path / "out"))) == set(true_tags(sandbox.estate))
    assert any("TableList[0]" in warning for warning in report.warnings)
    assert any("TableList[0]" in s["reason"] for s in facts_of(report)["completeness"])


async def test_an_answer_that_leaves_out_inherited_tags_gives_the_same(
    tagged: Any, sandbox: Sandbox, read_extracts: Any, tmp_path: Path
) -> None:
    """AWS does not say if tables repeat the tags that they inherit; both are read alike."""

    def narrow(page: Any) -> None:
        for table in page["TableList"]:
            above = table.get("LFTagOnDatabase") or []
            own = [tag for tag in table.get("LFTagsOnTable") or [] if tag not in above]
            table["LFTagsOnTable"] = own or None

    with RawAws(sandbox) as aws:
        aws.alter(TABLES, narrow)
        await run(tagged(endpoint_url=aws.endpoint_url))

    found = tags_in(read_extracts(tmp_path / "out"))
    assert set(found) == set(true_tags(sandbox.estate))
    assert set(found.values()) == {1}


async def test_a_run_that_goes_on_has_each_tag_once_and_asks_no_more(
    tagged: Any, sandbox: Sandbox, read_extracts: Any, tmp_path: Path
) -> None:
    """The tags that an unfinished run had read are kept, and are in the commit once."""
    fault = sandbox.faults.add("access_denied", "athena:ListQueryExecutions")
    first = await run(tagged(), end_hwm="2h")  # so that there is a window after it
    sandbox.faults.clear(fault)
    second = await run(tagged())

    assert not first.committed
    assert second.committed
    resumed = {o.unit_id: o.outcome for o in second.continued.outcomes}
    assert resumed["tags/AwsDataCatalog"] == "resumed"
    found = tags_in(read_extracts(tmp_path / "out"))
    assert set(found) == set(true_tags(sandbox.estate))
    assert set(found.values()) == {2}, "the run that goes on and the one after it"


async def test_what_a_resumed_run_left_out_is_in_its_manifest(
    tagged: Any, sandbox: Sandbox
) -> None:
    """The tags were denied before the run broke off: the manifest of the end still says so."""
    denied = sandbox.faults.add("access_denied", TABLES)
    broken = sandbox.faults.add("access_denied", "athena:ListQueryExecutions")
    await run(tagged())
    sandbox.faults.clear(denied)
    sandbox.faults.clear(broken)
    report = (await run(tagged())).continued

    assert report.rows["metadata_tags"] == 0
    assert any(TABLES in scope["reason"] for scope in facts_of(report)["completeness"])
