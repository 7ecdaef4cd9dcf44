"""Facts about tables that make a read of them worth a look: partitions, format, width."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import NamedTuple, TypeAlias

from kada_athena_async.extracts.package import Package
from kada_athena_async.extracts.table_usage import folded

WIDE_COLUMNS = 20
MAX_VIEW_DEPTH = 8

_COLUMNAR = ("iceberg", "hudi", "delta", "parquet", "orc")
_ROW_FORMATS = ("csv", "tsv", "json", "xml", "grok", "avro", "text")
_CLASSES = {
    "parquet": "parquet",
    "orc": "orc",
    "cloudtrail": "json",
    "json": "json",
    "csv": "csv",
    "xml": "xml",
    "grok": "grok",
    "avro": "avro",
    "lazysimple": "text",
    "regex": "text",
    "text": "text",
}
"""Part of the name of a SerDe or an input format -> format (Athena user guide, "Supported SerDes
and data formats")."""

# As Athena spells the partitions of Iceberg: day(ordered_at), bucket(16, id).
_TRANSFORM = re.compile(r"\w+\((.*)\)")


class TableFacts(NamedTuple):
    """Reasons to look at reads of a table, or of a view over it.

    Attributes:
        name: Of the table, for people.
        keys: Partition keys of the table, for people; empty if it has none.
        pruning: Columns that a condition must name to read less than all partitions.
    """

    name: str
    keys: tuple[str, ...]
    pruning: frozenset[str]
    format: str = ""
    columns: int = 0

    @property
    def is_row_format(self) -> bool:
        return self.format in _ROW_FORMATS

    @property
    def is_wide(self) -> bool:
        return self.format in _COLUMNAR and self.columns >= WIDE_COLUMNS


Facts: TypeAlias = "dict[int, tuple[TableFacts, ...]]"
"""Hash of the folded name -> the facts; most tables give no reason and are not held."""


def table_facts(package: Package) -> Facts:
    """Facts about the tables of *package*, and about the views over partitioned ones."""
    found = _of_tables(package)
    frontier = {number: facts for number, facts in found.items() if facts[0].keys}
    for _ in range(MAX_VIEW_DEPTH):
        frontier = _of_views(package, frontier)
        frontier = {number: facts for number, facts in frontier.items() if number not in found}
        if not frontier:
            break

        found.update(frontier)

    return found


def _of_tables(package: Package) -> Facts:
    counts: dict[int, int] = {}
    for place, rows in groupby(package.rows("metadata_columns", "catalog", "schema", "table")):
        number = hash(folded(*place))
        counts[number] = counts.get(number, 0) + sum(1 for _ in rows)

    found: Facts = {}
    names = ("catalog", "schema", "table", "table_format", "partition_keys", "parameters")
    for catalog, schema, table, kind, keys, parameters in package.rows("metadata_tables", *names):
        number = hash(folded(catalog, schema, table))
        shown = tuple(sys.intern(name.lower()) for name in json.loads(keys)) if keys else ()
        facts = TableFacts(
            ".".join((catalog, schema, table)),
            shown,
            frozenset(column for key in shown for column in _columns_of(key)),
            format_of(kind, json.loads(parameters) if parameters else {}),
            counts.pop(number, 0),
        )
        if facts.keys or facts.is_row_format or facts.is_wide:
            found[number] = (facts,)

    return found


def _columns_of(key: str) -> Iterator[str]:
    """The columns of a partition key: its own name, or those that a transform takes."""
    transform = _TRANSFORM.fullmatch(key)
    if transform is None:
        yield key
        return

    for argument in transform[1].split(","):
        if not argument.strip().isdigit():
            yield argument.strip().strip('"`')


class _Seen(NamedTuple):
    """The partitions of a table, as a view shows them."""

    facts: TableFacts
    columns: set[str]
    conditions: list[str]


def _of_views(package: Package, tables: Facts) -> Facts:
    """Facts about the views that read *tables* and name no partition column in a condition."""
    seen: dict[int, dict[tuple[int, int], _Seen]] = {}
    names = (
        *("linkage_type", "source_catalog", "source_schema", "source_table", "source_column"),
        *("target_catalog", "target_schema", "target_table", "target_column"),
        *("dependency", "confidence"),
    )
    for kind, *row in package.rows("linkages", *names):
        source = hash(folded(*row[:3])) if kind == "VIEW" else 0
        for place, facts in enumerate(tables.get(source, ()) if kind == "VIEW" else ()):
            column, target_column, dependency, confidence = row[3], *row[7:]
            view = seen.setdefault(hash(folded(*row[4:7])), {})
            each = view.setdefault((source, place), _Seen(facts, set(), []))
            if confidence != "exact":
                # Nobody knows what the view does with the partitions.
                each.conditions.append("")
            elif column.lower() in facts.pruning:
                if dependency == "indirect":
                    each.conditions.append(column)
                else:
                    each.columns.add(target_column.lower())

    return {
        view: found
        for view, sources in seen.items()
        if (
            found := tuple(
                TableFacts(each.facts.name, each.facts.keys, frozenset(each.columns))
                for each in sources.values()
                if not each.conditions
            )
        )
    }


def format_of(table_format: str, parameters: Mapping[str, str]) -> str:
    """Format of the files, from the catalog; empty if unknown."""
    said = {name.lower(): str(value).lower() for name, value in parameters.items()}
    if table_format.lower() in _COLUMNAR:
        return table_format.lower()

    classification = said.get("classification", "").removeprefix("glue")
    if classification in (*_COLUMNAR, *_ROW_FORMATS):
        return classification

    for key in ("serde.serialization.lib", "inputformat"):
        # Without its package: com.salesforce is not ORC.
        name = said.get(key, "").rpartition(".")[2]
        for part, found in _CLASSES.items():
            if name.startswith(part) or (part in name and part != "orc"):
                return found

    return ""
