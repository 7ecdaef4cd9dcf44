"""Configuration as people keep it: YAML and TOML, references instead of secrets, regions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from kada_athena_async.config import Config, config_schema, load_config, load_sites, make_config
from kada_athena_async.errors import ConfigError

FIELDS: dict[str, object] = {
    "server": "athena",
    "bucket": "s3://examplebucket/examplefolder",
    "region": "ap-southeast-2",
    "output_path": "/tmp/output",
}

YAML = """
# where we are
server: athena
bucket: s3://examplebucket/examplefolder   # results
region: ap-southeast-2
output_path: /tmp/output
mask: false
quota_share: 0.5
catalogs: [AwsDataCatalog, "2026-11-28"]
include_schemas:
  - AwsDataCatalog.*
landing: {bucket: kada-landing, prefix: lz}
"""

TOML = """
# where we are
server = "athena"
bucket = "s3://examplebucket/examplefolder"  # results
region = "ap-southeast-2"
output_path = "/tmp/output"
mask = false
quota_share = 0.5
catalogs = ["AwsDataCatalog", "2026-11-28"]
include_schemas = ["AwsDataCatalog.*"]

[landing]
bucket = "kada-landing"
prefix = "lz"
"""


def load(source: Path | Mapping[str, object], environment: Mapping[str, str] = {}) -> Config:
    return load_config(source, environment=environment)


def message_of(source: Path | Mapping[str, object], **environment: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(source, environment)

    return str(caught.value)


@pytest.mark.parametrize(("name", "text"), [("c.yaml", YAML), ("c.YML", YAML), ("c.toml", TOML)])
def test_yaml_and_toml_say_the_same_as_json(tmp_path: Path, name: str, text: str) -> None:
    """By the file's suffix; comments are fine, and what looks like a date stays a text."""
    path = tmp_path / name
    path.write_text(text)
    same = {
        **FIELDS,
        "mask": False,
        "quota_share": 0.5,
        "catalogs": ["AwsDataCatalog", "2026-11-28"],
        "include_schemas": ["AwsDataCatalog.*"],
        "landing": {"bucket": "kada-landing", "prefix": "lz"},
    }

    assert load(path) == load(same)


def test_a_field_left_blank_in_yaml_has_its_default(tmp_path: Path) -> None:
    """Nothing behind the colon is no value, not a null of the wrong type."""
    path = tmp_path / "c.yaml"
    path.write_text(YAML.replace("mask: false", "mask:") + "key:\nsecret:\nrole:\n")

    config = load(path)

    assert config.mask
    assert (config.key.get_secret_value(), config.role) == ("", "")


def test_sites_can_be_written_in_yaml_and_toml(tmp_path: Path) -> None:
    """A list of mappings, and an array of tables."""
    (tmp_path / "c.yaml").write_text(
        YAML + "sites:\n  - name: au\n  - {name: us, region: us-east-1}\n"
    )
    (tmp_path / "c.toml").write_text(
        TOML + '[[sites]]\nname = "au"\n[[sites]]\nname = "us"\nregion = "us-east-1"\n'
    )

    found = [load_sites(tmp_path / name, environment={}) for name in ("c.yaml", "c.toml")]

    assert found[0] == found[1]
    assert [(site.name, site.config.region) for site in found[0]] == [
        ("au", "ap-southeast-2"),
        ("us", "us-east-1"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.yaml", "server: a\n secret: canary: x", "not YAML at line 2 column"),
        ("c.yaml", "server: [canary", "not YAML at line 1 column"),
        ("c.yaml", "secret: *canary", "not YAML at line 1 column 9; put a text that begins with *"),
        ("c.yaml", "catalogs: [*]", 'put a text that begins with * in quotes, such as "*"'),
        ("c.yaml", "5: canary", "'5' = (hidden): unknown key; remove it"),
        ("c.json", '{"output_path": "C:\\out"}', "write / or \\\\ for a backslash"),
        ("c.yaml", "!!python/object/apply:os.system [canary]", "not YAML at line 1 column 1"),
        (
            "c.yaml",
            "server:\n\tcanary: x",
            "not YAML at line 2 column 1; put blanks in place of tabs",
        ),
        ("c.yaml", "a: \x01", "not YAML: it holds characters"),
        ("c.yaml", "- canary", "write an object"),
        ("c.yaml", "secret: canary\nsecret: canary2", "secret = (twice): keep one of the two"),
        ("c.yaml", "? [canary]\n: 1", "not YAML at line 1"),
        ("c.yaml", "a: 1\n---\nsecret: canary", "not YAML at line 2 column 1; keep one document"),
        ("c.yaml", "catalogs: &canary [*canary]", "an anchor (&) stands inside itself"),
        ("c.yaml", "landing: &canary {path: *canary}", "an anchor (&) stands inside itself"),
        ("c.yaml", "server: !!binary aGk=", "without tags (!!)"),
        ("c.yaml", "settle_seconds: 010", 'settle_seconds = "010": write a whole number'),
        ("c.yaml", "resume_hours: 12:30", 'resume_hours = "12:30": write a number'),
        ("c.json", '{"mask": true, // canary\n}', "leave out the comment, or write YAML"),
        ("c.yaml", f"settle_seconds: {'9' * 5000}", "holds a number that cannot be read"),
        ("c.json", f'{{"settle_seconds": {"9" * 5000}}}', "holds a number that cannot be read"),
        ("c.toml", f"settle_seconds = {'9' * 5000}", "holds a number that cannot be read"),
        ("c.toml", "secret = canary", "not TOML at line 1, column"),
        ("c.toml", 'secret = "canary"\nsecret = "c"', "not TOML at"),
        ("c.toml", '"canary" = ', "not TOML at"),
    ],
)
def test_a_file_that_cannot_be_read_is_placed_and_not_quoted(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    """Line and column, what to look for, and nothing of what stands there."""
    path = tmp_path / name
    path.write_text(text)

    found = message_of(path)

    assert message in found
    assert "canary" not in found


def test_the_schemas_name_may_stand_in_the_file(tmp_path: Path) -> None:
    """Editors find the JSON Schema by it; the schema has a name of its own and allows it."""
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"$schema": "./config.schema.json", **FIELDS}))

    assert load(path) == load(FIELDS)
    assert config_schema()["$id"] == "urn:kada-athena-async:configuration:1"
    assert "$schema" in config_schema()["properties"]


def test_a_secret_is_read_from_where_it_is_kept(tmp_path: Path) -> None:
    """A variable or a file instead of the value, in every secret field, in sites too."""
    (tmp_path / "sas").write_text("sv=1&sig=abc\n")
    landing = {
        "account": "kada1",
        "container": "landing",
        "sas_token": {"file": str(tmp_path / "sas")},
    }
    fields = {
        **FIELDS,
        "key": {"env": "OUR_KEY"},
        "secret": {"env": "OUR_SECRET"},
        "landing": landing,
    }
    environment = {"OUR_KEY": "AKIAIOSFODNN7EXAMPLE", "OUR_SECRET": "s3cret"}

    config = load(fields, environment)
    (site,) = load_sites(
        {**fields, "sites": [{"name": "a", "landing": landing}]}, environment=environment
    )

    assert config.key.get_secret_value() == "AKIAIOSFODNN7EXAMPLE"
    assert config.secret.get_secret_value() == "s3cret"
    assert getattr(config.landing, "sas_token").get_secret_value() == "sv=1&sig=abc"  # noqa: B009
    assert site.config == config


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ({"env": "NOWHERE"}, "secret = {\"env\": 'NOWHERE'}: the variable 'NOWHERE' is not set"),
        ({"file": "/none"}, "secret = {\"file\": '/none'}: the file cannot be read: No such file"),
        ({"env": ""}, 'write the secret in quotes, or {"env": NAME}, or {"file": PATH}'),
        ({"vault": "x"}, 'secret = (hidden): write the secret in quotes, or {"env": NAME}'),
        ({"env": "A", "file": "b"}, 'secret = (hidden): write the secret in quotes, or {"env"'),
        (["x"], "secret = (hidden): write"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named(reference: object, message: str) -> None:
    """The message says which one, and what to do."""
    assert message in message_of({**FIELDS, "key": "k", "secret": reference})


def test_a_file_of_a_secret_holds_one_line(tmp_path: Path) -> None:
    """More is another file: it is refused, and none of it shown."""
    path = tmp_path / "secret"
    for data in (b"canary\nmore", b"", b"\xff\xfe", b"canary" * 20_000):
        path.write_bytes(data)
        found = message_of({**FIELDS, "key": "k", "secret": {"file": str(path)}})
        assert "the file" in found
        assert "canary" not in found


def test_a_variable_may_name_a_file_that_holds_the_value(tmp_path: Path) -> None:
    """As containers hand over secrets: KADA_ATHENA_<FIELD>_FILE, for every field."""
    for name, text in {"key": "AKIAIOSFODNN7EXAMPLE\n", "secret": "s3cret", "mask": "no\n"}.items():
        (tmp_path / name).write_text(text)

    names = {f"KADA_ATHENA_{n.upper()}_FILE": str(tmp_path / n) for n in ("key", "secret", "mask")}
    config = load(FIELDS, names)

    assert (config.secret.get_secret_value(), config.mask) == ("s3cret", False)
    assert "KADA_ATHENA_MASK is set too; unset one of the two" in message_of(
        FIELDS, **names, KADA_ATHENA_MASK="yes"
    )
    assert "KADA_ATHENA_KEY_FILE = '/none': the file cannot be read" in message_of(
        FIELDS, KADA_ATHENA_KEY_FILE="/none"
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"server": "${HOST}"}, 'server = "${HOST}": \'${HOST}\' is not expanded here; write the'
         " value, or set KADA_ATHENA_SERVER"),
        ({"bucket": "s3://b-${STAGE}/x"}, "or set KADA_ATHENA_BUCKET"),
        ({"key": "k", "secret": "${OUR_SECRET}"}, 'write {"env": "OUR_SECRET"}'),
        ({"catalogs": ["${C}"]}, "catalogs[0] = "),
        ({"landing": {"account": "kada1", "container": "landing", "sas_token": "${SAS}"}},
         'landing.sas_token = (hidden): \'${SAS}\' is not expanded here; write {"env": "SAS"}'),
    ],
)  # fmt: skip
def test_a_shells_variable_is_refused_with_what_to_write(
    fields: dict[str, object], message: str
) -> None:
    """It would be taken as it stands: a bucket of that name, a server of that name in K."""
    found = message_of({**FIELDS, **fields})

    assert message in found
    assert "1 problem" in found


def test_a_region_is_found_as_the_aws_tools_find_it(tmp_path: Path) -> None:
    """The configuration, AWS_REGION, AWS_DEFAULT_REGION, the profile in use, in this order."""
    (tmp_path / "config").write_text(
        "[default]\nregion = eu-west-1\n[profile prod]\nregion = eu-west-2\n[profile none]\n"
    )
    fields = {key: value for key, value in FIELDS.items() if key != "region"}
    files = {"AWS_CONFIG_FILE": str(tmp_path / "config")}

    def region(changes: Mapping[str, object] = {}, **environment: str) -> str:
        return load({**fields, **changes}, {**files, **environment}).region

    both = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-2"}
    assert region({"region": "us-west-2"}, **both) == "us-west-2"
    assert region({"region": ""}, **both) == "us-east-1"
    assert region(AWS_DEFAULT_REGION="us-east-2") == "us-east-2"
    assert region() == "eu-west-1"
    assert region(AWS_PROFILE="prod") == "eu-west-2"
    assert region({"profile": "prod"}, AWS_PROFILE="default") == "eu-west-2"
    for environment in ({**files, "AWS_PROFILE": "none"}, {}, {"AWS_CONFIG_FILE": "/none"}):
        found = message_of(fields, **environment)
        assert "region = (missing): required: write the code of an AWS region" in found
        assert "or set AWS_REGION" in found


def test_each_site_has_the_region_of_its_own_profile(tmp_path: Path) -> None:
    """Profiles of several accounts, each with a region."""
    (tmp_path / "config").write_text(
        "[profile a]\nregion = eu-west-1\n[profile b]\nregion = eu-west-2\n"
    )
    fields = {key: value for key, value in FIELDS.items() if key != "region"}
    sites = [{"name": "a", "profile": "a"}, {"name": "b", "profile": "b"}]

    found = load_sites(
        {**fields, "sites": sites}, environment={"AWS_CONFIG_FILE": str(tmp_path / "config")}
    )

    assert [site.config.region for site in found] == ["eu-west-1", "eu-west-2"]


def test_fields_given_by_a_program_are_completed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """`Extractor(**fields)`: the region of the environment, and a secret by its reference."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("OUR_SECRET", "s3cret")
    fields = {key: value for key, value in FIELDS.items() if key != "region"}

    config = make_config({**fields, "key": "k", "secret": {"env": "OUR_SECRET"}})

    assert (config.region, config.secret.get_secret_value()) == ("eu-west-1", "s3cret")
