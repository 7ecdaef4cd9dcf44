"""Times as people write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from kada_athena_async.errors import ConfigError
from kada_athena_async.hwm import parse_hwm, parse_time
from kada_athena_async.hwm.times import REMEDY, moment_of

NOW = datetime(2026, 11, 28, 6, 30, 15, 250_000, tzinfo=timezone.utc)
WHOLE = NOW.replace(microsecond=0)
FIRST = datetime(2026, 11, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01 00:00:00", FIRST),
        ("2026-11-01", FIRST),
        ("2026-11-01T00:00", FIRST),
        ("2026-11-01T00:00:00", FIRST),
        ("2026-11-01T00:00:00Z", FIRST),
        ("2026-11-01t00:00:00z", FIRST),
        ("2026-11-01 00:00:00 UTC", FIRST),
        ("2026-11-01T11:00:00+11:00", FIRST),
        ("2026-10-31T19:00:00-0500", FIRST),
        ("2026-11-01T00:00:00.999999Z", FIRST),
        ("now", WHOLE),
        ("7d", WHOLE - timedelta(days=7)),
        ("12h", WHOLE - timedelta(hours=12)),
        ("30m", WHOLE - timedelta(minutes=30)),
        ("45s", WHOLE - timedelta(seconds=45)),
        ("2w", WHOLE - timedelta(weeks=2)),
        ("1d12h", WHOLE - timedelta(hours=36)),
        (" 7d ", WHOLE - timedelta(days=7)),
    ],
)
def test_moments_and_how_long_ago(text: str, moment: datetime) -> None:
    """The mark's own form, ISO 8601 with and without a zone, and spans before now; in UTC."""
    assert parse_time(text, now=NOW) == moment
    assert parse_time(text, now=NOW).tzinfo is timezone.utc


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "7", "d", "7 d", "-7d", "999999w", "2026-02-30", "2026-11-01T25:00", "٧d",
     "2026-11-01T00:00:00+99:00", "01.11.2026", "1.5d", "20261101"],
)  # fmt: skip
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    """One remedy, which shows all forms."""
    with pytest.raises(ValueError, match="ISO 8601") as caught:
        parse_time(text, now=NOW)

    assert str(caught.value) == REMEDY


@pytest.mark.parametrize(
    "value",
    [5, 1.5, b"7d", FIRST.date(), "0001-01-01 00:00:00", datetime(1, 1, 1, tzinfo=timezone.utc)],
)
def test_what_is_no_time_of_athena_is_refused(value: Any) -> None:
    """Neither another type nor a time whose overlap has no date ends in an error of Python's."""
    with pytest.raises(ConfigError, match=r"start_hwm = .*: (give|write) "):
        moment_of("start_hwm", value, now=NOW)


def test_a_mark_before_1970_is_none() -> None:
    """It is junk, as a text that is no time."""
    with pytest.raises(ValueError, match="a time before 1970"):
        parse_hwm("0001-01-01 00:00:00")
