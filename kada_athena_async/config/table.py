"""The tables of the configuration in README and guide, made from the model."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Sequence

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from kada_athena_async.config.landing import LocalPlace
from kada_athena_async.config.model import Config
from kada_athena_async.config.schema import SITES_MEANING

FIRST_FIELDS = (
    "server",
    "region",
    "bucket",
    "output_path",
    "role",
    "catalogs",
    "metadata_source",
    "mask",
    "workgroup",
    "landing",
)
"""The fields that the README shows."""


def config_table(names: Sequence[str] = (*Config.model_fields, "sites")) -> str:
    """A Markdown table: field, type, default and meaning of each of *names*, in their order."""
    rows = [_row(name) for name in names]
    return "\n".join(["| field | type | default | meaning |", "|---|---|---|---|", *rows]) + "\n"


def _row(name: str) -> str:
    if name == "sites":
        return f"| `sites` | list of objects | `null` | {SITES_MEANING} |"

    field = Config.model_fields[name]
    return f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {_meaning(field)} |"


def _type(annotation: object) -> str:
    arguments = [a for a in typing.get_args(annotation) if a is not type(None)]
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return " \\| ".join(f"`{argument}`" for argument in arguments)

    if origin is tuple:
        return "list of strings"

    if origin in (typing.Union, types.UnionType):
        return _type(arguments[0])

    if origin is typing.Annotated:
        return _type(arguments[0])

    if isinstance(annotation, type) and issubclass(annotation, LocalPlace):
        return "URL or object"

    names = {bool: "boolean", int: "whole number", float: "number"}
    return names.get(typing.cast(type, annotation), "string")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"

    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()

    return f"`{json.dumps(value)}`"


def _meaning(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")
