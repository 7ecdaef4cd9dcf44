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
_ITEM = r"(?:date|timestamp|time|decimal|uuid|ipaddress|json)?[-+]?\?"
_LIST = re.compile(rf"\({_ITEM}(?:,{_ITEM})*\)")
_ROWS = re.compile(r"\(\?\)(?:,\(\?\))+")


def fingerprint(
    text: str, *, statement_type: str | None = None, substatement_type: str | None = None
) -> str:
    """Return 32 hexadecimal digits that name the shape of *text*.

    Made from the masked text only, so that no literal can be guessed from it. Lists of literals
    count as one, whatever their length; so do the rows of VALUES.
    """
    masked = mask_sql(text, statement_type=statement_type, substatement_type=substatement_type)
    shape = masked if is_unmaskable(masked) else _shape(masked)
    return sha256(shape.encode("utf-8", "replace")).hexdigest()[:_HEX_CHARS]


def _shape(masked: str) -> str:
    """The masked text without comments and case, with space only where words would run together."""
    pieces = _NAME.split(masked)
    pieces[::2] = (_normal(piece) for piece in pieces[::2])
    shape = "".join(pieces).lower().rstrip(";")
    return _ROWS.sub("(?)", _LIST.sub("(?)", shape))


def _normal(piece: str) -> str:
    spaced = _SPACE.sub(" ", _COMMENT.sub(" ", piece))
    return _AROUND_MARKS.sub(r"\1", spaced).strip()
