"""Parts that all benchmarks share: options, the line they print, our own run as a process."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.peers.environment import (
    REQUIREMENTS,
    ROOT,
    aws_environment,
    default_place,
    run_module,
)

_PACKAGES = (
    "aioboto3",
    "aiobotocore",
    "botocore",
    "anyio",
    "msgspec",
    "isal",
    "sqlglot",
    "pydantic",
)


FAST: dict[str, float] = {
    "latency_scale": 0.01,
    "quota_scale": 1000.0,
    "rows_per_s": 1e9,
    "active_dml": 100,
    "tables": 50,
    "columns": 20,
    "executions": 0,
}
"""Settings of a stand-in that answers at once, where waiting is of no interest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of a benchmark.

    Attributes:
        is_quick: A smoke run: a small estate, no peers that need an environment of their own.
        repeat: Runs of which the median counts.
        environment: Where the peers are installed.
    """

    is_quick: bool
    repeat: int
    environment: Path
    more: argparse.Namespace


def parse(
    description: str, *, repeat: int, add: Sequence[tuple[str, Mapping[str, Any]]] = ()
) -> Options:
    """Read the command line; *add* holds options of one benchmark: their name and settings."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a smoke run: does it work?")
    parser.add_argument("--repeat", type=int, default=repeat, help="the median of so many runs")
    parser.add_argument("--env-dir", type=Path, default=default_place(), help="the peers' venv")
    for name, settings in add:
        parser.add_argument(name, **settings)

    more = parser.parse_args()
    return Options(
        is_quick=more.quick,
        repeat=1 if more.quick else more.repeat,
        environment=more.env_dir,
        more=more,
    )


def show(name: str, options: Options, figures: Mapping[str, object]) -> None:
    """Print the line."""
    document = {
        "benchmark": name,
        "quick": options.is_quick,
        "repeat": options.repeat,
        **figures,
        "machine": machine(),
        "versions": versions(),
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    print(json.dumps(document))


def machine() -> dict[str, object]:
    """The machine; its load shows how much else was running."""
    return {
        "cpus": os.cpu_count(),
        "processor": _processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load_1min": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()

    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions() -> dict[str, str]:
    """Versions of what was measured, the peers' as they are pinned."""
    found = {"kada_athena_async": "", **dict.fromkeys(_PACKAGES, "")}
    for name in found:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"

    return {**found, "peers": ", ".join(REQUIREMENTS)}


def median(values: Sequence[float]) -> float:
    """The median, rounded."""
    return rounded(statistics.median(values))


def rounded(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")


def own_run(
    url: str, output: Path, *, run: Mapping[str, object] | None = None, **config: object
) -> dict[str, Any]:
    """Report of ``benchmarks.own_run`` about an extraction from the stand-in at *url*.

    Args:
        output: An empty directory for the extracts.
        run: Settings of the run (see ``own_run``).
        config: Configuration fields beside those that every run needs.
    """
    wanted = {"config": own_config(url, output, **config), **(run or {})}
    return run_module(sys.executable, "benchmarks.own_run", url, arguments=[json.dumps(wanted)])


def own_config(url: str, output: Path, **more: object) -> dict[str, object]:
    """Configuration of a run against the stand-in at *url*, which writes to *output*."""
    return {
        "key": "AKIDBENCHMARK",
        "secret": "invented",
        "server": "athena",
        "bucket": "s3://results/own",
        "region": "ap-southeast-2",
        "output_path": str(output),
        "endpoint_url": url,
        "quota_share": 1.0,
        **more,
    }


def own_config_file(folder: Path, url: str, **more: object) -> Path:
    """Configuration file in *folder* of a run that writes to a directory beside it."""
    path = folder / "config.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(own_config(url, folder / "output", **more)))
    return path


def days_ago(days: int, now: datetime | None = None) -> str:
    """The time *days* days ago, as a high-water mark has it."""
    at = (now or datetime.now(timezone.utc)) - timedelta(days=days)
    return at.strftime("%Y-%m-%d %H:%M:%S")


def used_by(command: Sequence[str], url: str) -> resource.struct_rusage:
    """Resources of a process, and of the workers that it waited for, against the stand-in.

    Raises:
        SystemExit: It failed; with what it said.
    """
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, cwd=ROOT, env=aws_environment(url), stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{command} failed with {process.returncode}: {said.read()}")

    return used


def summary(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures of several runs, of ours or of a peer, and the calls of the last of them."""
    operations = runs[-1]["log"]["operations"]
    return {
        "seconds": median([run["seconds"] for run in runs]),
        "all_seconds": [rounded(run["seconds"]) for run in runs],
        "cpu_s": median([run["cpu_s"] for run in runs]),
        "peak_rss_mb": median([run["peak_rss_mb"] for run in runs]),
        "calls": {name: entry["calls"] for name, entry in operations.items()},
    }
