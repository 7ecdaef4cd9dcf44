"""The configuration file described for editors: the fields of a Config, and the list of sites."""

from __future__ import annotations

from typing import Any

from kada_athena_async.config.model import Config

SCHEMA_ID = "urn:kada-athena-async:configuration:1"
"""Name of the JSON Schema; another number for one that refuses what this one accepts."""

SITES_MEANING = (
    "several sites, each an object with a `name` of its own and the fields that differ from those "
    "above; runs, files and high-water marks are apart, named `<name>-<site>`"
)


def config_schema() -> dict[str, Any]:
    """The JSON Schema of the configuration file."""
    schema = Config.model_json_schema()
    dialect = {"type": "string", "description": "where an editor finds this JSON Schema"}
    fields = schema["properties"]
    name = {
        "type": "string",
        "description": "1 to 40 letters, digits, _ and -; unique whatever its case",
        "examples": ["prod_au"],
    }
    site = {
        "type": "object",
        "properties": {"name": name, **fields},
        "required": ["name"],
        "additionalProperties": False,
    }
    sites = {
        "type": "array",
        "items": site,
        "minItems": 1,
        "description": SITES_MEANING,
        "examples": [[{"name": "prod_au", "region": "ap-southeast-2"}]],
    }
    # What every site says itself need not stand at the top.
    alone = {"required": schema.pop("required")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **schema,
        "properties": {"$schema": dialect, **fields, "sites": sites},
        "anyOf": [alone, {"required": ["sites"]}],
    }
