"""A run as a live picture on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from operator import itemgetter
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text
from typing_extensions import Self

from kada_athena_async.events import (
    DeliveryFinished,
    DeliveryStarted,
    Event,
    PlanReady,
    RunFinished,
    RunStarted,
)
from kada_athena_async.observers.picture import Picture
from kada_athena_async.observers.plain import NORMAL, VERBOSE, always, details, patience, plan_line
from kada_athena_async.observers.redact import Redactor
from kada_athena_async.observers.safe import safe
from kada_athena_async.observers.wording import (
    between,
    closing,
    counted,
    delivery,
    duration,
    opening,
)

_SHOWN_UNITS = 3
_SHOWN_THROTTLES = 2
_REFRESHES_PER_SECOND = 8


class TerminalPicture:
    """Observer that draws; use it as a context manager around the run.

    Lines that stay (warnings, failures, the end) scroll above the moving part, which is gone when
    the run is over.

    Args:
        console: Where to draw; knows about width, colour and NO_COLOR.
        clock_s: Seconds that only grow.
    """

    def __init__(
        self,
        console: Console,
        *,
        redact: Redactor,
        verbosity: int = NORMAL,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._redact = redact
        self._verbosity = verbosity
        self._clock_s = clock_s
        self._started_s = clock_s()
        self._picture = Picture()
        self._spinner = Spinner("line", style="cyan")
        self._live = Live(
            console=console,
            get_renderable=self._draw,
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
            # What goes to stdout is data and must not land among the talk.
            redirect_stdout=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        before, self._picture = self._picture, self._picture.after(event)
        for line in always(event) + patience(event):
            self._say(line, "yellow")

        if self._verbosity >= VERBOSE:
            for line in details(event):
                self._say(line, "dim")

        match event:
            case RunStarted():
                for line in [*between(before, event), opening(event)]:
                    self._say(line, "")
            case PlanReady():
                self._say(plan_line(event), "")
            case DeliveryStarted() | DeliveryFinished():
                for line in delivery(event):
                    self._say(line, "")
            case RunFinished():
                self._close(event)
            case _:
                pass

    def _close(self, event: RunFinished) -> None:
        self._live.stop()
        headline, *rest = closing(self._picture)
        self._say(headline, "bold green" if event.committed else "bold red")
        for line in rest:
            self._say(line, "")

    def _say(self, line: str, style: str) -> None:
        self._console.print(Text(self._redact(line), style=style), soft_wrap=True)

    def _draw(self) -> RenderableType:
        # Called by rich's own thread while the loop adds events: it reads copies only.
        picture = self._picture
        table = Table.grid(padding=(0, 1))
        elapsed = duration(self._clock_s() - self._started_s)
        head = Text(f"{picture.stage or 'start'}", style="bold")
        if picture.units_total:
            ended, total = picture.units_ended, picture.units_total
            bar = ProgressBar(total=total, completed=ended, width=self._bar_width())
            table.add_row(self._spinner, head, bar, Text(f"{ended:,}/{total:,} {elapsed}"))
        else:
            table.add_row(self._spinner, head, Text(elapsed))

        lines = [self._rows(), self._units(), self._brakes()]
        return Group(table, *[self._fitted(line) for line in lines if line])

    def _bar_width(self) -> int:
        return max(10, min(40, self._console.width - 40))

    def _fitted(self, line: str) -> Text:
        text = f"  {self._redact(line)}"
        return Text(text, style="dim", no_wrap=True, overflow="ellipsis")

    def _rows(self) -> str:
        rows = dict(self._picture.rows)
        return ", ".join(f"{kind.removeprefix('metadata_')} {n:,}" for kind, n in rows.items())

    def _units(self) -> str:
        running = list(self._picture.running)
        names = ", ".join(safe(unit, limit=60) for unit in running[:_SHOWN_UNITS])
        more = len(running) - _SHOWN_UNITS
        return f"now: {names}" + (f" and {more:,} more" if more > 0 else "") if running else ""

    def _brakes(self) -> str:
        throttles, rates = dict(self._picture.throttles), dict(self._picture.rates)
        worst = sorted(throttles.items(), key=itemgetter(1), reverse=True)[:_SHOWN_THROTTLES]
        words = [
            f"throttled {safe(operation, limit=60)} {n:,}x, now {rates.get(operation, 0):.2g}/s"
            for operation, n in worst
        ]
        if self._picture.active_queries:
            words.insert(0, f"{counted(len(self._picture.active_queries), 'query')} running")

        if self._picture.retries:
            words.append(counted(self._picture.retries, "retry"))

        return ", ".join(words)
