"""The tables of the README and the guides as Markdown, made from the code that they describe."""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from kada_athena_async.codes import ExitCode, WarningCode
from kada_athena_async.config.landing import LocalPlace
from kada_athena_async.config.model import Config
from kada_athena_async.config.schema import SITES_MEANING
from kada_athena_async.extracts.schema import dictionary, manifest_schema
from kada_athena_async.records import RECORD_TYPES

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


def warning_table() -> str:
    """A Markdown table of all warnings: code and meaning."""
    rows = [f"| `{code.value}` | {code.meaning} |" for code in WarningCode]
    return "\n".join(["| warning | meaning |", "|---|---|", *rows]) + "\n"


def exit_code_table() -> str:
    """A Markdown table of the exit codes."""
    rows = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    return "\n".join(["| exit code | meaning |", "|---|---|", *rows]) + "\n"


def extracts_page() -> str:
    """The columns of every kind as Markdown: a table for each."""
    return "\n".join(_kind_section(kind) for kind in RECORD_TYPES)


def manifest_page() -> str:
    """The members of the manifest as Markdown: one table, members of members by their path."""
    rows = [
        f"| `{path}` | {_cell(kind)} | {_cell(meaning)} |"
        for path, kind, meaning in manifest_members()
    ]
    return "\n".join(["| member | type | meaning |", "|---|---|---|", *rows]) + "\n"


def manifest_members() -> list[tuple[str, str, str]]:
    """Path (``files[].name``), JSON type and meaning of each member of the manifest, in order."""
    schema = manifest_schema()
    return list(_members(schema, schema["$defs"]["Manifest"], ""))


def _kind_section(kind: str) -> str:
    title = (inspect.getdoc(RECORD_TYPES[kind]) or "").split("\n\n")[0].replace("``", "`")
    rows = [
        f"| `{c.name}` | {c.type} | {c.unit} | {'yes' if c.may_be_null else 'no'} "
        f"| {_cell(c.meaning)} | {f'`{c.example}`' if c.example else ''} |"
        for c in dictionary(kind)
    ]
    head = ["| column | type | unit | null | meaning | example |", "|---|---|---|---|---|---|"]
    return "\n".join([f"### {kind}", "", title, "", *head, *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _members(
    schema: dict[str, Any], described: dict[str, Any], path: str
) -> Iterator[tuple[str, str, str]]:
    for name, member in described["properties"].items():
        type_, suffix, below = _json_shape(schema, member)
        yield f"{path}{name}", type_, member.get("description", "")
        if below is not None:
            yield from _members(schema, below, f"{path}{name}{suffix}.")


def _json_shape(
    schema: dict[str, Any], member: dict[str, Any]
) -> tuple[str, str, dict[str, Any] | None]:
    """JSON type of *member*, the rest of its path, and the struct below it, if any."""
    if options := member.get("anyOf"):
        found = [_json_shape(schema, option) for option in options]
        names = sorted((name for name, _, _ in found), key=lambda name: name == "null")
        shown = next(((suffix, struct) for _, suffix, struct in found if struct), None)
        return (" or ".join(names), *(shown or ("", None)))

    if reference := member.get("$ref"):
        return "object", "", schema["$defs"][reference.rpartition("/")[2]]

    if "enum" in member:
        return " or ".join(f"`{value}`" for value in member["enum"]), "", None

    if member.get("type") == "array":
        inner, suffix, below = _json_shape(schema, member.get("items", {}))
        return f"list of {inner}", f"[]{suffix}", below

    if member.get("type") == "object":
        inner, suffix, below = _json_shape(schema, member.get("additionalProperties", {}))
        return f"object of {inner}", f"{{}}{suffix}", below

    name = {"date-time": "time"}.get(member.get("format", ""), str(member.get("type", "any")))
    return name, "", None
