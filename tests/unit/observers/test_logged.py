"""A run in a logger: what fails is logged as an error, so that alerts on levels find it."""

from __future__ import annotations

import logging

import pytest

from kada_athena_async.codes import WarningCode
from kada_athena_async.events import RunFinished, UnitFinished, Warned
from kada_athena_async.observers.logger import LoggedLines
from kada_athena_async.redact import Redactor


def test_each_line_is_logged_at_the_level_of_what_it_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Failures at ERROR, warnings and what is left out at WARNING, all else at INFO."""
    lines = LoggedLines(logging.getLogger("logged-test"), redact=Redactor(("canary-secret",)))
    caplog.set_level(logging.INFO, logger="logged-test")
    for event in (
        Warned(code=WarningCode.GAP, message="history is gone canary-secret"),
        UnitFinished(unit_id="a", outcome="skipped", rows=0, duration_s=1, reason="denied"),
        UnitFinished(unit_id="b", outcome="failed", rows=0, duration_s=1, reason="down"),
        RunFinished(run_id="r", committed=False, exit_code=1, duration_s=2),
        RunFinished(run_id="s", committed=True, exit_code=0, duration_s=2),
    ):
        lines(event)

    found = [(record.levelname, record.getMessage().partition(":")[0]) for record in caplog.records]
    assert found[0][0] == "WARNING"
    assert ("WARNING", "skipped") in found
    assert ("ERROR", "failed") in found
    assert [level for level, text in found if text.startswith("nothing was")] == ["ERROR"]
    assert [level for level, text in found if text.startswith("committed")] == ["INFO"]
    assert "canary-secret" not in caplog.text
