"""Live progress of a run on a terminal."""

from __future__ import annotations

import re
import threading
import time
from math import ceil

from rich.console import Console, Group, RenderableType
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text
from typing_extensions import Self

from kada_athena_async.events import (
    Event,
    PlanReady,
    RunFinished,
    RunStarted,
    SitesFinished,
    SitesStarted,
)
from kada_athena_async.observers import NORMAL, VERBOSE
from kada_athena_async.observers.layout import Line, Screen, moving_part, sites_part
from kada_athena_async.observers.plain import (
    always,
    delivery,
    details,
    opening,
    patience,
    plan_line,
)
from kada_athena_async.observers.run_progress import RunProgress
from kada_athena_async.observers.sites import SiteLines
from kada_athena_async.observers.summary import between, closing
from kada_athena_async.redact import Redactor

# The seconds and the bars move; more often would only cost CPU.
_DRAWS_PER_SECOND = 4

_WIPE_A_ROW = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1))

_INDENT = "    "
_WIDTH_MIN = 20

_COMMAND = re.compile(
    r"  try: (?:\S*kada-athena-async|\S+ -m kada_athena_async|aws|chmod|export|pip) "
)
"""A line to be copied: the terminal may wrap it, we may not."""

# A site's name may stand before; names have no colon and no blank.
_ALARMS = (
    (re.compile(r"error:|(?:\S+: )?(?:failed\b|nothing was committed)"), "bold red"),
    (re.compile(r"[\d,]+ of [\d,]+ sites failed"), "bold red"),
    (re.compile(r"(?:\S+: )?(?:warning:|skipped:)|interrupted\b"), "yellow"),
)
"""Begin of a line that must not be missed -> its colour."""


class TerminalProgress:
    """Observer that draws; use it as a context manager around the run.

    Lines that stay (warnings, failures, the end) scroll above the moving part, which is gone when
    the run is over.

    Args:
        console: Where to draw; knows about width, colour and NO_COLOR.
        sums_up: False if somebody else says at the end how several sites did.
    """

    def __init__(
        self,
        console: Console,
        *,
        redact: Redactor,
        verbosity: int = NORMAL,
        sums_up: bool = True,
    ) -> None:
        self._sums_up = sums_up
        self._console = console
        self._redact = redact
        self._verbosity = verbosity
        self._progress = RunProgress(begun_s=time.monotonic())
        self._adding = threading.Lock()
        self._sites: SiteLines | None = None
        self._drawn_widths: list[int] = []
        self._live = Live(
            console=console,
            get_renderable=self._draw,
            refresh_per_second=_DRAWS_PER_SECOND,
            transient=True,
            vertical_overflow="crop",
            # What goes to stdout is data and must not land among the talk.
            redirect_stdout=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        if isinstance(event, SitesStarted):
            self._sites = SiteLines(
                self._say_plainly,
                redact=self._redact,
                verbosity=self._verbosity,
                has_progress=True,
                width=max(_WIDTH_MIN, self._console.width),
                sums_up=self._sums_up,
            )

        if self._sites is not None:
            self._show_sites(self._sites, event)
            return

        with self._adding:
            before, self._progress = self._progress, self._progress.after(event, time.monotonic())

        for line in always(event) + patience(event):
            self._say(line, "yellow")

        for line in details(event) if self._verbosity >= VERBOSE else []:
            self._say(line, "dim")

        if isinstance(event, RunFinished):
            self._close(event)
            return

        for line in self._milestones(event, before):
            self._say(line, "")

    def _milestones(self, event: Event, before: RunProgress) -> list[str]:
        match event:
            case RunStarted():
                return [*between(before, event), opening(event)]
            case PlanReady():
                return [plan_line(event)]
            case _:
                return delivery(event)

    def _show_sites(self, sites: SiteLines, event: Event) -> None:
        with self._adding:
            sites.note(event)

        if isinstance(event, SitesFinished):
            self._live.stop()

        sites.notify(event)

    def _say_plainly(self, lines: str) -> None:
        for line in lines.split("\n"):
            self._say(line, "")

    def _close(self, event: RunFinished) -> None:
        self._live.stop()
        headline, *rest = closing(self._progress, width=max(_WIDTH_MIN, self._console.width))
        self._say(headline, "bold red" if event.exit_code else "bold green")
        for line in rest:
            self._say(line, "")

    def _say(self, line: str, style: str) -> None:
        # A frame that rich's own thread draws between the wiping and the line would stay.
        with self._live._lock:
            print_line(self._console, self._redact(line), style)

    def _draw(self) -> RenderableType:
        # Called by rich's own thread, while the loop adds events.
        console = self._console
        # Room for the ^C that a terminal shows at the cursor: a line that wraps is not wiped.
        screen = Screen(max(1, console.width - len("^C") - 1), console.height, console.encoding)
        now_s = time.monotonic()
        with self._adding:
            if self._sites is not None:
                lines = sites_part(self._sites.sites, screen, now_s)
            else:
                lines = moving_part(self._progress, screen, now_s)

        # rich wipes as many rows as it drew; lines that wrap in a window that became narrower, the
        # cursor being in the last of them, take more.
        wrapped = sum(max(1, ceil(cells / console.width)) - 1 for cells in self._drawn_widths)
        if wrapped:
            console.control(Control(ControlType.CARRIAGE_RETURN, *(_WIPE_A_ROW * wrapped)))

        texts = [self._text(line) for line in lines]
        self._drawn_widths = [text.cell_len for text in texts]
        return Group(*texts)

    def _text(self, line: Line) -> Text:
        pieces = [(self._redact(piece.text), piece.style) for piece in line]
        return Text.assemble(*pieces, no_wrap=True, overflow="crop")


def print_line(console: Console, line: str, style: str = "") -> None:
    """Print a line, wrapped between words; a command to be copied stays whole.

    Args:
        style: Of the whole line; empty to colour its first words, if they say that something went
            wrong.
    """
    encoding = console.encoding
    shown = line.encode(encoding, "backslashreplace").decode(encoding)
    text = Text(shown, style)
    for pattern, colour in () if style else _ALARMS:
        if found := pattern.match(shown):
            text.stylize(colour, 0, found.end())

    width = console.width
    if _COMMAND.match(line) or text.cell_len <= width:
        console.print(text, soft_wrap=True)
        return

    # What goes on in the next line is set in, so that no name can pass for a line of its own.
    first, *rest = text.wrap(console, max(_WIDTH_MIN, width - len(_INDENT)))
    console.print(first, *(Text(_INDENT) + part for part in rest), sep="\n")
