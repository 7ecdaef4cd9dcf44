"""Gives statements that differ only in literals, spacing, case and comments the same name."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256

from kada_athena_async.sql.clean import outside_names, without_comments
from kada_athena_async.sql.literal_lists import fold_lists
from kada_athena_async.sql.masking import is_unmaskable, mask_sql
from kada_athena_async.sql.substitute import substitute

_HEX_CHARS = 32
_SPACE_AT_MARK = re.compile(r" (?:(?!\w)|(?<!\w ))")

# The sign of a literal, but not the minus between two values.
_SIGN = re.compile(
    r"(\A|[=<>(,*/%|\[]|\b(?:select|and|or|then|else|when|between|where|on|not|case|having|interval"
    r"|limit|by|like|is|in|distinct|all|any|values|union|row))[-+](?=\?)"
)

# Names that need no quotes have none here. With an upper-case letter they are another name in
# some federated catalogs.
_PLAIN_NAME = re.compile(r'"([a-z_][a-z0-9_]*)"|`([a-z_][a-z0-9_]*)`')
_OWN_CATALOG = re.compile(
    r'(?:\bawsdatacatalog|"awsdatacatalog"|`awsdatacatalog`)\s*\.\s*', re.IGNORECASE
)

# What programs make up anew for each run: UUIDs, hashes, Looker's derived tables. Days are kept.
_GENERATED = re.compile(
    r"""
    [0-9a-f]{8}[-_]?(?:[0-9a-f]{4}[-_]?){3}[0-9a-f]{12}
    | (?<![a-z0-9])(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,}(?![a-z0-9])
    | (?<![a-z0-9])l[rbc][$_](?=[a-z]*[0-9])[0-9a-z]{5,}
    """,
    re.VERBOSE,
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

    Made from the masked text only, so that no literal can be guessed from it. An item that is
    repeated in a list after IN counts once, and so does a row of VALUES. Parts of names that
    programs make up for each run count as one too.

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
    return fingerprint_of_masked(masked, schema=schema)


def fingerprint_of_masked(masked: str, *, schema: str | None = None) -> str:
    """Return the fingerprint of the statement whose masked text *masked* is."""
    shape = masked if is_unmaskable(masked) else _shape(masked, schema)
    return sha256(shape.encode("utf-8", "replace")).hexdigest()[:_HEX_CHARS]


def _shape(masked: str, schema: str | None) -> str:
    """The masked text without comments and case, with space only where words would run together."""
    text = masked
    if "awsdatacatalog" in text.lower():
        text = substitute(_OWN_CATALOG, "", text)
    if '"' in text or "`" in text:
        text = substitute(_PLAIN_NAME, r"\1\2", text)
    shape = outside_names(text, _normal).lower().rstrip(";")
    if schema:
        shape = substitute(_own_names(schema.lower()), r"\1 ", shape)

    shape = substitute(_GENERATED, "*", shape)
    if "?" not in shape:
        return shape

    return fold_lists(substitute(_SIGN, r"\1", shape.replace("?uescape?", "?")))


@lru_cache(maxsize=1_000)
def _own_names(schema: str) -> re.Pattern[str]:
    return re.compile(rf"\b(from|join|into|update|table|view) {re.escape(schema)}\.")


def _normal(piece: str) -> str:
    return substitute(_SPACE_AT_MARK, "", without_comments(piece)).replace("!=", "<>")
