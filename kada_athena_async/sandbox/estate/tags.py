"""Lake Formation's tags: on databases, tables and columns, inherited and overridden."""

from __future__ import annotations

from zlib import crc32

from kada_athena_async.sandbox.estate.model import Catalog, Estate, Schema, Table

LF_TAGS: dict[str, tuple[str, ...]] = {
    "domain": ("sales", "operations", "finance", "people/payroll"),
    "sensitivity": ("public", "internal", "confidential"),
    "pii": ("direct", "indirect: name + address", "none"),
    "cost_centre": tuple(f"cc-{number:04d}" for number in range(120)),
    "retired": ("yes",),
}
"""Key -> values: more than one search takes, values that need escapes, a key without use."""

_UNTAGGED_OF = 5
"""One database of so many has no tag."""


def add_tags(estate: Estate) -> None:
    """Tag the catalogs of Glue, always in the same way."""
    estate.lf_tags.update(LF_TAGS)
    for catalog in estate.catalogs.values():
        if catalog.type == "GLUE":
            for schema in catalog.schemas.values():
                _tag(catalog, schema)


def _tag(catalog: Catalog, schema: Schema) -> None:
    if _number(catalog.name, schema.name) % _UNTAGGED_OF == 0 and schema.name != "sales":
        return

    schema.lf_tags.update(
        {name: _value(name, catalog.name, schema.name) for name in ("domain", "cost_centre")}
    )
    for table in schema.tables.values():
        where = (catalog.name, schema.name, table.name)
        kind = _number(*where) % 4
        if kind == 0:  # its own value of a key that the database has too
            table.lf_tags["domain"] = _value("domain", *where)
        elif kind == 1:
            table.lf_tags["sensitivity"] = _value("sensitivity", *where)

        for place, column in enumerate(table.columns[:3]):
            if kind == place:
                column.lf_tags["pii"] = _value("pii", *where, column.name)
            elif place == 0:  # the table's key, perhaps its value
                column.lf_tags["sensitivity"] = _value("sensitivity", *where, column.name)


def _value(key: str, *names: str) -> str:
    return LF_TAGS[key][_number(key, *names) % len(LF_TAGS[key])]


def _number(*names: str) -> int:
    return crc32("/".join(names).encode())


def effective_tags(schema: Schema, table: Table) -> dict[str, str]:
    """The tags of *table*, its own before those of its database."""
    return {**schema.lf_tags, **table.lf_tags}
