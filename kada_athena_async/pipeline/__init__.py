"""One unit of work on its way: source, transforms, parts."""

from __future__ import annotations

from kada_athena_async.pipeline.extraction import UnitExtraction, may_leave_out
from kada_athena_async.pipeline.runner import UnitRunner

__all__ = ["UnitExtraction", "UnitRunner", "may_leave_out"]
