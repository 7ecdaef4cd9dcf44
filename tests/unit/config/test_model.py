"""Texts generated from the model, and the model used by itself."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from kada_athena_async.config import Config, config_schema, make_config
from kada_athena_async.errors import ConfigError
from tests.kit.guide_tables import config_table

MINIMAL: dict[str, object] = {
    "server": "athena",
    "region": "us-east-1",
    "bucket": "s3://my-bucket/x",
    "output_path": "/tmp/x",
}


def test_every_field_is_described_and_shown() -> None:
    """The JSON Schema and the README's table name each field, its meaning and an example."""
    schema = config_schema()
    table = config_table()

    assert schema["additionalProperties"] is False
    for name in (*Config.model_fields, "sites"):
        assert schema["properties"][name]["description"]
        assert schema["properties"][name]["examples"]
        assert f"| `{name}` | " in table


def test_the_schema_is_json() -> None:
    """Editors can load it; defaults are JSON values, the secrets' too."""
    schema = json.loads(json.dumps(config_schema()))

    assert schema["properties"]["secret"]["default"] == ""
    assert schema["anyOf"][0]["required"] == ["server", "output_path"]
    site = schema["properties"]["sites"]["items"]
    assert site["required"] == ["name"]
    assert site["properties"].keys() == {"name", *Config.model_fields}


def test_the_table_shows_type_default_and_meaning() -> None:
    """A reader of the table knows what to write."""
    table = config_table()

    assert "| `server` | string | required | host onboarded in K;" in table
    assert '| `catalogs` | list of strings | `["AwsDataCatalog"]` | catalogs to extract;' in table
    assert "| `mask` | boolean | `true` | " in table
    assert '| `results` | `auto` \\| `api` \\| `s3` | `"auto"` | ' in table
    assert "| `quota_share` | number | `0.8` | " in table
    assert "| `endpoint_url` | string | `null` | " in table


def test_a_config_does_not_change() -> None:
    """It can be shared between tasks."""
    config = make_config(MINIMAL)

    with pytest.raises(ValidationError, match="frozen"):
        config.server = "x"  # type: ignore[misc]


def test_a_config_made_by_hand_obeys_the_same_rules() -> None:
    """There is no way around the contradictions."""
    with pytest.raises(ValidationError, match="secret is given without it"):
        Config.model_validate({**MINIMAL, "secret": "canary"})

    with pytest.raises(ConfigError, match="secret is given without it"):
        make_config({**MINIMAL, "secret": "canary"})


def test_the_buckets_last_slash_goes() -> None:
    """s3://b/x/ and s3://b/x are the same place."""
    assert make_config({**MINIMAL, "bucket": "s3://my-bucket/x/"}).bucket == "s3://my-bucket/x"
