"""``dbt-sources``: the tables and views as sources of a dbt project.

https://docs.getdbt.com/reference/source-properties
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from kada_athena_async.export.history import History
from kada_athena_async.export.interface import STEP_RECORDS, OutputFolder
from kada_athena_async.export.naming import GLUE_CATALOG, Json
from kada_athena_async.records import TableRecord
from kada_athena_async.sql.names import TableName

FILE = "sources.yml"

# dbt reads every text of the file as a Jinja template.
_JINJA = re.compile(r"\{[{%#]")

_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def write_dbt_sources(history: History, folder: OutputFolder) -> Iterator[None]:
    """See ``Target``: a source a schema, in the order of the extract."""
    texts = history.schemas()
    names = _source_names(texts)
    with folder.create(FILE) as output:
        output.write(b"version: 2\nsources:\n" if names else b"version: 2\nsources: []\n")
        for (catalog, schema), text in texts.items():
            tables = []
            for table in history.tables_of(catalog, schema):
                tables.append(_table(history, table))
                if len(tables) % STEP_RECORDS == 0:
                    yield

            source: Json = {"name": names[catalog, schema], "database": _plain(catalog)}
            source |= {"schema": _plain(schema), **_described(text), "tables": tables}
            output.write(_yaml([source]), count=len(tables))
            yield


def _source_names(schemas: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """A name for each schema that ``source()`` can be called with, each another."""
    names: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for catalog, schema in schemas:
        full = schema if catalog.lower() == GLUE_CATALOG else f"{catalog}_{schema}"
        base = name = re.sub(r"\W", "_", full)
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{base}_{number}"

        taken.add(name.lower())
        names[catalog, schema] = name

    return names


def _table(history: History, table: TableRecord) -> Json:
    found: Json = {"name": _plain(table.table), **_described(table.comment)}
    if table.location:
        found["external"] = {"location": _plain(table.location)}

    name = TableName(table.catalog, table.schema, table.table)
    columns = history.columns(name)
    if columns:
        found["columns"] = [
            {
                "name": _plain(column.column),
                **_described(column.comment),
                "data_type": _plain(column.data_type),
            }
            for column in columns
        ]

    return found


def _described(text: str | None) -> Json:
    return {"description": _plain(text)} if text else {}


def _plain(text: str) -> str:
    """A text that dbt renders as it stands, whatever braces it holds."""
    return _JINJA.sub(lambda found: "{{ '" + found[0] + "' }}", text)


def _yaml(value: object) -> bytes:
    text = yaml.dump(value, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=1_000_000)
    return text.encode()
