"""The statements that we run on Athena: their texts, their placeholders, their conditions.

A caller may overwrite a text (the vendor's ``overwrite_sql``) to add a filter; placeholders and
columns must stay. Identifiers and values enter a text through the quoting functions here only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from types import MappingProxyType

PLACEHOLDERS = ("{0}", "{1}")
"""The catalog and the condition."""

PREFIX_MAX = 100
"""Schemas, or tables of one schema, that a condition may name. Beyond 100 prefixes Trino gives up
push-down and walks the whole catalog (InformationSchemaMetadata.java, trinodb/trino)."""

# Tells our own statements from everybody else's in the query history.
TAG = "/* kada_athena_async {run_id} */\n"


def _shipped_texts() -> dict[str, str]:
    folder = files("kada_athena_async.sources") / "statements"
    texts = {}
    for name in ("schemata", "tables", "columns", "views"):
        lines = (folder / f"{name}.sql").read_text("utf-8").split("\n")
        text = "\n".join(line for line in lines if not line.startswith("--")).strip()
        texts[f"{name.upper()}_SQL"] = text

    return texts


# Read with this module, so that to make an extractor in an event loop reads no file.
_SHIPPED = _shipped_texts()

STATEMENT_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        name: tuple(text.splitlines()[0].removeprefix("SELECT ").split(", "))
        for name, text in _SHIPPED.items()
    }
)
"""Name of a statement -> the columns that its result must have, in the order we read them: those
of the text as shipped."""


def default_texts() -> dict[str, str]:
    """Statement name -> text, as shipped, without the comment lines."""
    return dict(_SHIPPED)


def fill(text: str, *, catalog: str, condition: str, run_id: str) -> str:
    """The statement to run; braces of the text other than the placeholders stay as they are."""
    # Two passes of replace would let a catalog named "{1}" in: split keeps values out of reach.
    pieces = text.split("{0}")
    filled = quote_identifier(catalog).join(piece.replace("{1}", condition) for piece in pieces)
    return TAG.format(run_id=run_id) + filled


def quote_identifier(name: str) -> str:
    """*name* as a Trino identifier that can be nothing else."""
    return '"' + name.replace('"', '""') + '"'


def quote_value(value: str) -> str:
    """*value* as a Trino string that can be nothing else; a backslash is an ordinary character."""
    return "'" + value.replace("'", "''") + "'"


def condition_on(schemas: Iterable[str], tables: Iterable[str] = ()) -> str:
    """The condition for whole schemas, or for some tables of one schema.

    Literals are lower case: Trino's information_schema matches nothing else.
    """
    condition = f"table_schema IN ({_values(schemas)})"
    names = _values(tables)
    return f"{condition} AND table_name IN ({names})" if names else condition


def _values(names: Iterable[str]) -> str:
    return ", ".join(quote_value(name.lower()) for name in names)
