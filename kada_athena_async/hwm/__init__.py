"""High-water mark and state of the runs, the next window, and the stores of both."""

from __future__ import annotations

from kada_athena_async.hwm.coverage import covered_by_state, overlapping, uncovered
from kada_athena_async.hwm.disposition import Classified, Disposition, Execution, classify
from kada_athena_async.hwm.formats import EPOCH_YEAR, DeliveryIntent, format_hwm, parse_hwm
from kada_athena_async.hwm.id_set import IdSet
from kada_athena_async.hwm.ledger import ExecutionLedger, Ledger, next_state
from kada_athena_async.hwm.run_state import (
    HeldPrincipals,
    Origin,
    RunState,
    StoredState,
    WorkgroupState,
)
from kada_athena_async.hwm.times import parse_time
from kada_athena_async.hwm.window import Window, WindowPlan, WorkgroupWindow, plan_window

__all__ = [
    "EPOCH_YEAR",
    "Classified",
    "DeliveryIntent",
    "Disposition",
    "Execution",
    "ExecutionLedger",
    "HeldPrincipals",
    "IdSet",
    "Ledger",
    "Origin",
    "RunState",
    "StoredState",
    "Window",
    "WindowPlan",
    "WorkgroupState",
    "WorkgroupWindow",
    "classify",
    "covered_by_state",
    "format_hwm",
    "next_state",
    "overlapping",
    "parse_hwm",
    "parse_time",
    "plan_window",
    "uncovered",
]
