"""Files that load_config accepts, and each message that a user can meet."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from kada_athena_async.config import (
    DEFAULT_FILE,
    Config,
    check_name,
    config_digest,
    config_path,
    config_warnings,
    known_secrets,
    load_config,
)
from kada_athena_async.config.model import DIGESTED
from kada_athena_async.errors import ConfigError

VENDOR: dict[str, object] = {
    "key": "",
    "secret": "",
    "server": "athena",
    "bucket": "s3://examplebucket/examplefolder",
    "catalogs": ["AwsDataCatalog"],
    "region": "ap-southeast-2",
    "role": "",
    "output_path": "/tmp/output",
    "mask": True,
    "compress": True,
}
"""The vendor's documented kada_athena_extractor_config.json."""


@pytest.fixture
def write(tmp_path: Path):
    """A function that writes a configuration file and returns its path."""

    def _write(**changes: object) -> Path:
        path = tmp_path / "config.json"
        path.write_text(json.dumps({**VENDOR, **changes}), encoding="utf-8")
        return path

    return _write


def load(
    path: Path | None, environment: Mapping[str, str] | None = None, **overrides: object
) -> Config:
    return load_config(path, environment=environment or {}, overrides=overrides)


def message_of(
    path: Path | None, environment: Mapping[str, str] | None = None, **overrides: object
) -> str:
    with pytest.raises(ConfigError) as raised:
        load(path, environment, **overrides)

    return str(raised.value)


def test_the_vendors_file_is_accepted_as_it_is(write) -> None:
    """The ten fields of the vendor's file make a configuration with our defaults for the rest."""
    config = load(write())

    assert config.bucket == "s3://examplebucket/examplefolder"
    assert config.output_path == Path("/tmp/output")
    assert (config.metadata_source, config.quota_share, config.resume_hours) == ("auto", 0.8, 12)


def test_blanks_copied_along_with_a_value_are_no_part_of_it(write) -> None:
    """AWS would refuse a key with a line end, and its message would not say why."""
    blank = {
        "key": " AKIA-canary ",
        "secret": "canary\n",
        "role": "arn:aws:iam::123456789012:role/kada ",
        "region": "us-east-1 ",
        "bucket": " s3://examplebucket/x\t",
        "catalogs": [" AwsDataCatalog"],
        "landing": {"bucket": "kada-landing ", "region": " us-east-1", "role": " "},
    }

    config = load(write(**blank))

    assert (config.key.get_secret_value(), config.secret.get_secret_value()) == (
        "AKIA-canary",
        "canary",
    )
    assert config.role == "arn:aws:iam::123456789012:role/kada"
    assert (config.region, config.bucket) == ("us-east-1", "s3://examplebucket/x")
    assert config.catalogs == ("AwsDataCatalog",)
    assert (config.landing.bucket, config.landing.region) == ("kada-landing", "us-east-1")


def test_environment_wins_over_the_file_and_the_command_line_over_both(write) -> None:
    """Each later place replaces single fields of the earlier one."""
    path = write(workgroup="file", server="file", region="eu-west-1")
    environment = {"KADA_ATHENA_WORKGROUP": "environment", "KADA_ATHENA_SERVER": "environment"}

    config = load(path, environment, server="command", role=None)

    assert (config.region, config.workgroup, config.server) == (
        "eu-west-1",
        "environment",
        "command",
    )


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("catalogs", '["a", "b"]', ("a", "b")),
        ("catalogs", " a, b ,", ("a", "b")),
        ("exclude_workgroups", "", ()),
        ("mask", "FALSE", False),
        ("mask", "0", False),
        ("compress", "yes", True),
        ("compress", "1", True),
        ("max_concurrent_queries", "7", 7),
        ("quota_share", "0.5", 0.5),
        ("role", "", ""),
        ("endpoint_url", "", None),
        ("endpoint_url", "http://localhost:4566/", "http://localhost:4566"),
    ],
)
def test_texts_become_values(write, field: str, text: str, value: object) -> None:
    """A variable and an override say the same thing with the same text."""
    by_variable = load(write(), {f"KADA_ATHENA_{field.upper()}": text})
    by_override = load(write(), **{field: text})

    assert getattr(by_variable, field) == getattr(by_override, field) == value


BAD_VALUES = [
    ("server", "", 'server = "": must not be empty'),
    ("server", "a\x1b[2J", "remove the control characters"),
    ("server", "a\ud800", "holds what is no character; write it in UTF-8"),
    ("output_path", "/x\ud800", "holds what is no character; write it in UTF-8"),
    ("usd_per_tb", float("inf"), "usd_per_tb = Infinity: write a number"),
    ("bucket", "examplebucket/x", 'bucket = "examplebucket/x": write s3://bucket/prefix'),
    ("bucket", "s3://Example_Bucket/x", "the bucket's name has 3 to 63 lower-case letters"),
    ("bucket", "s3://my..bucket/x", "the bucket's name has 3 to 63 lower-case letters"),
    ("bucket", "s3://10.0.0.1/x", "the bucket's name has 3 to 63 lower-case letters"),
    ("bucket", "s3://bucket/a//b", "empty parts"),
    ("bucket", "", 'set metadata_source to "api"'),
    ("catalogs", "AwsDataCatalog", 'write a list of strings, such as ["a", "b"]'),
    ("catalogs", [], 'write at least one name, or ["*"] for all'),
    ("catalogs", ["a", "a"], "'a' is there twice"),
    ("catalogs", ["AwsDataCatalog", "awsdatacatalog"], "'awsdatacatalog' is there twice"),
    ("catalogs", ["*", "a"], '"*" means all and stands alone'),
    ("catalogs", ["Aws*"], "'Aws*' is a pattern"),
    ("catalogs", ["a", 1], "catalogs[1] = 1: write a string, in quotes"),
    ("region", "ap-southest-2", "write the code of an AWS region, such as ap-southeast-2"),
    ("region", "us-east-1a", 'region = "us-east-1a": write the code of an AWS region'),
    ("region", "Sydney", "write the code of an AWS region, such as ap-southeast-2"),
    ("role", "KadaAthenaRole", "role = (hidden): write a whole ARN"),
    ("role", "arn:aws:iam::123:role/x", "write a whole ARN"),
    ("role", "arn:aws:sts::123456789012:assumed-role/x/y", "this is a session; write the role"),
    ("external_id", "secret-word", "only an assumed role takes it"),
    ("session_name", "a b", "write 2 to 64 letters"),
    ("output_path", "out", "write an absolute directory, such as "),
    ("output_path", "~/out", "write the directory in full"),
    ("output_path", "", "write an absolute directory, such as /tmp/output"),
    ("output_path", "$HOME/out", "write an absolute directory, such as /tmp/output"),
    ("output_path", 7, "write an absolute directory, in quotes"),
    ("output_path", "x\ud800", "holds what is no character; write it in UTF-8"),
    ("output_path", "x" * 9000, "write an absolute directory, such as /tmp/output"),
    ("bucket", " ", 'set metadata_source to "api"'),
    ("mask", "yes", 'mask = "yes": write true or false, without quotes'),
    ("compress", 1, "compress = 1: write true or false, without quotes"),
    ("workgroup", "my group", "write a workgroup's name"),
    ("workgroups", [], 'write at least one pattern, or ["*"] for all'),
    ("exclude_workgroups", ["a[b"], "close the bracket in 'a[b'"),
    ("include_schemas", ["sales"], "write catalog.schema, such as *.sales"),
    ("exclude_schemas", ["sales"], "write catalog.schema, such as *.sales"),
    ("metadata_source", "glue", "write 'auto', 'sql' or 'api'"),
    ("results", "both", "write 'auto', 'api' or 's3'"),
    ("max_concurrent_queries", 0, "write a number of at least 1"),
    ("max_concurrent_queries", "20", "write a whole number"),
    ("quota_share", 0, "write a number greater than 0"),
    ("quota_share", 1.01, "write a number of at most 1"),
    ("on_error", "ignore", "write 'fail' or 'skip'"),
    ("initial_lookback_days", 46, "Athena keeps 45 days; write at most 45, or set history_source"),
    ("initial_lookback_days", 3651, "write a number of at most 3650"),
    ("settle_seconds", -1, "write a number of at least 0"),
    ("resume_hours", "12", "write a number"),
    ("landing", "ftp://x", "write file:///directory, s3://bucket/prefix or https://"),
    ("landing", {"url": "s3://landing"}, "or an object with path, with bucket, or with account"),
    ("landing", [], "landing = (a list): write file:///directory, s3://bucket/prefix"),
    ("landing", {}, "landing = (an object with nothing in it): write file:///directory"),
    ("landing", {"path": 5}, "path must be a string, in quotes"),
    ("hwm_store", 5, "hwm_store = (a number): write file:///directory"),
    ("hwm_store", "landings", "write file:///directory"),
    ("hwm_store", "landing", "there is no landing"),
    ("landing", "file:///tmp/output/", "output_path is the same place"),
    ("landing", {"path": "/tmp/x/../output"}, "output_path is the same place"),
    ("landing", "s3://examplebucket/examplefolder/", "bucket is the same place"),
    ("keep_delivered_days", 7, "nothing is delivered without a landing"),
    ("endpoint_url", "http://example.com", "plain http is for loopback addresses only"),
    ("endpoint_url", "localhost:4566", "write a URL such as https://"),
]


@pytest.mark.parametrize(("field", "value", "expected"), BAD_VALUES)
def test_a_bad_value_is_named_with_its_remedy(
    write, field: str, value: object, expected: str
) -> None:
    """One bad value gives one problem, on one line: key, value, what to write instead."""
    message = message_of(write(**{field: value}))

    assert message.startswith("1 problem in the configuration:\n")
    assert expected in message
    assert f"  {field}" in message
    assert message.count("\n") == 1


def test_all_problems_come_at_once(write) -> None:
    """Nobody mends a file one run at a time: fields, contradictions and variables together."""
    path = write(mask="yes", region="x", key="AKIAIOSFODNN7EXAMPLE", regoin="y")
    environment = {
        "KADA_ATHENA_QUOTA_SHARE": "most",
        "KADA_ATHENA_CATALOG": "a",
        "AWS_ENDPOINT_URL_S3": "http://s3.example.com",
    }

    with pytest.raises(ConfigError) as raised:
        load(path, environment)

    assert [problem.key for problem in raised.value.problems] == [
        "KADA_ATHENA_CATALOG",
        "KADA_ATHENA_QUOTA_SHARE",
        "secret",
        "region",
        "mask",
        "regoin",
        "AWS_ENDPOINT_URL_S3",
    ]
    assert raised.value.exit_code == 2


def test_a_misspelt_key_is_recognised(write) -> None:
    """The nearest field is offered, in the spelling of the place the key came from."""
    assert "regoin = (hidden): did you mean region?" in message_of(write(regoin="x"))
    assert "zzz = (hidden): unknown key; remove it" in message_of(write(zzz="x"))
    assert "did you mean KADA_ATHENA_CATALOGS?" in message_of(write(), {"KADA_ATHENA_CATALOG": "a"})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("aws_access_key_id", "aws_access_key_id = (hidden): did you mean key?"),
        ("aws_secret_access_key", "aws_secret_access_key = (hidden): did you mean secret?"),
        ("region_name", "did you mean region?"),
        ("assumeRole", "did you mean role?"),
        ("aws_session_token", "aws_session_token = (hidden): no field takes one; leave key and"),
        ("sessionToken", "export AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"),
        ("username", "unknown key; remove it"),
        ("hwm_path", "no field, but an option of the command: --hwm-path"),
    ],
)
def test_names_of_other_tools_of_aws_lead_to_the_right_field(write, key: str, said: str) -> None:
    """Never a secret to a field that CloudTrail shows, nor a message without its key."""
    assert said in message_of(write(**{key: "x"}))


@pytest.mark.parametrize("key", ["key", "role", "catalogs"])
def test_null_where_a_default_will_do_may_be_left_out(write, key: str) -> None:
    """Of a secret the message is whole: no word of it looks like one."""
    message = message_of(write(**{key: None}))

    assert ": leave it out, or write " in message
    assert "***" not in message


@pytest.mark.parametrize("name", ["NAME", "CONFIG"])
def test_a_variable_for_an_option_leads_to_the_option(write, name: str) -> None:
    """What all variables begin with makes none of them like another."""
    said = (
        f"KADA_ATHENA_{name} = (hidden): no field, but an option of the command: --{name.lower()}"
    )
    assert said in message_of(write(), {f"KADA_ATHENA_{name}": "x"})


def test_missing_fields_are_named(tmp_path: Path) -> None:
    """An empty object is told everything that it needs."""
    path = tmp_path / "config.json"
    path.write_text("{}")

    message = message_of(path)

    for field in ("server", "region", "output_path"):
        assert f"  {field} = (missing): required: " in message


@pytest.mark.parametrize("field", ["key", "secret", "secert", "aws_secret_access_key"])
@pytest.mark.parametrize("value", ["canary-7c1f", ["canary-7c1f"], {"a": "canary-7c1f"}])
def test_no_secret_in_a_message(write, field: str, value: object) -> None:
    """Neither a secret nor the value of an unknown key, which may be one, is ever quoted."""
    assert "canary" not in message_of(write(**{field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("external_id", "canary-7c1f"),  # no role
        ("external_id", "canary 7c1f"),
        ("role", "canary-7c1f"),
        ("region", "canary-7c1f"),
        ("exclude_schemas", ["wJalrXUtnFEMI/K7MDENG7b" + "PxRf1CYEXcanary8a"]),
    ],
)
def test_what_may_be_a_secret_in_the_wrong_field_is_hidden(
    write, field: str, value: object
) -> None:
    """A value that has not even the form of its field was meant for another one."""
    message = message_of(write(**{field: value}))

    assert f"{field}" in message
    assert "canary" not in message


def test_no_secret_in_a_repr(write) -> None:
    """A configuration may be printed and dumped."""
    config = load(write(key="AKIA-canary", secret="canary"))

    assert "canary" not in f"{config!r} {config} {config.model_dump_json()}"
    assert config.secret.get_secret_value() == "canary"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"key": "AKIA1"}, "secret = (empty): key is given without it"),
        ({"secret": "x"}, "key = (empty): secret is given without it"),
        ({"key": "AKIA1", "secret": "x", "profile": "p"}, "keep one of the two ways"),
        ({"bucket": "", "metadata_source": "sql"}, "metadata_source sql runs queries"),
        ({"metadata_source": "api", "results": "s3"}, "metadata_source api runs no query"),
    ],
)
def test_contradictions_are_refused(write, changes: dict[str, object], expected: str) -> None:
    """Values that cannot both be meant are refused, not guessed at."""
    assert expected in message_of(write(**changes))


def test_without_queries_no_bucket_is_needed(write) -> None:
    """metadata_source api works without a bucket."""
    assert load(write(bucket="", metadata_source="api")).bucket == ""


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{\n "server": athena\n}', "not JSON at line 2 column 12: a value is missing there"),
        (b"[]", 'write an object: {"server": "athena", ...}'),
        (b"", "is empty; write an object"),
        (b" \n", "is empty; write an object"),
        (b'{"mask": true,}', "leave out the comma behind the last field"),
        (b'{"mask": true', "column 14: a comma or the closing bracket is missing there"),
        (b'{"mask": true "a": 1}', "column 15: a comma or the closing bracket is missing there"),
        (b'{"mask": true} {}', "column 16: leave out what follows; one file holds one object"),
        (b'{"mask": "a\nb"}', "a text ends on its own line"),
        (b"{\"mask\": 'true'}", "column 10: a value is missing there"),
        (b'{"server": "\xff"}', "not UTF-8 at byte 12"),
        (b'{"mask": true, "mask": false}', "mask = (twice): keep one of the two"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * 1_000_001, "larger than 1 MB"),
    ],
)
def test_a_malformed_file_is_explained(tmp_path: Path, content: bytes, expected: str) -> None:
    """The message says what is wrong with the file, and where in it."""
    path = tmp_path / "config.json"
    path.write_bytes(content)

    message = message_of(path)

    assert expected in message
    assert "config.json" in message


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    """A file saved by Windows Notepad is read like any other."""
    path = tmp_path / "config.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(VENDOR).encode())

    assert load(path).server == "athena"


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    """A file that is not there, and one that is a directory, are both explained."""
    assert "no such file; write one or name another" in message_of(tmp_path / "none.json")
    assert "cannot be read: is a directory; name the file in it, such as" in message_of(tmp_path)


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("mask", "perhaps", 'KADA_ATHENA_MASK = "perhaps": write true or false'),
        ("catalogs", "[a", "write a JSON list"),
        ("settle_seconds", "1.5", "write a whole number"),
        ("settle_seconds", "1_0", "write a whole number"),
        ("settle_seconds", "-1", "write a number of at least 0"),
        ("usd_per_tb", "1e999", "Infinity: write a number"),
        ("region", "Sydney", 'KADA_ATHENA_REGION = "Sydney": write the code of an AWS region'),
        ("server", "\udcff", "holds what is no character; write it in UTF-8"),
        ("quota_share", "much", "write a number"),
        ("landing", "{", "write a JSON object or a URL"),
    ],
)
def test_an_unreadable_variable_is_named(write, field: str, text: str, expected: str) -> None:
    """The message carries the variable's own name."""
    message = message_of(write(), {f"KADA_ATHENA_{field.upper()}": text})

    assert expected in message
    assert f"KADA_ATHENA_{field.upper()} = " in message


def test_an_item_of_a_variable_is_named_with_it(write) -> None:
    """The file does not hold it, so the user looks for the variable; the file's keys stay."""
    message = message_of(write(region="x"), {"KADA_ATHENA_CATALOGS": '["a", 1]'})

    assert "KADA_ATHENA_CATALOGS[1] = 1: write a string" in message
    assert ' region = "x": ' in message


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
def test_a_readable_secret_is_warned_about(write) -> None:
    """A file that holds a secret and is open to others gives a warning; closed, none."""
    path = write(key="AKIA1", secret="canary")
    config = load(path)
    path.chmod(0o644)
    open_to_all = config_warnings(path, config)
    path.chmod(0o600)
    closed = config_warnings(path, config)

    assert [warning.code for warning in open_to_all] == ["readable_secret"]
    assert "chmod 600" in open_to_all[0].hint
    assert closed == []


def test_a_readable_file_without_secret_is_fine(write) -> None:
    """A configuration that holds no secret may be read by anyone."""
    path = write()
    path.chmod(0o644)

    assert config_warnings(path, load(path)) == []


def test_a_temporary_key_is_warned_about(write) -> None:
    """A key that AWS takes only with a session token, which has no field, is pointed out."""
    path = write(key="ASIAIOSFODNN7EXAMPLE", secret="x")
    path.chmod(0o600)

    assert [warning.code for warning in config_warnings(path, load(path))] == ["temporary_key"]


def test_the_digest_follows_what_changes_the_extracts(write) -> None:
    """It moves with each digested field and stands still for the others."""
    changes: dict[str, object] = {
        "server": "other",
        "catalogs": ["a"],
        "region": "us-east-1",
        "role": "arn:aws:iam::123456789012:role/x",
        "profile": "p",
        "mask": False,
        "keep_s3_locations": True,
        "include_failed_events": True,
        "history_source": "auto",
        "attribute_users": "cloudtrail",
        "hash_users": True,
        "lake_formation_tags": True,
        "compress": False,
        "workgroups": ["a"],
        "exclude_workgroups": ["a"],
        "include_schemas": ["a.b"],
        "exclude_schemas": ["a.b"],
        "metadata_source": "api",
        "endpoint_url": "http://localhost:1",
    }
    before = config_digest(load(write()))

    key = "0123456789abcdef"
    after = {config_digest(load(write(**{k: v}, hash_key=key))) for k, v in changes.items()}

    assert changes.keys() == DIGESTED
    assert len({before, *after}) == 20
    assert config_digest(load(write(hash_key=key))) == before
    assert config_digest(load(write(output_path="/tmp/other", quota_share=0.1))) == before


def test_the_file_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one named; else the vendor's name, unless only the environment says something."""
    monkeypatch.chdir(tmp_path)
    given = tmp_path / "given.json"

    assert config_path(given, environment={}) == given
    assert config_path(None, environment={}) == Path(DEFAULT_FILE)
    assert config_path(None, environment={"KADA_ATHENA_SERVER": "x"}) is None

    Path(DEFAULT_FILE).touch()
    assert config_path(None, environment={"KADA_ATHENA_SERVER": "x"}) == Path(DEFAULT_FILE)


def test_every_secret_that_was_given_is_known(write) -> None:
    """Those of the configuration, and those that the environment holds for the SDK."""
    config = load(write(key="AKIA1", secret="one"))
    environment = {
        "AWS_SECRET_ACCESS_KEY": "two",
        "AWS_SESSION_TOKEN": "three",
        "KADA_ATHENA_SECRET": "four",
        "PATH": "/bin",
    }

    assert set(known_secrets(config, environment=environment)) == {
        "AKIA1", "one", "two", "three", "four",
    }  # fmt: skip
    assert known_secrets(None, environment={}) == ()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a b", "é", "x" * 65, ".hidden", "a.b"]
)
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    """The name of a collector begins file names and must not lead anywhere else."""
    with pytest.raises(ConfigError, match="write 1 to 64 letters"):
        check_name(name)

    assert check_name("athena-2-sydney_x") == "athena-2-sydney_x"


def test_pseudonyms_need_a_key_that_cannot_be_guessed(write) -> None:
    """Without a key, or with a short one, the remedy is said; the key is never shown."""
    with pytest.raises(ConfigError) as missing:
        load(write(hash_users=True))

    with pytest.raises(ConfigError) as short:
        load(write(hash_users=True, hash_key="canary"))

    assert "hash_key = (empty): hash_users needs one" in str(missing.value)
    assert "KADA_ATHENA_HASH_KEY" in str(missing.value)
    assert "write 16 characters or more" in str(short.value)
    assert "canary" not in str(short.value)
