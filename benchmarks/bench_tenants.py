"""Pauses of the garbage collector in an event loop that several extractions share.

Each tenant is a site with an output of its own; the pauses are those that ``gc.callbacks`` sees.
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from kada_athena_async import Extractor, Shared
from kada_athena_async.sandbox import Sandbox

TENANTS = 6


class Pauses:
    """Generation and milliseconds of each collection."""

    def __init__(self) -> None:
        self.found: list[tuple[int, float]] = []
        self._begun_s = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._begun_s = time.perf_counter()
        else:
            pause_ms = 1000 * (time.perf_counter() - self._begun_s)
            self.found.append((info["generation"], pause_ms))

    def figures(self) -> dict[str, float]:
        """Full collections, and the longest pause of any kind, in milliseconds."""
        full = [pause_ms for generation, pause_ms in self.found if generation == 2]
        return {
            "full": len(full),
            "longest_full_ms": round(max(full, default=0.0), 1),
            "longest_ms": round(max(pause_ms for _, pause_ms in self.found), 1),
        }


async def run_all(configs: list[dict[str, Any]]) -> dict[str, float]:
    """Run all tenants side by side; the figures of the collector."""
    shared, pauses = Shared(), Pauses()
    tenants = [
        Extractor(
            **config,
            name=f"tenant{number}",
            hwm_path=Path(config["output_path"]) / "hwm.txt",
            shared=shared,
        )
        for number, config in enumerate(configs)
    ]
    gc.callbacks.append(pauses)
    await asyncio.gather(*(one.run() for one in tenants))
    gc.callbacks.remove(pauses)
    return pauses.figures()


def main() -> None:
    """Serve a sandbox, and measure in a process that holds nothing of it."""
    if "--child" in sys.argv:
        configs = json.loads(Path(sys.argv[-1]).read_text())
        figures = asyncio.run(run_all(configs))
        python = sys.version.split()[0]
        print(json.dumps({"tenants": len(configs), "python": python, **figures}))
        return

    with tempfile.TemporaryDirectory() as directory, Sandbox(scale=0.05) as sandbox:
        configs = []
        for number in range(TENANTS):
            place = Path(directory) / str(number)
            place.mkdir()
            configs.append(sandbox.config(place, metadata_source="api", quota_share=1.0))

        path = Path(directory) / "configs.json"
        path.write_text(json.dumps(configs, default=str))
        command = [sys.executable, "-m", "benchmarks.bench_tenants", "--child", str(path)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
