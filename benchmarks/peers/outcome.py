"""Report of a script: one line of JSON with counts, time, CPU and memory."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

REGION = "ap-southeast-2"


@dataclass(slots=True)
class Found:
    """Counts of what was extracted, so that all can be seen to have done the same."""

    tables: int = 0
    columns: int = 0
    view_texts: int = 0
    executions: int = 0
    rows: int = 0


class Stopwatch:
    """Wall and CPU time from its making; made after the imports and before the first client."""

    def __init__(self) -> None:
        self._began_s = time.perf_counter()
        self._cpu_s = time.process_time()

    def report(self, found: Found, **more: object) -> None:
        """Print the line."""
        document = {
            "seconds": time.perf_counter() - self._began_s,
            "cpu_s": time.process_time() - self._cpu_s,
            "peak_rss_mb": peak_rss_mb(),
            "found": asdict(found),
            **more,
        }
        print(json.dumps(document))


def peak_rss_mb() -> float:
    """The largest resident size of this process so far.

    On Linux not by getrusage, whose figure begins with the size of the process that forked.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
    except OSError:
        pass

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def schemas_wanted() -> int | None:
    """Number of schemas to extract (BENCHMARK_SCHEMAS in the environment); None: all."""
    text = os.environ.get("BENCHMARK_SCHEMAS", "")
    return int(text) if text else None
