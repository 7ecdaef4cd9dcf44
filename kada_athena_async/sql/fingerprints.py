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
_VALUES = "null|true|false|current_[a-z]+|localtime(?:stamp)?"  # unless they are in quotes
_PLAIN = rf"(?!(?:{_VALUES})[\"`])([a-z_][a-z0-9_]*)"
_PLAIN_NAME = re.compile(rf'(?<!")"{_PLAIN}"(?!")|(?<!`)`{_PLAIN}`(?!`)')
_OWN_CATALOG = re.compile(
    r'(?:\bawsdatacatalog|"awsdatacatalog"|`awsdatacatalog`)\s*\.\s*', re.IGNORECASE
)

# Where the name of a table stands, and what makes a name that of a common table expression.
_BEFORE_NAME = "from|join|into|update|table|view|using|exists|optimize|vacuum|describe|desc"
_TABLE = r"[\w.*$]+(?: (?:as )?\w+)?"
_FROM_LIST = re.compile(rf"\bfrom {_TABLE}(?:,{_TABLE}){{1,100}}")
_CTE = re.compile(r"(\w+)(?:\([^()]*\))? ?as\(")
_QUOTED_NAME = re.compile(r"""("[^"]*"|`[^`]*`)|'[^']*'|--[^\r\n]*|/\*[\s\S]*?(?:\*/|\Z)""")

# What programs make up anew for each run: UUIDs, hashes, Looker's derived tables. Days are kept.
_GENERATED = re.compile(
    r"""
    [0-9a-f]{8}[-_]?(?:[0-9a-f]{4}[-_]?){3}[0-9a-f]{12}
    | (?<![a-z0-9])(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,}(?![a-z0-9])
    | (?<![a-z0-9])l[rbc][$_](?=[a-z]*[0-9])[0-9a-z]{5,}
    """,
    re.VERBOSE,
)
# One of them fits each text that has such a name; apart they take a twentieth of the time.
_HINTS = re.compile("[0-9a-f]{8}"), re.compile("l[rbc][$_]")


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


def folded_names(text: str) -> tuple[str, ...]:
    """The names in a statement of which its fingerprint leaves something out.

    Statements of one fingerprint touch the same tables and columns only if these are equal too.
    """
    lower = text.lower()
    quoted = _QUOTED_NAME.findall(text) if '"' in text else ()
    generated = _GENERATED.findall(lower) if _may_be_generated(lower) else ()
    return (*generated, *(name for name in quoted if name != name.lower()))


def _may_be_generated(lower: str) -> bool:
    return any(hint.search(lower) for hint in _HINTS)


def _shape(masked: str, schema: str | None) -> str:
    """The masked text without comments and case, with space only where words would run together."""
    text = masked
    if "awsdatacatalog" in text.lower():
        text = substitute(_OWN_CATALOG, "", text)
    if '"' in text or "`" in text:
        text = substitute(_PLAIN_NAME, r" \1\2 ", text)
    shape = outside_names(text, _normal).lower().rstrip(";")
    if schema and f"{schema.lower()}." in shape:
        shape = _without_schema(shape, schema.lower())

    if _may_be_generated(shape):
        shape = substitute(_GENERATED, "*", shape)
    shape = substitute(_SIGN, r"\1", shape)
    return fold_lists(shape.replace("?uescape?", "?"))


def _without_schema(shape: str, schema: str) -> str:
    """*shape* without the schema before its tables; a name that is a CTE's too keeps it."""
    ctes = set(_CTE.findall(shape)) if " as(" in shape else ()

    def name(match: re.Match[str]) -> str:
        return match.group() if match["name"] in ctes else f"{match['before']}{match['name']}"

    before, listed = _own_names(schema)
    shape = before.sub(name, shape)
    return _FROM_LIST.sub(lambda names: listed.sub(name, names.group()), shape)


@lru_cache(maxsize=1_000)
def _own_names(schema: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns of the names of tables of *schema*: after a keyword, and after a comma."""
    own = rf"{re.escape(schema)}\.(?P<name>[\w*]+|\"[^\"]*\")(?![\w*.])"
    return re.compile(rf"(?P<before>\b(?:{_BEFORE_NAME})[ (]+){own}"), re.compile(
        rf"(?P<before>,){own}"
    )


def _normal(piece: str) -> str:
    return substitute(_SPACE_AT_MARK, "", without_comments(piece)).replace("!=", "<>")
