"""A run on a terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from threading import Thread
from typing import Any

import pytest
from rich.console import Console
from rich.segment import Segment

from kada_athena_async.events import Event, RunStarted
from kada_athena_async.observers import VERBOSE
from kada_athena_async.observers.terminal import TerminalProgress, print_line
from kada_athena_async.redact import Redactor

STYLE_OR_CURSOR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def console(width: int = 80, **options: object) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, height=24, legacy_windows=False,
        **options,  # type: ignore[arg-type]
    )  # fmt: skip


def shown(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_the_end_stays_on_the_screen(run_events: list[Event]) -> None:
    """The summary is printed once the moving part is gone."""
    screen = console()
    with TerminalProgress(screen, redact=Redactor()) as observer:
        for event in run_events:
            observer(event)

    text = STYLE_OR_CURSOR.sub("", shown(screen))
    assert "committed after 3 min 20 s (14 calls" in text
    assert "1,200  metadata_tables      34 KB" in text


class Asking(Console):
    """A console that asks, while a line is on its way, if another thread could draw a frame."""

    may_draw: Callable[[], bool] | None = None

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        if self.may_draw is not None and "of work" in str(renderable):
            answers: list[bool] = []
            other = Thread(target=lambda ask=self.may_draw: answers.append(ask()))
            other.start()
            other.join()
            self.answers = [*getattr(self, "answers", []), *answers]
        return super().render(renderable, options)


def test_no_frame_is_drawn_while_a_line_is_on_its_way(run_events: list[Event]) -> None:
    """It would stay on the screen: the line has wiped the frame before it."""
    screen = Asking(file=io.StringIO(), force_terminal=True, width=80, height=24)
    with TerminalProgress(screen, redact=Redactor()) as observer:
        lock = observer._live._lock

        def may_draw() -> bool:
            is_free = lock.acquire(blocking=False)
            if is_free:
                lock.release()
            return is_free

        screen.may_draw = may_draw
        for event in run_events:
            observer(event)

    assert set(screen.answers) == {False}


def test_hostile_names_only_show_themselves(hostile_events: list[Event]) -> None:
    """Only rich's own styles and cursor moves reach the terminal, no title, no clipboard."""
    screen = console()
    with TerminalProgress(screen, redact=Redactor(), verbosity=VERBOSE) as observer:
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
    with TerminalProgress(screen, redact=Redactor()) as observer:
        for event in run_events:
            observer(event)

    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown(screen))


def test_a_run_that_is_finished_first_is_told_apart(run_events: list[Event]) -> None:
    """An interrupted run tells no end of its own: a line closes it, and figures begin anew."""
    assert isinstance(run_events[0], RunStarted)
    interrupted = replace(run_events[0], run_id="01A", is_resumed=True)
    screen = console()
    with TerminalProgress(screen, redact=Redactor()) as observer:
        for event in [interrupted, *run_events[1:-1], *run_events]:
            observer(event)

    text = STYLE_OR_CURSOR.sub("", shown(screen))
    assert text.count("run 01A is finished: 2 files, 1,200 rows") == 1
    assert text.count("committed after 3 min 20 s (14 calls, 1 throttled, 1 retry") == 1


@pytest.mark.parametrize(
    ("line", "style"),
    [
        ("error: no such role", "1;31"),
        ("au: failed after 3.0 s (1 of 2): no such role", "1;31"),
        ("nothing was committed", "1;31"),
        ("3 of 1,200 sites failed: a, b, c", "1;31"),
        ("au: warning: the clock is wrong", "33"),
        ("skipped: catalog/x: denied", "33"),
        ("interrupted by SIGTERM: nothing was committed", "33"),
    ],
)
def test_what_nobody_must_miss_has_a_colour(line: str, style: str) -> None:
    """Of one site or of many; a line that only tells something has none."""
    screen = console(width=120)
    print_line(screen, line)
    print_line(screen, "committed after 3 s, no error: failed 0")

    alarm, plain = shown(screen).splitlines()
    assert alarm.startswith(f"\x1b[{style}m")
    assert "\x1b" not in plain


def test_advice_is_wrapped_between_words_and_a_command_never() -> None:
    """A text to be pasted stays one line, however narrow the terminal is."""
    screen = console(width=40)
    print_line(screen, "  try: check key and secret, profile, role and the clock of this machine")
    command = "  try: .venv/bin/kada-athena-async run -c config.json --site prod_au --site prod_eu"
    print_line(screen, command)

    *advice, last = shown(screen).splitlines()
    assert last == command
    assert " ".join(part.strip() for part in advice).endswith("the clock of this machine")
    assert all(len(part) <= 40 for part in advice)
