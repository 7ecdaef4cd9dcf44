"""Each benchmark works: its smoke run prints one line of JSON with the figures it is there for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def quick(name: str) -> dict[str, Any]:
    """The line that the smoke run of a benchmark prints."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    document = json.loads(lines[0])
    assert isinstance(document, dict)
    assert document["machine"]["cpus"]
    assert document["versions"]["botocore"]
    return document


@pytest.mark.slow
def test_the_metadata_benchmark_finds_the_whole_estate() -> None:
    """Whatever the source, all objects, columns and view texts of both estates are found."""
    estates = quick("bench_metadata")["estates"]

    for name, objects, views in (("wide", 80, 4), ("giant", 330, 16)):
        for source in ("api", "sql", "auto"):
            found = estates[name][f"own_{source}"]["found"]
            assert found["tables"] == objects
            assert found["columns"] == objects * 5
            assert found["view_texts"] == views


@pytest.mark.slow
def test_the_history_benchmark_finds_every_execution() -> None:
    """All executions of all workgroups are found, and the ratio to the bound is there."""
    figures = quick("bench_history")

    assert figures["own"]["executions"] == 1200
    assert figures["own"]["ratio_to_bound"] > 0


@pytest.mark.slow
def test_the_who_benchmark_finds_executions_and_principals_by_both_sources() -> None:
    """All executions by the system table, and the bound of CloudTrail beside its run."""
    figures = quick("bench_who")

    assert figures["own_system_table"]["executions"] == 600
    assert figures["own_system_table_and_principals"]["principals"] > 500
    assert figures["cloudtrail"]["own"]["principals"] > 90
    assert figures["cloudtrail_bound_s"] == 5.0


@pytest.mark.slow
def test_the_decode_benchmark_compares_cpu_with_aioboto3() -> None:
    """A page and a million rows have a cost and a ratio."""
    figures = quick("bench_decode")

    assert figures["page_ratio"] > 0
    assert figures["to_gzip_per_million_rows"]["ratio_s3"] > 0


@pytest.mark.slow
def test_the_memory_benchmark_reads_all_rows() -> None:
    """Every source delivers the column rows whose footprint is told."""
    figures = quick("bench_memory")

    for source in ("sql", "api", "auto"):
        assert figures[f"own_{source}"]["2000"]["column_rows"] == 2000
        assert figures[f"own_{source}"]["2000"]["peak_rss_mb"] > 0


@pytest.mark.slow
def test_the_responsiveness_benchmark_watches_a_whole_run() -> None:
    """The loop was looked at many times while everything was extracted."""
    figures = quick("bench_responsiveness")

    assert figures["own"]["loop_delay"]["looks"] > 100
    assert figures["own"]["found"]["executions"] == 200
    assert figures["idle"]["loop_delay"]["looks"] > 100


@pytest.mark.slow
def test_the_start_benchmark_sees_the_first_call() -> None:
    """Help and first call take some time, and a bare interpreter less."""
    figures = quick("bench_start")

    assert figures["help_s"] > figures["nothing_s"] > 0
    assert figures["first_call_s"] > 0


@pytest.mark.slow
def test_the_end_to_end_benchmark_moves_the_mark() -> None:
    """Every estate is extracted by the command line, later than the bound allows."""
    figures = quick("bench_end_to_end")

    for name in ("large_api", "small_api", "no_history_api"):
        assert figures[name]["ratio_to_bound"] > 1
        assert figures[name]["first_call_s"] < figures[name]["seconds"]


@pytest.mark.slow
def test_the_lineage_benchmark_derives_every_execution() -> None:
    """Each mode derives all executions and says what holds the end of a run."""
    figures = quick("bench_lineage")

    for mode in ("distinct", "repeated", "half"):
        assert figures[mode]["300"]["rows"]["events"] == 500
        assert figures[mode]["300"]["after_last_s"] > 0
    assert figures["to_csv_us"]["apart"] > 0


@pytest.mark.slow
def test_the_page_benchmark_makes_a_page_of_30_nights() -> None:
    """All executions of all nights are on it, and its size and footprint are told."""
    figures = quick("bench_page")

    assert (figures["nights"], figures["tables"], figures["executions"]) == (30, 200, 1980)
    assert 0 < figures["page_mb"] < 1
    assert figures["report"]["peak_rss_mb"] > 0
    assert figures["show advice"]["cpu_s"] > 0
