"""High-water mark and state of the runs, the next window, and the stores of both."""

from __future__ import annotations

from kada_athena_async.hwm.account import Account, WorkgroupAccount, carry
from kada_athena_async.hwm.coverage import covered_by_state, overlapping, uncovered
from kada_athena_async.hwm.formats import EPOCH_YEAR, Announcement, format_hwm, parse_hwm
from kada_athena_async.hwm.id_set import IdSet
from kada_athena_async.hwm.origin import Origin
from kada_athena_async.hwm.store import FileHwmStore, HwmStore
from kada_athena_async.hwm.times import parse_time
from kada_athena_async.hwm.verdict import Execution, Judgement, Verdict, classify
from kada_athena_async.hwm.window import (
    Carried,
    Decision,
    Gap,
    Reading,
    StoredMark,
    Window,
    WindowSettings,
    WorkgroupMark,
    decide_window,
)

__all__ = [
    "EPOCH_YEAR",
    "Account",
    "Announcement",
    "Carried",
    "Decision",
    "Execution",
    "FileHwmStore",
    "Gap",
    "HwmStore",
    "IdSet",
    "Judgement",
    "Origin",
    "Reading",
    "StoredMark",
    "Verdict",
    "Window",
    "WindowSettings",
    "WorkgroupAccount",
    "WorkgroupMark",
    "carry",
    "classify",
    "covered_by_state",
    "decide_window",
    "format_hwm",
    "overlapping",
    "parse_hwm",
    "parse_time",
    "uncovered",
]
