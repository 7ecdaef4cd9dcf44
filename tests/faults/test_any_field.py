"""Any field of any answer may be null, absent or of another JSON type.

The fields come from the structs that read the answers, so that a new one is tried too. A run by
default takes a sample; ``-m slow`` takes every field with every change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import msgspec
import pytest

from kada_athena_async.aws import wire
from kada_athena_async.aws.decode import ANSWER_KINDS
from kada_athena_async.sandbox import Sandbox
from tests.faults.test_odd_answers import OddWorld
from tests.faults.world import START, WallClock
from tests.kit.raw_aws import RawAws
from tests.kit.small_estate import tiny_estate

REMOVED = object()
CHANGES: dict[str, object] = {
    "null": None,
    "removed": REMOVED,
    "number": 7.5,
    "text": "odd",
    "flag": True,
    "list": [["odd"]],
    "object": {"odd": [1]},
}

# The columns are kept as raw JSON until they are needed.
RAW = {"columns": wire.CatalogColumn, "partition_keys": wire.CatalogColumn}

SERVICES = {
    "GetCatalogs": "glue",
    "GetTables": "glue",
    "GetDatabases": "glue",
    "LookupEvents": "cloudtrail",
    "ListLFTags": "lakeformation",
    "SearchDatabasesByLFTags": "lakeformation",
    "SearchTablesByLFTags": "lakeformation",
}

SAMPLE = 18
SEED = 20261128

KINDS = {
    "metadata_catalogs": ("catalog",),
    "metadata_schemas": ("catalog", "schema"),
    "metadata_tables": ("catalog", "schema", "table"),
    "users": ("workgroup",),
    "databaselog": ("query_id",),
}


def paths_of(kind: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every field of an answer, by AWS's names; 0 is the first item of a list."""
    hints = get_type_hints(kind)
    for field in msgspec.structs.fields(kind):
        where = (*path, field.encode_name)
        yield where
        inner: Any = hints[field.name]
        if field.name in RAW and msgspec.Raw in (inner, *get_args(inner)):
            inner, where = RAW[field.name], (*where, 0)
        elif get_origin(inner) is list:
            inner, where = get_args(inner)[0], (*where, 0)
            yield where
        else:
            options = [arg for arg in get_args(inner) if arg is not type(None)]
            inner = options[0] if len(options) == 1 else inner
            if get_origin(inner) is list:
                inner, where = get_args(inner)[0], (*where, 0)

        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from paths_of(inner, where)


def change(document: Any, path: tuple[str | int, ...], value: object) -> None:
    """Set what *path* leads to; nothing where the answer has no such place."""
    *way, last = path
    for step in way:
        inside = isinstance(document, dict) and step in document
        if not inside and not (isinstance(document, list) and document):
            return

        document = document[step]

    if isinstance(document, list):
        document[:1] = [] if value is REMOVED else [value]
    elif isinstance(document, dict) and value is REMOVED:
        document.pop(last, None)
    elif isinstance(document, dict):
        document[last] = value


class Case(NamedTuple):
    """A change of one field.

    Attributes:
        path: Leads to the field.
        name: Key of ``CHANGES``.
    """

    operation: str
    path: tuple[str | int, ...]
    name: str


CASES = [
    pytest.param(Case(operation, path, name), id=f"{operation}-{'.'.join(map(str, path))}-{name}")
    for operation, kind in sorted(ANSWER_KINDS.items())
    for path in paths_of(kind)
    for name in CHANGES
]


def sample() -> list[Any]:
    """A case of every operation, and some more."""
    rng = Random(SEED)
    by_operation = [
        [c for c in CASES if c.values[0].operation == name] for name in sorted(ANSWER_KINDS)
    ]
    chosen = [rng.choice(cases) for cases in by_operation]
    return [*chosen, *rng.sample(CASES, SAMPLE - len(chosen))]


def test_the_fields_are_those_of_the_answers() -> None:
    """The cases reach into items, structures, columns and results."""
    ids = {str(case.id) for case in CASES}
    assert len(ids) > 500
    assert {
        "GetTables-TableList.0.StorageDescriptor.Columns.0.Name-null",
        "BatchGetQueryExecution-QueryExecutions.0.Status.AthenaError.Retryable-text",
        "ListWorkGroups-WorkGroups.0.EngineVersion.EffectiveEngineVersion-object",
        "GetQueryResults-ResultSet.Rows.0.Data.0.VarCharValue-removed",
        "ListQueryExecutions-QueryExecutionIds.0-number",
        "ListTableMetadata-NextToken-list",
    } <= ids


def names(world: OddWorld) -> set[tuple[str, ...]]:
    return {
        (kind, *name) for kind, columns in KINDS.items() for name in world.names(kind, *columns)
    }


def labels(page: Any, *, is_whole: bool) -> set[str]:
    """The names of the first items of an answer, or of all: those that a change may cost."""
    found: set[str] = set()
    for items in page.values() if isinstance(page, dict) else ():
        listed = items if isinstance(items, list) else []
        for item in listed if is_whole else listed[:1]:
            members = item if isinstance(item, dict) else {"Name": item}
            found |= {v for k, v in members.items() if k in NAMES and isinstance(v, str)}

    return found


NAMES = ("Name", "CatalogName", "QueryExecutionId")


class PlainRun(NamedTuple):
    """Extract of a run whose answers nobody changed.

    Attributes:
        names: Kind and name of each item.
        scopes: Names in the manifest's completeness.
    """

    names: set[tuple[str, ...]]
    scopes: list[list[str]]


def fields_of(source: str) -> dict[str, Any]:
    return {
        "metadata_source": source,
        "on_error": "skip",
        "results": "api",
        "attribute_users": "cloudtrail",
        "lake_formation_tags": True,
    }


@pytest.fixture(scope="module")
def plain_runs() -> dict[str, PlainRun]:
    """Metadata source -> the run with which its cases are compared."""
    return {source: asyncio.run(plain_run(source)) for source in ("api", "auto")}


async def plain_run(source: str) -> PlainRun:
    wall = WallClock()
    with (
        TemporaryDirectory() as path,
        Sandbox(tiny_estate(START), now=wall.now) as sandbox,
        RawAws(sandbox) as aws,
    ):
        world = OddWorld(Path(path), aws, wall)
        assert (await world.go(**fields_of(source))).committed
        entries = [entry for m in world.manifests() for entry in m["facts"]["completeness"]]
        persons = {("users", "")}  # those that executions and events name
        return PlainRun(names(world) - persons, [entry["name"] for entry in entries])


@pytest.mark.parametrize("case", sample())
async def test_a_field_costs_its_item_at_most_and_it_is_said(
    plain_runs: dict[str, PlainRun], tmp_path: Path, aws: RawAws, wall: WallClock, case: Case
) -> None:
    """All other items are told; what is missing makes a scope partial or fails it by name."""
    await try_field(plain_runs, OddWorld(tmp_path, aws, wall), case)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
async def test_every_field_costs_its_item_at_most_and_it_is_said(
    plain_runs: dict[str, PlainRun], tmp_path: Path, aws: RawAws, wall: WallClock, case: Case
) -> None:
    """The same of every field, with every change."""
    await try_field(plain_runs, OddWorld(tmp_path, aws, wall), case)


async def try_field(plain_runs: dict[str, PlainRun], odd: OddWorld, case: Case) -> None:
    """All other items are told; what is missing makes a scope partial or fails it by name."""
    operation, path, name = case
    source = "auto" if operation in ("StartQueryExecution", "GetQueryResults") else "api"
    plain = plain_runs[source]
    touched: set[str] = set()

    def edit(page: Any) -> None:
        touched.update(labels(page, is_whole=len(path) == 1))
        change(page, path, CHANGES[name])

    full_name = f"{SERVICES.get(operation, 'athena')}:{operation}"
    rule = odd.aws.alter(full_name, edit)
    report = await odd.go(**fields_of(source))
    assert rule.answered
    assert report.committed, [outcome.reason for outcome in report.failed]
    lost = plain.names - names(odd)
    scopes = [entry for m in odd.manifests() for entry in m["facts"]["completeness"]]
    incomplete = [entry for entry in scopes if entry["outcome"] != "complete"]
    if len(path) == 1 and name == "null":
        return  # a list that is null is an empty one

    if path[-1] == 0 and name == "removed":
        return  # what a list does not name is not there, nor is what belongs to it

    if path[-1] in NAMES and name == "text":
        return  # by another name it is another thing, and nobody can tell

    if lost:
        assert [e for e in incomplete if e["name"] not in plain.scopes or e["reason"]], lost

    # More than the items that were touched is lost only where a whole list could not be read, or a
    # thing that others depend on; then a scope fails by the operation's name, or is not listed.
    beyond = {item for item in lost if not touched & set(item)}
    if beyond:
        said = [entry["reason"] for entry in incomplete]
        said += [warning["message"] for m in odd.manifests() for warning in m["facts"]["warnings"]]
        assert any(full_name in reason or f"{path[0]}[" in reason for reason in said), beyond
