"""The labelled statements: what is secret in each, what must survive, what it reads and writes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A statement with its truth.

    Attributes:
        trap: What makes it hard.
        secret, keep: Texts that must not and that must be in the masked statement.
        reads, writes: Tables as ``schema.table`` or ``catalog.schema.table``.
        locations: The S3 locations that it names.
    """

    trap: str
    sql: str
    secret: tuple[str, ...]
    keep: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    locations: tuple[str, ...] = ()
    types: dict[str, str] = field(default_factory=dict)


def _load() -> tuple[Labelled, ...]:
    rows = (
        json.loads(line)
        for line in (DATA / "statements.jsonl").read_text("utf-8").split("\n")
        if line
    )
    return tuple(
        Labelled(
            trap=row["trap"],
            sql=row["sql"],
            secret=tuple(row["secret"]),
            keep=tuple(row["keep"]),
            reads=tuple(row["reads"]),
            writes=tuple(row["writes"]),
            locations=tuple(row.get("locations", ())),
            types={k: row[k] for k in ("statement_type", "substatement_type") if k in row},
        )
        for row in rows
    )


LABELLED = _load()
