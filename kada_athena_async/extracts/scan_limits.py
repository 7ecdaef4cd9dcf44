"""Workgroups without a limit of the bytes that a query may scan, and their largest queries."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from kada_athena_async.extracts.executions import Ran
from kada_athena_async.extracts.runs import Runs

MAX_QUERIES = 5
"""Queries of a workgroup that are held: its largest."""


class ScanLimits:
    """Finds the largest queries of the workgroups of which the newest run knows that they have no
    limit."""

    def __init__(self, runs: Runs) -> None:
        limits = runs.newest.manifest.facts.workgroup_limits
        cutoffs = limits.cutoff_bytes if limits else {}
        self._largest: dict[str, list[tuple[int, str, int]]] = {
            name: [] for name, cutoff_bytes in cutoffs.items() if cutoff_bytes is None
        }

    def look_at(self, ran: Ran) -> None:
        """Remember an execution, if it is one of the largest."""
        held = self._largest.get(ran.workgroup)
        if held is None or not ran.scanned_bytes:
            return

        row = (ran.scanned_bytes, ran.query_id, ran.billed_bytes)
        if len(held) < MAX_QUERIES:
            heapq.heappush(held, row)
        elif row > held[0]:
            heapq.heapreplace(held, row)

    def largest(self) -> Iterator[tuple[str, list[tuple[int, str, int]]]]:
        """Yield workgroups that scanned something, with their queries, the largest first: bytes
        scanned, id, bytes charged.
        """
        for name, held in self._largest.items():
            if held:
                yield name, sorted(held, reverse=True)
