"""Mistakes in a command line, named before anything is done."""

from __future__ import annotations

import pytest

from kada_athena_async.cli.request import RunRequest, check_request, overrides_of
from kada_athena_async.errors import ConfigError


def test_settings_become_overrides() -> None:
    """--set takes any field; an option of its own wins; what was not given stays away."""
    request = RunRequest(
        settings=("mask=false", "bucket=s3://b/a=b", "on_error=fail"),
        overrides={"on_error": "skip", "output_path": None},
    )

    assert overrides_of(request) == {
        "mask": "false",
        "bucket": "s3://b/a=b",
        "on_error": "skip",
    }


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("mask", "--set = 'mask': write FIELD=VALUE"),
        ("secret=canary", "--set secret = (hidden): use the variable KADA_ATHENA_SECRET"),
        ("key=canary", "--set key = (hidden): use the variable KADA_ATHENA_KEY"),
    ],
)
def test_a_bad_setting_is_refused(setting: str, message: str) -> None:
    """Not a setting, or a secret where every user of the machine could read it."""
    with pytest.raises(ConfigError) as raised:
        overrides_of(RunRequest(settings=(setting,)))

    assert message in str(raised.value)
    assert "canary" not in str(raised.value)


def test_bad_times_are_refused_together() -> None:
    """Both ends of the window, in one message."""
    with pytest.raises(ConfigError) as raised:
        check_request(RunRequest(start_hwm="", end_hwm="2026-13-01 00:00:00"))

    assert "--start-hwm = '': write YYYY-MM-DD HH:MM:SS" in str(raised.value)
    assert "--end-hwm = '2026-13-01 00:00:00': write YYYY-MM-DD" in str(raised.value)
