"""Configurations of sites: what load_sites accepts, the place that wins, each message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from kada_athena_async.config import (
    Config,
    Site,
    config_warnings,
    load_config,
    load_sites,
    select_sites,
)
from kada_athena_async.errors import ConfigError

TOP: dict[str, object] = {
    "server": "athena",
    "bucket": "s3://examplebucket/examplefolder",
    "region": "ap-southeast-2",
    "output_path": "/tmp/output",
}
AU = {"name": "prod_au"}
EU = {"name": "prod_eu", "region": "eu-west-1", "server": "athena-eu"}
ROLE = "arn:aws:iam::123456789012:role/KadaAthenaRole"

NO_REGION = "required: write the code of an AWS region, such as ap-southeast-2, or set AWS_REGION"


@pytest.fixture
def write(tmp_path: Path):
    """A function that writes a configuration of these sites and returns its path."""

    def _write(*sites: object, **changes: object) -> Path:
        path = tmp_path / "config.json"
        values = {**TOP, "sites": list(sites), **changes}
        path.write_text(json.dumps({k: v for k, v in values.items() if v is not None}))
        return path

    return _write


def load(
    path: Path | None, environment: Mapping[str, str] | None = None, **overrides: object
) -> tuple[Site, ...]:
    return load_sites(path, environment=environment or {}, overrides=overrides)


def problems_of(
    path: Path | None, environment: Mapping[str, str] | None = None, **overrides: object
) -> list[str]:
    """The lines of the error, one a problem."""
    with pytest.raises(ConfigError) as raised:
        load(path, environment, **overrides)

    return [line.strip() for line in str(raised.value).splitlines()[1:]]


def test_a_site_is_the_top_level_with_its_own_fields_laid_over(write) -> None:
    """A site has from the top level what it does not set itself."""
    au, eu = load(write(AU, EU))

    assert (au.name, au.config.region, au.config.server) == ("prod_au", "ap-southeast-2", "athena")
    assert (eu.name, eu.config.region, eu.config.server) == ("prod_eu", "eu-west-1", "athena-eu")
    assert au.config.bucket == eu.config.bucket == "s3://examplebucket/examplefolder"


def test_a_site_can_undo_what_the_top_level_says(write) -> None:
    """An empty value of the site's own is a value."""
    au, eu = load(write({**AU, "role": "", "landing": None}, EU, role=ROLE, landing="s3://land/a"))

    assert (au.config.role, au.config.landing) == ("", None)
    assert (eu.config.role, bool(eu.config.landing)) == (ROLE, True)


def test_each_sites_files_have_a_name_of_their_own(write) -> None:
    """Collector's name and site's name; a file without sites keeps the collector's alone."""
    names = [site.instance("athena") for site in load(write(AU, EU))]
    (only,) = load(write(sites=None))

    assert names == ["athena-prod_au", "athena-prod_eu"]
    assert (only.name, only.instance("athena")) == ("", "athena")


def test_without_sites_it_is_the_configuration_that_load_config_reads(write) -> None:
    """Doors can always ask for the sites."""
    path = write(sites=None, mask=False)

    (only,) = load(path, {"KADA_ATHENA_WORKGROUP": "w"}, quota_share="0.5")

    assert only.config == load_config(
        path, environment={"KADA_ATHENA_WORKGROUP": "w"}, overrides={"quota_share": "0.5"}
    )


def test_an_empty_region_is_filled_by_the_variable_or_by_each_site(write) -> None:
    """The template leaves it empty: that is no problem where another place names one."""
    (only,) = load(write(sites=None, region=""), {"AWS_REGION": "eu-west-1"})
    (of_site,) = load(write(EU, region=""))

    assert only.config.region == of_site.config.region == "eu-west-1"
    assert problems_of(write(sites=None, region="")) == [f'region = "": {NO_REGION}']


def test_the_command_line_wins_over_the_site_and_the_site_over_the_environment(write) -> None:
    """The environment stands for the top level; what was typed just now holds for all sites."""
    path = write({**AU, "workgroup": "site", "server": "site"}, EU)
    environment = {"KADA_ATHENA_WORKGROUP": "environment", "KADA_ATHENA_QUOTA_SHARE": "0.5"}

    au, eu = load(path, environment, server="command")

    assert (au.config.workgroup, au.config.server) == ("site", "command")
    assert (eu.config.workgroup, eu.config.server) == ("environment", "command")
    assert au.config.quota_share == eu.config.quota_share == 0.5


def test_a_whole_configuration_can_be_given_in_a_call() -> None:
    """Then the sites given with it win over it, as in a file."""
    au, eu = load(None, **TOP, sites=[AU, EU])

    assert (au.config.region, eu.config.region) == ("ap-southeast-2", "eu-west-1")


def test_the_sites_can_come_from_the_environment(write) -> None:
    """As JSON; a container needs no file."""
    sites = json.dumps([AU, EU])

    assert [s.name for s in load(write(sites=None), {"KADA_ATHENA_SITES": sites})] == [
        "prod_au",
        "prod_eu",
    ]


def test_all_problems_of_all_sites_come_at_once(write) -> None:
    """Each with the site's place, value and remedy; what the sites share is said once."""
    path = write(
        {**AU, "regoin": "x", "catalogs": ["a", 1]},
        {**EU, "region": "mars-1", "role": "x", "sites": []},
        {"nmae": "third"},
        "fourth",
        mask="yes",
    )

    assert problems_of(path) == [
        "sites[0].regoin = (hidden): did you mean region?",
        "sites[1].sites = (hidden): unknown key; remove it",
        "sites[2].name = (missing): required: distinguishes the site's files and high-water "
        "marks from those of the others",
        "sites[2].nmae = (hidden): did you mean name?",
        'sites[3] = (a text): write an object: {"name": "au", "region": "ap-southeast-2", ...}',
        'mask = "yes": write true or false, without quotes',
        "sites[0].catalogs[1] = 1: write a string, in quotes",
        'sites[1].region = "mars-1": write the code of an AWS region, such as ap-southeast-2',
        "sites[1].role = (hidden): write a whole ARN, such as "
        "arn:aws:iam::123456789012:role/KadaAthenaRole",
    ]


def test_a_field_that_some_sites_lack_is_named_with_them(write) -> None:
    """It may stand in the site or at the top; one that all lack is missing at the top."""
    assert problems_of(write(AU, EU, region=None, server=None)) == [
        "sites[0].server = (missing): required: host onboarded in K; "
        "the first column of every extract",
        f"sites[0].region = (missing): {NO_REGION}",
    ]
    assert problems_of(write(AU, {"name": "b"}, region=None)) == [
        f"region = (missing): {NO_REGION}"
    ]


def test_values_that_contradict_each_other_only_in_a_site(write) -> None:
    """The top level is sound; laid over by the site it is not."""
    path = write({**AU, "role": ""}, EU, role=ROLE, external_id="kada")

    assert problems_of(path) == [
        "sites[0].external_id = (hidden): only an assumed role takes it; fill role or leave it out"
    ]


@pytest.mark.parametrize(
    ("sites", "message"),
    [
        ([], "sites = []: write a list of sites"),
        ("prod_au", "sites = (hidden): write a list of sites"),
        ([{"name": ""}], 'sites[0].name = "": write 1 to 40 letters'),
        ([{"name": "../x"}], 'sites[0].name = "../x": write 1 to 40 letters'),
        ([{"name": "a.b"}], 'sites[0].name = "a.b": write 1 to 40 letters'),
        ([{"name": "a" * 41}], "write 1 to 40 letters"),
        ([{"name": 7}], "sites[0].name = 7: write a string, in quotes"),
        (
            [AU, {"name": "PROD_au"}],
            'sites[1].name = "PROD_au": sites[0] has that name; rename one',
        ),
    ],
)
def test_lists_and_names_that_cannot_be_used(write, sites: object, message: str) -> None:
    """Names begin file names, so they are short, plain and unique whatever their case."""
    assert message in "\n".join(problems_of(write(sites=sites)))


def test_a_mistyped_sites_is_named(write) -> None:
    """In the file and in the environment."""
    assert problems_of(write(sites=None, site=[])) == ["site = (hidden): did you mean sites?"]
    assert problems_of(write(AU), {"KADA_ATHENA_SITE": "x"}) == [
        "KADA_ATHENA_SITE = (hidden): did you mean KADA_ATHENA_SITES?"
    ]


def test_load_config_wants_one_site(write) -> None:
    """It says how to read several."""
    with pytest.raises(ConfigError, match="read them all with load_sites"):
        load_config(write(AU, EU), environment={})


def test_no_secret_of_a_site_is_shown(write) -> None:
    """Not in messages, whatever is wrong beside it, and not in the site's repr."""
    secrets = {
        "key": "canary-key",
        "secret": "canary-secret",
        "landing": {
            "account": "kadalanding",
            "container": "landing",
            "sas_token": "sv=1&sig=canary-sas",
        },
    }
    (site,) = load(write({**AU, **secrets}))
    wrong = {**AU, **secrets, "region": "x", "secert": "canary", "landing": {"sas": "canary"}}
    unread = load_text_error(write(), '[{"secret": "canary"')

    assert "canary" not in repr(site)
    assert "canary" not in "\n".join(problems_of(write(wrong)))
    assert "canary" not in unread
    assert "KADA_ATHENA_SITES = (hidden): write a JSON list" in unread


def load_text_error(path: Path, sites: str) -> str:
    return "\n".join(problems_of(path, {"KADA_ATHENA_SITES": sites}))


def test_a_readable_file_with_a_sites_secret_is_warned_of(write) -> None:
    """As one with a secret at its top level is."""
    path = write({**AU, "key": "k", "secret": "s"}, EU)
    path.chmod(0o644)

    assert [w.code for w in config_warnings(path, load(path)[0].config)] == ["readable_secret"]


def sites_called(*names: str) -> list[Site]:
    return [Site(name, Config.model_validate(TOP)) for name in names]


def test_sites_are_selected_by_name_and_pattern() -> None:
    """In the file's order, each once; without a pattern all."""
    sites = sites_called("prod_au", "prod_eu", "test_eu")

    assert [s.name for s in select_sites(sites, ["test_eu", "prod_*", "prod_au"])] == [
        "prod_au",
        "prod_eu",
        "test_eu",
    ]
    assert [s.name for s in select_sites(sites, ["*_eu"])] == ["prod_eu", "test_eu"]
    assert select_sites(sites, []) == tuple(sites)


@pytest.mark.parametrize(
    ("names", "pattern", "message"),
    [
        (["prod_au", "prod_eu"], "x", '--site = "x": name one of prod_au, prod_eu'),
        (["prod_au"], "test_*", '--site = "test_*": name one of prod_au'),
        ([""], "au", "the configuration lists no sites; leave it out"),
        ([f"s{n}" for n in range(30)], "x", "s19, ..."),
    ],
)
def test_a_site_that_is_not_there_is_an_error(names: list[str], pattern: str, message: str) -> None:
    """It lists those that are: a misspelt name must not extract nothing and call it success."""
    with pytest.raises(ConfigError) as raised:
        select_sites(sites_called(*names), [pattern])

    assert message in str(raised.value)
