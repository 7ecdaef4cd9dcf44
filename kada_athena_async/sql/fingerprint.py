"""Gives statements that differ only in literals, spacing, case and comments the same name."""

from __future__ import annotations

import re
from hashlib import sha256

from kada_athena_async.sql.engine_choice import choose_engine
from kada_athena_async.sql.masking import is_unmaskable, mask_sql
from kada_athena_async.sql.tokens import Kind, tokenize

_HEX_CHARS = 32
_COMMENTS = (Kind.LINE_COMMENT, Kind.BLOCK_COMMENT)

# DATE ?, -? and ? alike: an item of a list of literals, in normalised text.
_ITEM = r"(?:(?:date|timestamp|time|decimal|uuid|ipaddress|json) )?(?:[-+] ?)?\?"
_LIST = re.compile(rf"\( {_ITEM}(?: ?, ?{_ITEM})* \)")
_ROWS = re.compile(r"\( \? \)(?: ?, ?\( \? \))+")


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
    engine = choose_engine(masked).engine
    pieces: list[str] = []
    for kind, start, end in tokenize(masked, engine):
        if kind in _COMMENTS:
            continue

        piece = masked[start:end]
        if kind is Kind.OPERATORS:
            piece = "".join(piece.split())
        if piece:
            pieces.append(piece.lower())

    shape = " ".join(pieces).rstrip("; ")
    return _ROWS.sub("( ? )", _LIST.sub("( ? )", shape))
