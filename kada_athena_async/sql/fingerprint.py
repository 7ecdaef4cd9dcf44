"""Gives statements that differ only in literals, spacing, case and comments the same name."""

from __future__ import annotations

import re
from hashlib import sha256

from kada_athena_async.sql.masking import is_unmaskable, mask_sql

_HEX_CHARS = 32
_NAME = re.compile(r'("[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`)')
_COMMENT = re.compile(r"--\?|/\*\?\*/")
_AROUND_MARKS = re.compile(r"\s*([^\w\s]+)\s*")
_SPACE = re.compile(r"\s+")

# date?, -? and ? alike: an item of a list of literals, in normal form.
_ITEM = (
    r"(?:(?:date|timestamp|time|decimal|uuid|ipaddress|json)?[-+]?\?|null|true|false"
    r"|cast\([-+]?\? ?as [a-z ]+(?:\([0-9,]+\))?\))"
)
_LIST = re.compile(rf"(?<=\bin)\({_ITEM}(?:,{_ITEM})*\)")
_ROW = rf"\({_ITEM}(?:,{_ITEM})*\)"
_ROWS = re.compile(rf"({_ROW})(?:,{_ROW})*")
_ITEMS = re.compile(_ITEM)

# Names that need no quotes have none here. With an upper-case letter they are another name in
# some federated catalogs.
_PLAIN_NAME = re.compile(r'"([a-z_][a-z0-9_]*)"|`([a-z_][a-z0-9_]*)`')
_OWN_CATALOG = re.compile(
    r'(?:\bawsdatacatalog|"awsdatacatalog"|`awsdatacatalog`)\s*\.\s*', re.IGNORECASE
)


def fingerprint(
    text: str,
    *,
    statement_type: str | None = None,
    substatement_type: str | None = None,
    is_failed: bool = False,
    schema: str | None = None,
) -> str:
    """Return 32 hexadecimal digits that name the shape of *text*.

    Made from the masked text only, so that no literal can be guessed from it. Lists of literals
    after IN count as one, whatever their length; so do the rows of VALUES.

    Args:
        is_failed: As for ``mask_sql``: what is hidden there has no part in the shape.
        schema: The schema that the statement ran in, which need not be said.
    """
    masked = mask_sql(
        text,
        statement_type=statement_type,
        substatement_type=substatement_type,
        is_failed=is_failed,
    )
    shape = masked if is_unmaskable(masked) else _shape(masked, schema)
    return sha256(shape.encode("utf-8", "replace")).hexdigest()[:_HEX_CHARS]


def _shape(masked: str, schema: str | None) -> str:
    """The masked text without comments and case, with space only where words would run together."""
    pieces = _NAME.split(_PLAIN_NAME.sub(r"\1\2", _OWN_CATALOG.sub("", masked)))
    pieces[::2] = (_normal(piece) for piece in pieces[::2])
    shape = "".join(pieces).lower().rstrip(";")
    if schema:
        own = re.escape(schema.lower())
        shape = re.sub(rf"\b(from|join|into|update|table|view) {own}\.", r"\1 ", shape)

    return _ROWS.sub(_one_row, _LIST.sub("(?)", shape))


def _one_row(match: re.Match[str]) -> str:
    return f"({','.join('?' * len(_ITEMS.findall(match[1])))})"


def _normal(piece: str) -> str:
    spaced = _SPACE.sub(" ", _COMMENT.sub(" ", piece))
    return _AROUND_MARKS.sub(r"\1", spaced).strip()
