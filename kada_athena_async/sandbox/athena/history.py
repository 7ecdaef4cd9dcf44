"""A site's executions in the order in which ListQueryExecutions shows them."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from kada_athena_async.sandbox.behaviour import HistoryOrder
from kada_athena_async.sandbox.estate.model import Estate, Execution

Position = tuple[float, str]


class History:
    """An index over ``estate.executions`` by workgroup; not safe without the site's lock."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._order: HistoryOrder = "newest"
        self._by_workgroup: dict[str, list[Position]] = {}
        self._indexed = 0

    def add(self, execution: Execution) -> None:
        """Puts *execution* into the estate."""
        # Whatever a test put into the estate by hand is indexed before it grows further.
        self._refresh(self._order)
        self._estate.executions[execution.query_execution_id] = execution
        insort(self._by_workgroup.setdefault(execution.workgroup, []), self._position(execution))
        self._indexed += 1

    def walk(
        self, workgroup: str, *, after: Position, order: HistoryOrder, oldest: datetime
    ) -> Iterator[tuple[Position, Execution]]:
        """The workgroup's executions that came after *after* in *order*, none before *oldest*."""
        self._refresh(order)
        positions = self._by_workgroup.get(workgroup, [])
        start = bisect_right(positions, after)
        for index in range(start, len(positions)):
            execution = self._estate.executions.get(positions[index][1])
            if execution is not None and execution.submitted_at >= oldest:
                yield positions[index], execution

    def _refresh(self, order: HistoryOrder) -> None:
        if order == self._order and self._indexed == len(self._estate.executions):
            return

        self._order = order
        self._by_workgroup = {}
        for execution in self._estate.executions.values():
            self._by_workgroup.setdefault(execution.workgroup, []).append(self._position(execution))

        for positions in self._by_workgroup.values():
            positions.sort()

        self._indexed = len(self._estate.executions)

    def _position(self, execution: Execution) -> Position:
        query_id = execution.query_execution_id
        submitted_s = execution.submitted_at.timestamp()
        if self._order == "newest":
            return (-submitted_s, query_id)

        if self._order == "oldest":
            return (submitted_s, query_id)

        return (float(int(sha256(query_id.encode()).hexdigest()[:8], 16)), query_id)
