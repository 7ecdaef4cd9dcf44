"""The README's table of the configuration, made from the model so that it cannot go stale."""

from __future__ import annotations

import json
import types
import typing

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from kada_athena_async.config.landing import LocalPlace
from kada_athena_async.config.model import Config
from kada_athena_async.config.schema import SITES_MEANING


def config_table() -> str:
    """A Markdown table: field, type, default and meaning of each field, in the model's order."""
    rows = [
        f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {_meaning(field)} |"
        for name, field in Config.model_fields.items()
    ]
    rows.append(f"| `sites` | list of objects | `null` | {SITES_MEANING} |")
    return "\n".join(["| field | type | default | meaning |", "|---|---|---|---|", *rows]) + "\n"


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
