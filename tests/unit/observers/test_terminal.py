"""A run on a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from kada_athena_async.events import Event, RunStarted
from kada_athena_async.observers.plain import VERBOSE
from kada_athena_async.observers.redact import Redactor
from kada_athena_async.observers.terminal import TerminalPicture

STYLE_OR_CURSOR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def console(width: int = 80, **options: object) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, height=24, legacy_windows=False,
        **options,  # type: ignore[arg-type]
    )  # fmt: skip


def shown(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def frame(events: list[Event], width: int) -> list[str]:
    """The moving part after *events*, as text."""
    screen = console(width)
    observer = TerminalPicture(screen, redact=Redactor(), clock_s=lambda: 0.0)
    for event in events:
        observer(event)

    with screen.capture() as capture:
        screen.print(observer._draw())

    return STYLE_OR_CURSOR.sub("", capture.get()).splitlines()


def test_the_moving_part_shows_stage_rows_units_and_brakes(run_events: list[Event]) -> None:
    """What is going on, in four lines."""
    lines = frame(run_events[:11], width=80)

    assert "extract" in lines[0]
    assert "0/2 0.0 s" in lines[0]
    assert [line.rstrip() for line in lines[1:]] == [
        "  tables 1,200",
        "  now: metadata:a, history:b",
        "  1 query running, throttled athena:ListQueryExecutions 1x, now 2.5/s, 1 retry",
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_moving_part_fits_the_width(hostile_events: list[Event], width: int) -> None:
    """No line wraps, whatever the names: a wrapped line would not be wiped."""
    for end in range(1, len(hostile_events)):
        lines = frame(hostile_events[:end], width)

        # What was said before the capture is not part of it.
        assert all(len(line) <= width for line in lines)
        assert len(lines) <= 4

    assert width > 40 or lines[-1].endswith("…")


def test_the_end_stays_on_the_screen(run_events: list[Event]) -> None:
    """The summary is printed once the moving part is gone."""
    screen = console()
    with TerminalPicture(screen, redact=Redactor()) as observer:
        for event in run_events:
            observer(event)

    text = STYLE_OR_CURSOR.sub("", shown(screen))
    assert "committed after 3 min 20 s (14 calls" in text
    assert "1,200 rows    35 KB  athena_metadata_tables_20261123T050000Z.csv.gz" in text


def test_hostile_names_only_show_themselves(hostile_events: list[Event]) -> None:
    """What reaches the terminal are rich's own styles and cursor moves, no title, no clipboard."""
    screen = console()
    with TerminalPicture(screen, redact=Redactor(), verbosity=VERBOSE) as observer:
        for event in hostile_events:
            observer(event)

    text = STYLE_OR_CURSOR.sub("", shown(screen))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\x9b" not in text
    assert "\u202e" not in text
    assert "\nforged" not in text


def test_no_colour_when_none_is_wanted(
    run_events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR is honoured (https://no-color.org)."""
    monkeypatch.setenv("NO_COLOR", "1")
    screen = console()
    with TerminalPicture(screen, redact=Redactor()) as observer:
        for event in run_events:
            observer(event)

    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown(screen))


def test_a_run_that_is_finished_first_is_told_apart(run_events: list[Event]) -> None:
    """An interrupted run tells no end of its own: a line closes it, and figures begin anew."""
    assert isinstance(run_events[0], RunStarted)
    interrupted = replace(run_events[0], run_id="01A", is_resumed=True)
    screen = console()
    with TerminalPicture(screen, redact=Redactor()) as observer:
        for event in [interrupted, *run_events[1:-1], *run_events]:
            observer(event)

    text = STYLE_OR_CURSOR.sub("", shown(screen))
    assert text.count("run 01A is finished: 2 files, 1,200 rows") == 1
    assert text.count("committed after 3 min 20 s (14 calls, 1 throttled, 1 retry") == 1
