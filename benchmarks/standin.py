"""Starts the stand-in as a process of its own and reads its log."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.peers.environment import ROOT


class StandIn:
    """A running stand-in."""

    def __init__(self, url: str) -> None:
        self.url = url

    def log(self) -> dict[str, Any]:
        """Its calls since it started or since the last reset."""
        return self._manage("_log")

    def timeline(self) -> dict[str, Any]:
        """Begin and end of each call and each query, in seconds since it started."""
        return self._manage("_timeline")

    def reset(self) -> None:
        """Forget all calls and queries, fill all buckets."""
        self._manage("_reset")

    def _manage(self, what: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/{what}", timeout=30) as answer:
            document = json.load(answer)

        assert isinstance(document, dict)
        return document


@contextmanager
def stand_in(**settings: float) -> Iterator[StandIn]:
    """A stand-in with these settings (see ``quota_server.settings``), ended on the way out."""
    options = [
        part
        for name, value in settings.items()
        for part in ("--" + name.replace("_", "-"), str(value))
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.quota_server", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield StandIn(str(json.loads(process.stdout.readline())["url"]))
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
