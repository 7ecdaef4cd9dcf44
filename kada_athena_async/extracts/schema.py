"""JSON Schema and data dictionary of the extracts and of the manifest, made from their types."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec

from kada_athena_async import records
from kada_athena_async.manifest import MANIFEST_VERSION, Manifest
from kada_athena_async.records import RECORD_TYPES, column_type

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXTRACTS_ID = "urn:kada-athena-async:schema:extracts"
MANIFEST_ID = f"urn:kada-athena-async:schema:manifest:{MANIFEST_VERSION}"

# Columns that mean the same in several kinds of extract.
_SHARED = {
    "server": "Host onboarded in K: `server` of the configuration. Example: `athena`",
    "catalog": "Name of the catalog. Example: `AwsDataCatalog`",
    "schema": "Name of the schema, which Athena's API calls database. Example: `sales`",
    "table": "Name of the table or view. Example: `orders`",
    "column": "Name of the column. Example: `order_id`",
    "created_at": "When it was created; empty where the source does not say.",
    "comment": "Comment in the catalog. Example: `One row an order`",
    "description": "Description by whoever created it. Example: `Orders and prices`",
    "user": "`user` of the workgroup in `users`. Example: `athena_workgroup_adhoc`",
    "query_id": "Athena's QueryExecutionId. Example: `427ef3b9-53b4-49a7-8ff7-679eee77a4d1`",
    "source_catalog": "Catalog of the source; empty for a location. Example: `AwsDataCatalog`",
    "source_schema": "Schema of the source; empty for a location. Example: `sales`",
    "target_catalog": "Catalog of the target; empty for a location. Example: `AwsDataCatalog`",
    "target_schema": "Schema of the target; empty for a location. Example: `reporting`",
}

# Ending of a column's name -> unit of its numbers.
_UNITS = {
    "_ms": "milliseconds",
    "_bytes": "bytes",
    "dpu_count": "DPUs",
    "row_count": "rows",
    "file_count": "files",
    "ordinal_position": "position, from 1",
    "depth": "levels, from 1",
    "executions": "executions",
    "distinct_statements": "statements",
}

_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
_TYPES: dict[type, tuple[str, str]] = {
    bool: ("boolean", "true|false"),
    datetime: ("time", _TIME),
    int: ("integer", r"-?\d+"),
    float: ("number", r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"),
    str: ("text", ""),
}
"""Type of a field -> name in the dictionary, and a pattern that its texts match."""


class Column(NamedTuple):
    """A column of a kind of extract, as the data dictionary explains it."""

    kind: str
    name: str
    type: str
    """``text``, ``integer``, ``number``, ``boolean``, ``time``, ``JSON list``, ``JSON object``."""
    unit: str
    """Empty where the type has none."""
    may_be_null: bool
    meaning: str
    example: str
    pattern: str
    """Regular expression of a value; empty for any text."""


def dictionary(kind: str) -> list[Column]:
    """The columns of *kind*, in the order of the extract."""
    record = RECORD_TYPES[kind]
    notes = _attribute_notes().get(record.__name__, {})
    return [
        _column(kind, name, hint, notes.get(name, _SHARED.get(name, "")))
        for name, hint in get_type_hints(record).items()
    ]


def extracts_schema() -> dict[str, Any]:
    """JSON Schema of the rows of every kind, each row as ``csv.DictReader`` reads it.

    All values are texts, because CSV has no other; an empty text is null. The members of the
    document are the kinds, each a list of rows.
    """
    kinds = {kind: _row_schema(kind) for kind in RECORD_TYPES}
    return {
        "$schema": DIALECT,
        "$id": EXTRACTS_ID,
        "title": "Extracts of kada_athena_async, by kind",
        "type": "object",
        "properties": {
            kind: {"type": "array", "items": {"$ref": f"#/$defs/{kind}"}} for kind in kinds
        },
        "$defs": kinds,
    }


def manifest_schema() -> dict[str, Any]:
    """JSON Schema of the manifest. Later versions may add members, so others are allowed."""
    schema = msgspec.json.schema(Manifest)
    definitions = schema["$defs"]
    for struct in _structs(Manifest):
        described = definitions[struct.__name__]
        described.pop("additionalProperties", None)
        described["description"] = (inspect.getdoc(struct) or "").split("\n\n")[0]
        names = {each.name: each.encode_name for each in msgspec.structs.fields(struct)}
        for name, note in _member_notes(struct).items():
            described["properties"][names[name]]["description"] = note

        for name, hint in get_type_hints(struct).items():
            if hint is datetime:
                described["properties"][names[name]]["format"] = "date-time"

    return {"$schema": DIALECT, "$id": MANIFEST_ID, "title": "Manifest of a run", **schema}


def _column(kind: str, name: str, hint: object, note: str) -> Column:
    kind_of_values, may_be_null = column_type(hint)
    type_, pattern = _TYPES.get(kind_of_values) or _json_type(hint)
    meaning, _, example = note.replace("``", "`").replace("\n", " ").partition(" Example: ")
    return Column(
        kind=kind,
        name=name,
        type=type_,
        unit="UTC" if type_ == "time" else _unit(name) if type_ in ("integer", "number") else "",
        may_be_null=may_be_null,
        meaning=re.sub(r"\s+", " ", meaning),
        example=example.strip("`") or _EXAMPLES.get(type_) or _first_code(meaning),
        pattern=pattern,
    )


_EXAMPLES = {
    "boolean": "true",
    "time": "2026-11-27 07:49:13.048",
    "JSON list": '["dt","hour"]',
    "JSON object": '{"EXTERNAL":"TRUE"}',
}


def _first_code(meaning: str) -> str:
    """The first value that *meaning* names, as in "`TABLE` or `VIEW`"."""
    found = re.search("`([^`]+)`", meaning)
    return found[1] if found else ""


def _json_type(hint: object) -> tuple[str, str]:
    return ("JSON list", r"\[.*\]") if "tuple" in str(hint) else ("JSON object", r"\{.*\}")


def _unit(name: str) -> str:
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


def _row_schema(kind: str) -> dict[str, Any]:
    columns = dictionary(kind)
    return {
        "title": kind,
        "description": inspect.getdoc(RECORD_TYPES[kind]) or "",
        "type": "object",
        "properties": {column.name: _value_schema(column) for column in columns},
        "required": [column.name for column in columns],
    }


def _value_schema(column: Column) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "description": column.meaning}
    if column.pattern:
        # Python's and ECMAScript's dialect read it alike.
        null = "|" if column.may_be_null else ""
        schema["pattern"] = f"^(?:{column.pattern}{null})$"

    if column.type.startswith("JSON"):
        schema["contentMediaType"] = "application/json"

    if column.unit:
        schema["x-unit"] = column.unit

    if column.example:
        schema["examples"] = [column.example]

    return schema


@cache
def _attribute_notes() -> dict[str, dict[str, str]]:
    """Class of ``records`` -> field -> the string below it; they exist in the source only."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(records)).body:
        if not isinstance(node, ast.ClassDef):
            continue

        notes = found.setdefault(node.name, {})
        for field, below in zip(node.body, node.body[1:], strict=False):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(note))),
                ):
                    notes[name] = inspect.cleandoc(note)
                case _:
                    pass

    return found


_NOTE = re.compile(r"^    (\w+(?:, \w+)*): ((?:.|\n(?=     ))*)", re.MULTILINE)


def _member_notes(struct: type) -> dict[str, str]:
    """Member -> its line under ``Attributes:`` of the class."""
    section = (inspect.getdoc(struct) or "").partition("Attributes:\n")[2]
    for each in msgspec.structs.fields(struct):
        section = section.replace(f"*{each.name}*", f"*{each.encode_name}*")

    return {
        name: re.sub(r"\bNone\b", "null", " ".join(note.replace("``", "`").split()))
        for names, note in _NOTE.findall(section)
        for name in names.split(", ")
    }


def _structs(root: type) -> Iterator[type]:
    """*root* and every struct below it, each once."""
    found: dict[type, None] = {root: None}
    waiting: list[Any] = [root]
    while waiting:
        for hint in get_type_hints(waiting.pop()).values():
            for part in _parts(hint):
                if inspect.isclass(part) and issubclass(part, msgspec.Struct) and part not in found:
                    found[part] = None
                    waiting.append(part)

    return iter(found)


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    for part in get_args(hint):
        yield from _parts(part)
