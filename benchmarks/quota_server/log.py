"""Calls to the stand-in: number, times, and how many at once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TypeAlias

Span: TypeAlias = list[object]
"""Operation, when its call arrived, and when its answer began to be sent; None before."""


@dataclass(slots=True)
class Operation:
    """Counts of one operation; times are seconds since the server started."""

    calls: int = 0
    throttled: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    first_s: float | None = None
    last_s: float | None = None


@dataclass(slots=True)
class Call:
    """One call, and what is counted of its operation."""

    entry: Operation
    span: Span


class CallLog:
    """Counts per operation (``athena:ListQueryExecutions``) and over all."""

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}
        self._in_flight = 0
        self._most_in_flight = 0
        self.spans: list[Span] = []

    def begin(self, operation: str, now_s: float) -> Call:
        """A call arrived."""
        entry = self._operations.setdefault(operation, Operation())
        entry.calls += 1
        entry.in_flight += 1
        entry.most_in_flight = max(entry.most_in_flight, entry.in_flight)
        entry.first_s = now_s if entry.first_s is None else entry.first_s
        entry.last_s = now_s
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)
        call = Call(entry, [operation, now_s, None])
        self.spans.append(call.span)
        return call

    def end(self, call: Call, now_s: float) -> None:
        """Its answer began to be sent."""
        entry, call.span[2] = call.entry, now_s
        entry.in_flight -= 1
        entry.last_s = now_s
        self._in_flight -= 1

    def clear(self) -> None:
        """Forget what was counted; calls still in flight are counted no more."""
        self._operations.clear()
        self.spans.clear()
        self._in_flight = self._most_in_flight = 0

    def document(self) -> dict[str, object]:
        """All of it, ready for JSON."""
        return {
            "operations": {name: asdict(entry) for name, entry in sorted(self._operations.items())},
            "calls": sum(entry.calls for entry in self._operations.values()),
            "throttled": sum(entry.throttled for entry in self._operations.values()),
            "most_in_flight": self._most_in_flight,
        }
