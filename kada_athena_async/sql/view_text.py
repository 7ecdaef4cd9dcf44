"""Reads the text of a view out of what Glue keeps of it."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import NamedTuple

_ANY_MARK = re.compile(r"\s*/\*\s*Presto\s+(?:Materialized\s+)?View\b", re.IGNORECASE)
_ENCODED = re.compile(rf"{_ANY_MARK.pattern}:([A-Za-z0-9+/_=\s-]*)\*/[\s;]*", re.IGNORECASE)
_URL_SAFE = str.maketrans("-_", "+/")  # the other alphabet of base64 (RFC 4648, section 5)
# Glue's ViewTextString has at most 409,600 characters (Glue API, TableInput); the decoded text is
# shorter. Anything longer is no view that Athena has made.
_MAX_ENCODED_CHARS = 1_048_576


class ViewText(NamedTuple):
    """A view as its author wrote it.

    Attributes:
        dialect: ``athena``, or ``hive`` for views that Hive or Spark made.
        catalog, schema: What names without these parts refer to; None where nobody says.
        columns: Names and types of the outputs; empty where nobody says.
    """

    definition: str
    dialect: str
    catalog: str | None
    schema: str | None
    columns: tuple[tuple[str, str], ...]


def is_encoded(text: str) -> bool:
    """True if *text* has the mark of a view that Presto, Trino or Athena encoded, or cut off."""
    return _ANY_MARK.match(text) is not None


def decode_view(
    view_original_text: str | None, parameters: Mapping[str, str] | None = None
) -> ViewText | None:
    """Return the view in Glue's ``ViewOriginalText``; None if there is none to be read.

    Athena's views are base64 of JSON in a comment, Hive's stand there as they are.

    Args:
        parameters: The table's parameters, of which ``presto_view`` marks an Athena view.
    """
    text = view_original_text or ""
    if not text.strip() or len(text) > _MAX_ENCODED_CHARS:
        return None

    if encoded := _ENCODED.fullmatch(text):
        return _decode(encoded[1])

    if is_encoded(text) or (parameters or {}).get("presto_view") == "true":
        return None

    return ViewText(text, "hive", None, None, ())


def _decode(encoded: str) -> ViewText | None:
    digits = "".join(encoded.split()).rstrip("=").translate(_URL_SAFE)
    padding = "=" * (-len(digits) % 4)  # some writers leave it out
    try:
        raw = b64decode(digits + padding, validate=True)
        view = json.loads(raw.decode("utf-8-sig", "replace").rstrip("\x00"), strict=False)
    except (ValueError, RecursionError):
        return None

    if not isinstance(view, dict) or (text := _text(view.get("originalSql"))) is None:
        return None

    listed = view.get("columns")
    columns = tuple(
        (name, _text(column.get("type")) or "")
        for column in (listed if isinstance(listed, list) else ())
        if isinstance(column, dict) and (name := _text(column.get("name"))) is not None
    )
    return ViewText(text, "athena", _text(view.get("catalog")), _text(view.get("schema")), columns)


def _text(member: object) -> str | None:
    """A member that is text, without halves of surrogate pairs; None if it is anything else."""
    if not isinstance(member, str):
        return None

    return member.encode("utf-8", "replace").decode()
