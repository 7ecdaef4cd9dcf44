"""The tables of statements as sqllineage finds them; runs in an environment of its own."""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

from sqllineage.runner import LineageRunner  # type: ignore[import-not-found, unused-ignore]


def tables(sql: str, database: str) -> list[list[str]]:
    """All source and target tables as [schema, table]."""
    runner = LineageRunner(sql, dialect="athena")
    found = [*runner.source_tables, *runner.target_tables]
    pairs = [[str(table.schema), table.raw_name] for table in found]
    return [[database if s == "<default>" else s.split(".")[-1], name] for s, name in pairs]


def main() -> None:
    """Read [statement, database] pairs from the file named by the first argument."""
    warnings.simplefilter("ignore")
    statements = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    answers: list[list[list[str]] | None] = []
    begun = time.perf_counter()
    for sql, database in statements:
        try:
            answers.append(tables(sql, database))
        except Exception:  # it raises many kinds
            answers.append(None)

    seconds = time.perf_counter() - begun
    document = {
        "statements_per_s": float(f"{len(statements) / seconds:.4g}"),
        "statements": len(statements),
        "failures": answers.count(None),
        "tables": answers,
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
