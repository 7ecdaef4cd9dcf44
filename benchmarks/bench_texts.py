"""CPU of the main process for each execution's text: masked, named, looked over for lineage.

The statements are those of the sandbox's executions. With ``--against`` a commit is measured beside
this tree, in turn, and ``ratio`` is this tree's share of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks.frame import median, parse, rounded, show
from kada_athena_async.sandbox.estate.build import build_estate

ROOT = Path(__file__).parents[1]
_MAX_CHARS = 16_384  # the three longest would be all that is measured


def statements(scale: float) -> list[dict[str, Any]]:
    """What an answer says of each execution's text."""
    estate = build_estate(now=datetime(2026, 11, 23, tzinfo=timezone.utc), scale=scale)
    return [
        {
            "query": e.query,
            "status": e.state,
            "catalog": e.catalog,
            "schema": e.database,
            "workgroup": e.workgroup,
            "statement_type": e.statement_type,
            "substatement_type": e.substatement_type,
        }
        for e in estate.executions.values()
        if len(e.query) <= _MAX_CHARS
    ]


def measured(tree: Path, file: str) -> dict[str, Any]:
    """The line of one process that runs *tree*."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "peers" / "texts_cpu.py"), file],
        env={**os.environ, "PYTHONPATH": str(tree)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    line: dict[str, Any] = json.loads(done.stdout)
    return line


def summary(lines: list[dict[str, Any]], executions: int) -> dict[str, float]:
    """Microseconds for each execution."""
    parts = {
        name: median([line[f"{name}_s"] for line in lines]) * 1e6 / executions
        for name in ("transforms", "lineage")
    }
    return {f"{name}_us": rounded(value) for name, value in parts.items()} | {
        "both_us": rounded(sum(parts.values()))
    }


def main() -> None:
    """Print the line."""
    options = parse(
        __doc__ or "",
        repeat=3,
        add=[("--against", {"default": "", "help": "a commit to measure too"})],
    )
    found = statements(0.05 if options.is_quick else 1.0)
    against: str = options.more.against
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "statements.json"
        file.write_text(json.dumps(found), encoding="utf-8")
        trees = {"own": ROOT}
        if against:
            trees["against"] = Path(place) / "tree"
            add = ["git", "worktree", "add", "-q", "--detach", str(trees["against"]), against]
            subprocess.run(add, cwd=ROOT, check=True)
        try:
            lines: dict[str, list[dict[str, Any]]] = {name: [] for name in trees}
            for _ in range(options.repeat):
                for name, tree in trees.items():
                    lines[name].append(measured(tree, str(file)))
        finally:
            if against:
                remove = ["git", "worktree", "remove", "--force", str(trees["against"])]
                subprocess.run(remove, cwd=ROOT, check=True)

    figures: dict[str, Any] = {"executions": len(found)}
    figures |= {name: summary(several, len(found)) for name, several in lines.items()}
    if against:
        figures["ratio"] = rounded(figures["own"]["both_us"] / figures["against"]["both_us"])
    show("texts", options, figures)


if __name__ == "__main__":
    main()
