"""A filter that names what is not there is refused with what is; denied is not the same as gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor
from kada_athena_async.errors import ConfigError
from kada_athena_async.events import Warned
from kada_athena_async.sandbox import Sandbox
from tests.kit.command import command
from tests.kit.raw_aws import RawAws
from tests.kit.small_estate import tiny_estate
from tests.network.conftest import NOW

MISSPELT: dict[str, tuple[dict[str, Any], str]] = {
    "catalog": ({"catalogs": ["AwsDataCatalogue"]}, "Athena shows only: AwsDataCatalog"),
    "one of two catalogs": (
        {"catalogs": ["AwsDataCatalog", "dynamo_order"]},
        "Athena shows only: dynamo_orders, AwsDataCatalog",
    ),
    "schema": (
        {"include_schemas": ["AwsDataCatalog.salse"]},
        "no schema matches; there are: AwsDataCatalog.sales, ",
    ),
    "one of two schemas": (
        {"include_schemas": ["AwsDataCatalog.sales", "AwsDataCatalog.emty"]},
        "no schema matches; there are: AwsDataCatalog.empty, ",
    ),
    "pattern of schemas": (
        {"include_schemas": ["*.slaes_*"]},
        "no schema matches; there are: ",
    ),
    "workgroup": ({"workgroups": ["primry"]}, "no workgroup matches; there are: primary, adhoc, "),
    "case of a workgroup": (
        {"workgroups": ["Primary"]},
        "no workgroup matches; there are: primary, adhoc, ",
    ),
}
each_misspelt = pytest.mark.parametrize(("fields", "words"), MISSPELT.values(), ids=MISSPELT)


@pytest.fixture
def aws() -> Iterator[RawAws]:
    with Sandbox(tiny_estate(NOW), now=lambda: NOW) as sandbox, RawAws(sandbox) as running:
        yield running


@pytest.fixture
def through(aws: RawAws, tmp_path: Path) -> Callable[..., Extractor]:
    """Makes an extractor whose calls a test may answer."""

    def make(**fields: Any) -> Extractor:
        settings: dict[str, Any] = {"metadata_source": "api", "bucket": "", **fields}
        return Extractor(hwm_path=tmp_path / "hwm.txt", **aws.config(tmp_path / "out", **settings))

    return make


@each_misspelt
@pytest.mark.parametrize("name", ["run", "plan", "test_connection"])
async def test_a_misspelt_filter_is_refused(
    extractor: Callable[..., Extractor], fields: dict[str, Any], words: str, name: str
) -> None:
    """By each that asks AWS: exit code 2, and what is there, the nearest first."""
    made = extractor(**fields)

    with pytest.raises(ConfigError) as caught:
        await getattr(made, name)()

    (problem,) = caught.value.problems
    assert problem.key in fields
    assert problem.remedy.startswith(words)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["run", "plan"])
async def test_an_empty_window_refuses_a_misspelt_filter_too(
    extractor: Callable[..., Extractor], name: str
) -> None:
    """There is nothing to do now, and the next run would be refused."""
    for key, value in (("include_schemas", "*.salse"), ("catalogs", "AwsDataCatalogue")):
        with pytest.raises(ConfigError) as caught:
            await getattr(extractor(**{key: [value]}), name)(start_hwm=NOW, end_hwm=NOW)

        (problem,) = caught.value.problems
        assert (problem.key, problem.value) == (key, repr(value))
        assert "AwsDataCatalog" in problem.remedy


async def test_an_empty_window_needs_no_list_of_catalogs(
    aws: RawAws, through: Callable[..., Extractor]
) -> None:
    """A run that has nothing to do does not fail for a list that it is denied."""
    aws.error("athena:ListDataCatalogs", "AccessDeniedException", "no")
    made = through(catalogs=["*"], include_schemas=["*.salse"])
    report = await made.run(start_hwm=NOW, end_hwm=NOW)

    assert (report.committed, report.exit_code) == (False, 0)


async def test_the_only_catalog_shown_is_no_denial(
    aws: RawAws, through: Callable[..., Extractor]
) -> None:
    """An account without other catalogs shows one; a misspelt name is misspelt all the same."""
    own = {"CatalogName": "AwsDataCatalog", "Type": "GLUE"}
    aws.answer("athena:ListDataCatalogs", {"DataCatalogsSummary": [own]})
    made = through(catalogs=["AwsDataCatalogs"])

    with pytest.raises(ConfigError, match=r"'AwsDataCatalogs': Athena shows only: AwsDataCatalog$"):
        await made.test_connection()

    with pytest.raises(ConfigError, match="Athena shows only: AwsDataCatalog"):
        await made.run()


async def test_a_denied_list_of_catalogs_refuses_nothing(
    aws: RawAws, through: Callable[..., Extractor]
) -> None:
    """Least privilege: who may not list names the catalogs, and is believed."""
    aws.error("athena:ListDataCatalogs", "AccessDeniedException", "no")
    made = through(catalogs=["AwsDataCatalog", "dynamo_orders"])

    assert (await made.run()).committed


async def test_a_denied_list_of_schemas_refuses_nothing(
    aws: RawAws, through: Callable[..., Extractor]
) -> None:
    """A filter on a catalog that cannot be listed is not called misspelt; one that matches nothing
    in those that were listed is warned of."""
    said: list[object] = []
    aws.error("athena:ListDatabases", "AccessDeniedException", "no")
    made = through(
        catalogs=["*"],
        include_schemas=["AwsDataCatalog.sales", "dynamo_orders.default", "*.later_*"],
        on_error="skip",
        observers=[said.append],
    )

    assert (await made.run()).committed
    warned = [e.message for e in said if isinstance(e, Warned) and e.code == "filter_unmatched"]
    assert warned == ["include_schemas: nothing that is there matches '*.later_*'"]


async def test_a_denied_list_of_workgroups_refuses_nothing(
    aws: RawAws, through: Callable[..., Extractor]
) -> None:
    """Nobody knows then that a pattern matches nothing: the run commits."""
    aws.error("athena:ListWorkGroups", "AccessDeniedException", "no")
    made = through(workgroups=["primary"], on_error="skip")

    assert (await made.run()).committed


async def test_an_empty_estate_is_no_mistake(
    aws: RawAws, through: Callable[..., Extractor]
) -> None:
    """Patterns may match nothing where there is nothing."""
    aws.answer("glue:GetDatabases", {"DatabaseList": []})
    made = through(include_schemas=["AwsDataCatalog.*"])

    assert (await made.run()).committed


async def test_a_pattern_beside_others_may_match_nothing(
    extractor: Callable[..., Extractor],
) -> None:
    """It is said in a warning; the run goes on."""
    said: list[object] = []
    made = extractor(
        include_schemas=["AwsDataCatalog.sales", "*.later_*"],
        workgroups=["primary", "team-*"],
        observers=[said.append],
    )

    assert (await made.run()).committed
    warned = [e.message for e in said if isinstance(e, Warned) and e.code == "filter_unmatched"]
    assert warned == [
        "workgroups: nothing that is there matches 'team-*'",
        "include_schemas: nothing that is there matches '*.later_*'",
    ]


async def test_the_manifest_tells_excluded_from_gone(
    extractor: Callable[..., Extractor], tmp_path: Path
) -> None:
    """Schemas left out stand in it; those that are gone do not. Nothing is incomplete."""
    report = await extractor(
        include_schemas=["AwsDataCatalog.*"],
        exclude_schemas=["AwsDataCatalog.empty"],
        workgroups=["primary"],
    ).run()

    (path,) = (tmp_path / "out").glob("*_manifest_*.json")
    scopes = json.loads(path.read_text())["facts"]["completeness"]
    excluded = {tuple(s["name"]) for s in scopes if s["outcome"] == "excluded"}
    assert ("AwsDataCatalog", "empty") in excluded
    assert ("AwsDataCatalog", "sales") not in excluded
    assert ("adhoc",) in excluded
    assert ("primary",) not in excluded
    assert report.incomplete == ()


@pytest.mark.parametrize("kind", ["schema", "workgroup", "catalog"])
def test_doctor_finds_a_misspelt_filter(sandbox: Sandbox, tmp_path: Path, kind: str) -> None:
    """With the names that are there, and the exit code of the run."""
    fields, words = MISSPELT[kind]
    settings = {"metadata_source": "api", "bucket": "", **fields}

    code, output = command(["doctor"], sandbox.config(tmp_path / "out", **settings), tmp_path)

    assert words.split(":")[0] in output
    assert code == 2
