"""The statements that we run on Athena: their texts, their placeholders, their conditions.

A caller may overwrite a text (the vendor's ``overwrite_sql``) to add a filter; placeholders and
columns must stay. Identifiers and values enter a text through the quoting functions here only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType

PLACEHOLDERS = ("{0}", "{1}")
"""The catalog and the condition."""

PREFIX_MAX = 100
"""Schemas, or tables of one schema, that a condition may name. Beyond 100 prefixes Trino gives up
push-down and walks the whole catalog (InformationSchemaMetadata.java, trinodb/trino)."""

NAMES_MAX = 6 * PREFIX_MAX
"""Tables of one schema that a statement may name, in scans of PREFIX_MAX each: Trino counts the
prefixes of each scan by itself. 600 tables are some 12,000 rows, or twenty-two seconds
of the engine at the 545 rows/s that were reported for information_schema.columns."""

NAMES_BYTES_MAX = 128 * 1024
"""Half of the 262,144 bytes of a statement (Athena user guide, Service Quotas)."""

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


def fill(text: str, *, catalog: str, conditions: Sequence[str], run_id: str) -> str:
    """The statement to run; braces of the text other than the placeholders stay as they are.

    Args:
        conditions: One for each scan; several only where ``takes_scans``.
    """
    scan, order = text.rsplit("\n", 1) if len(conditions) > 1 else (text, "")
    filled = "\nUNION ALL\n".join(_filled(scan, catalog, each) for each in conditions)
    return "\n".join(filter(None, (TAG.format(run_id=run_id) + filled, order)))


def _filled(text: str, catalog: str, condition: str) -> str:
    # Two passes of replace would let a catalog named "{1}" in: split keeps values out of reach.
    pieces = text.split("{0}")
    return quote_identifier(catalog).join(piece.replace("{1}", condition) for piece in pieces)


def takes_scans(name: str, text: str) -> bool:
    """True if the statement *name* may have several scans: its *text* is ours, in one SELECT whose
    last line is its order. What a caller wrote stays as it is."""
    return text == _SHIPPED[name]


def quote_identifier(name: str) -> str:
    """*name* as a Trino identifier that can be nothing else."""
    return '"' + name.replace('"', '""') + '"'


def quote_value(value: str) -> str:
    """*value* as a Trino string that can be nothing else; a backslash is an ordinary character."""
    return "'" + value.replace("'", "''") + "'"


def portions(names: Sequence[str], names_max: int) -> Iterator[tuple[str, ...]]:
    """*names* of tables in their order, as many at a time as one statement may have."""
    taken: list[str] = []
    size_bytes = 0
    for name in names:
        name_bytes = len(quote_value(name).encode(errors="replace"))
        if taken and (len(taken) == names_max or size_bytes + name_bytes > NAMES_BYTES_MAX):
            yield tuple(taken)
            taken, size_bytes = [], 0

        taken.append(name)
        size_bytes += name_bytes

    if taken:
        yield tuple(taken)


def conditions_on(schemas: Iterable[str], tables: Sequence[str] = ()) -> list[str]:
    """The conditions for whole schemas, or for some tables of one schema: one for each scan.

    Literals are lower case: Trino's information_schema matches nothing else.
    """
    whole = f"table_schema IN ({_values(schemas)})"
    # Not `concurrency.batches`: `iam-policy`, which reads the numbers above, would load anyio.
    scans = (tables[at : at + PREFIX_MAX] for at in range(0, len(tables), PREFIX_MAX))
    return [f"{whole} AND table_name IN ({_values(names)})" for names in scans] or [whole]


def _values(names: Iterable[str]) -> str:
    return ", ".join(quote_value(name.lower()) for name in names)
