"""Output of the command line: data on stdout, messages on stderr."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from kada_athena_async.cli.invocation import (
    NO_RESUME,
    CommandLineText,
    again,
    again_for,
    corrected,
    help_page,
)
from kada_athena_async.cli.log_file import LogFile
from kada_athena_async.cli.streams import discard, write_line
from kada_athena_async.codes import ExitCode
from kada_athena_async.errors import ConfigError, KadaAthenaError
from kada_athena_async.observers import NORMAL, QUIET, VERBOSE
from kada_athena_async.observers.escaping import escape
from kada_athena_async.observers.log import log_safely, without_message

# Events, and what shows them, are loaded by what emits some: most commands look at files only.
if TYPE_CHECKING:
    from rich.console import RenderableType

    from kada_athena_async.events import Event, Observer, Warned
    from kada_athena_async.observers.jsonlines import JsonLines

# A configuration can have a problem a field, each on a line of its own.
_ERROR_LIMIT = 20_000

_NARROWEST = 60

_WIDEST = 20_000
"""Columns of what is no terminal: a pipe or a file cuts and folds nothing."""


def _now() -> datetime:
    return datetime.now(timezone.utc)


# They log the traceback of a login that fails, which is said in a sentence besides.
_LOGIN_LOGGERS = (
    "aiobotocore.credentials",
    "aiobotocore.tokens",
    "botocore.credentials",
    "botocore.tokens",
)


class Output:
    """Output of one command.

    Args:
        as_json: One JSON object a line on stdout, for programs.
        verbose, quiet: More and less on stderr.
    """

    def __init__(
        self, *, as_json: bool = False, verbose: bool = False, quiet: bool = False
    ) -> None:
        self.as_json = as_json
        self.is_verbose = verbose
        self._verbosity = VERBOSE if verbose else QUIET if quiet else NORMAL
        self._redact = CommandLineText()
        self._run_id = ""
        # Of no other command does anybody ask whether it has committed anything.
        self._is_to_commit = sys.argv[1:2] == ["run"] and not {"-h", "--help"} & {*sys.argv}
        self._committed: dict[str, None] = {}  # sites, in order; "" for the only one
        self._sites_with_parts: set[str] = set()
        self._is_delivered = False  # and not committed yet
        self._log: JsonLines | None = None
        self._is_stdout_lost = False
        self.know_secrets(())

    def know_secrets(self, secrets: tuple[str, ...]) -> None:
        """Keep *secrets* out of everything said from now on, logs included."""
        self._redact = CommandLineText(secrets)
        for name in _LOGIN_LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)

        log_safely(
            logging.getLogger(),
            sys.stderr,
            redact=self._redact,
            level=logging.WARNING,
            notify=self._log.notify if self._log else None,
        )

    def log_to(self, path: Path | None) -> None:
        """Write events, warnings, errors and log records to *path* too, as JSON lines.

        Raises:
            ConfigError: The file cannot be opened.
        """
        if path is not None:
            from kada_athena_async.observers.jsonlines import JsonLines

            file = LogFile(path, on_failure=self._complain)
            # The secrets that are known when a line is written, not those known now.
            self._log = JsonLines(file.write, redact=lambda text: self._redact(text), clock=_now)
            self.know_secrets(())

    def say(self, line: str) -> None:
        """Print a message on stderr, unless quiet was asked for."""
        if self._verbosity > QUIET:
            self._to_stderr(escape(line, limit=_ERROR_LIMIT, keep="\n"))

    def remedy(self, line: str) -> None:
        """Print the remedy of a failure; with ``-q`` too."""
        self._to_stderr(f"  try: {escape(line, limit=_ERROR_LIMIT)}")

    def data(self, facts: Mapping[str, object], *, kind: str, lines: list[str]) -> None:
        """Print the result of the command: *lines* for people, *facts* with ``--json``."""
        self._emit(kind, facts)
        for line in () if self.as_json else lines:
            self._to_stdout(self._redact(escape(line, limit=_ERROR_LIMIT)))

    def document(self, facts: object) -> None:
        """A JSON document of several lines on stdout."""
        self._to_stdout(json.dumps(facts, indent=2))

    def text(self, document: str) -> None:
        """A document of several lines on stdout, in the language that was asked for."""
        self._to_stdout(self._redact(document.rstrip("\n")))

    def clean(self, text: str, *, keep: str = "") -> str:
        """*text* without secrets and without what could move a terminal's cursor."""
        return self._redact(escape(text, limit=_ERROR_LIMIT, keep=keep))

    def picture(self, shown: RenderableType) -> None:
        """Draw on stdout, of ``clean`` texts; in colour on a terminal only."""
        from rich.console import Console

        is_terminal = _is_drawable(sys.stdout)
        console = Console(
            file=StringIO(),
            force_terminal=is_terminal,
            highlight=False,
            markup=False,
            emoji=False,
            width=_width(),
        )
        with console.capture() as capture:
            console.print(shown)

        lines = [line.rstrip() for line in capture.get().splitlines()]
        self._to_stdout("\n".join(lines))

    def warn(self, warning: Warned) -> None:
        """A warning that comes before the run has observers."""
        with self.observers() as observers:
            for observer in observers:
                observer(warning)

    def error(self, error: KadaAthenaError, *, site: str = "") -> None:
        """An expected error: what happened, what became of the run, what to try; no traceback.

        Args:
            site: Whose error it is, where there are several.
        """
        self._emit("error", {**({"site": site} if site else {}), **_facts(error)})
        whose_line = f"{escape(site)}: " if site else ""
        message = escape(error.message, limit=_ERROR_LIMIT, keep="\n")
        self._to_stderr(f"error: {whose_line}{message}")
        if not site:
            self._say_what_is_committed(error.exit_code)

        if error.hint:
            self.remedy(error.hint)
        elif not site:
            self.remedy(_next_of(error))

    def site_error(self, site: str, error: KadaAthenaError) -> None:
        """Write an error of one site for programs; people saw it when it came."""
        self._emit("error", {"site": site, **_facts(error)})

    def sites_failed(self, failed: Sequence[str], total: int, *, retry: str = "") -> None:
        """Report which of several sites failed, if any, and how to run them again.

        Args:
            retry: What to do; empty for the command that is running, for the sites that failed.
        """
        if failed:
            from kada_athena_async.observers.wording import some

            self._to_stderr(f"{len(failed):,} of {total:,} sites failed: {some(failed)}")
            self.remedy(retry or again_for(failed))

    def interrupted(self, signal_name: str) -> None:
        """A signal ended the work, which has tidied up."""
        self._emit("interrupted", {"signal": signal_name})
        if not self._is_to_commit:
            self._to_stderr(f"interrupted by {signal_name}")
            self.remedy(again())
            return

        from kada_athena_async.observers.wording import some

        sites = some([site for site in self._committed if site])
        complete = f"what was committed is complete{f' ({sites})' if sites else ''}"
        what = complete if self._committed else "nothing was committed"
        self._to_stderr(f"interrupted by {signal_name}: {what}, nothing is lost")
        next_ = "begins anew" if "--sandbox" in sys.argv else "goes on where it stopped"
        self.remedy(f"{again(without=NO_RESUME)}   ({next_})")

    def bug(self, error: Exception, *, site: str = "") -> None:
        """An unexpected error: its class and the run, never its message, which may quote SQL.

        Args:
            site: Whose error it is, where there are several.
        """
        kind = type(error).__name__
        facts = {"kind": kind, "run_id": self._run_id, "exit_code": ExitCode.FAILED}
        self._emit("error", facts)
        run = f" in run {self._run_id}" if self._run_id else ""
        where = f"{site}: " if site else ""
        self._to_stderr(f"error: {where}unexpected {kind}{run}: this is a bug of kada_athena_async")
        if not site:
            self._say_what_is_committed(ExitCode.FAILED)

        if self.is_verbose:
            self._to_stderr(without_message(error))
        else:
            self._to_stderr("  try: run again with -v and report what it prints; it holds no data")

    @contextmanager
    def observers(self, *, several: bool = False, sums_up: bool = True) -> Iterator[list[Observer]]:
        """Observers for this terminal and these options; they draw until the block ends.

        Args:
            several: True if they will receive several sites.
            sums_up: False if ``sites_failed`` says at the end how they did.
        """
        common: list[Observer] = [self._note, *self._objects()]
        if self.as_json:
            yield common
            return

        if self._verbosity == QUIET or not _is_drawable(sys.stderr):
            shown: Observer
            if several:
                from kada_athena_async.observers.sites import SiteLines

                shown = SiteLines(
                    self._to_stderr,
                    redact=self._redact,
                    verbosity=self._verbosity,
                    sums_up=sums_up,
                )
            else:
                from kada_athena_async.observers.plain import PlainLines

                shown = PlainLines(self._to_stderr, redact=self._redact, verbosity=self._verbosity)

            yield [*common, shown]
            return

        from rich.console import Console

        from kada_athena_async.observers.terminal import TerminalProgress

        console = Console(stderr=True, highlight=False)
        with TerminalProgress(
            console, redact=self._redact, verbosity=self._verbosity, sums_up=sums_up
        ) as picture:
            yield [*common, picture]

    def _note(self, event: Event) -> None:
        from kada_athena_async import events

        seen = (event.site, event.event) if isinstance(event, events.SiteEvent) else ("", event)
        site, event = seen
        match event:
            case events.RunStarted():
                self._run_id, self._is_delivered = event.run_id, False
            case events.DeliveryFinished():
                self._is_delivered = bool(self._run_id)  # else it waited since an earlier run
            case events.FileCommitted():
                self._committed[site], self._is_delivered = None, False
            case events.UnitFinished(outcome="done" | "resumed"):
                self._sites_with_parts.add(site)
            case _:
                pass

    def has_parts(self, sites: Sequence[str]) -> bool:
        """True if one of *sites* finished units, whose parts its next run finds."""
        return not self._sites_with_parts.isdisjoint(sites)

    def _say_what_is_committed(self, exit_code: ExitCode) -> None:
        if not self._is_to_commit:
            return

        is_here = exit_code == ExitCode.NOT_DELIVERED
        verdict = f"nothing {'new ' * is_here}was committed"
        if self._is_delivered:
            verdict = "the extracts are delivered; the next run moves the high-water mark"
        elif self._committed and is_here:
            verdict = "what was extracted is committed here, and not delivered"
        elif self._committed:
            verdict = "what was committed before that is complete"

        self._to_stderr(verdict)

    def _emit(self, kind: str, facts: Mapping[str, object]) -> None:
        """Write an object to all writers of JSON."""
        for log in self._objects():
            log.notify(kind, facts)

    def _objects(self) -> list[JsonLines]:
        """The writers of JSON: to stdout if that was asked for, and to the log file."""
        log = [self._log] if self._log else []
        if not self.as_json:
            return log

        from kada_athena_async.observers.jsonlines import JsonLines

        return [JsonLines(self._to_stdout, redact=self._redact, clock=_now), *log]

    def verdict(self, exit_code: int) -> int:
        """*exit_code*, or that of a failure if the command did its work but lost its result."""
        is_lost = self._is_stdout_lost and not self._is_to_commit
        return ExitCode.FAILED if is_lost and exit_code == ExitCode.OK else exit_code

    def stdout_failed(self, error: OSError) -> None:
        """Report that stdout cannot be written; a run goes on, as its extracts are files."""
        self._is_stdout_lost = True
        discard(sys.stdout)
        reason = escape(error.strerror or type(error).__name__)
        if self._is_to_commit:
            self._complain(f"stdout ends here: {reason}")
            return

        self._to_stderr(f"error: cannot write to stdout: {reason}")
        self.remedy(f"{again()}   (with another stdout, or once there is space)")

    def _to_stdout(self, lines: str) -> None:
        error = write_line(sys.stdout, lines)
        if error is not None:
            self.stdout_failed(error)

    def _complain(self, line: str) -> None:
        self._to_stderr(f"warning: {escape(line, limit=_ERROR_LIMIT)}")

    def _to_stderr(self, lines: str) -> None:
        if not _is_drawable(sys.stderr):
            write_line(sys.stderr, self._redact(lines))
            return

        from rich.console import Console

        from kada_athena_async.observers.terminal import print_line

        console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        for line in self._redact(lines).split("\n"):
            print_line(console, line)


def _facts(error: KadaAthenaError) -> dict[str, object]:
    """*error* for programs."""
    return {
        "kind": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "exit_code": error.exit_code,
    }


def _next_of(error: KadaAthenaError) -> str:
    """A command for an error that names none."""
    if isinstance(error, ConfigError):
        if error.source in ("command", "call"):
            return help_page()

        return f"{corrected()}   (once that is corrected)"

    return again(without=NO_RESUME)


def _width() -> int:
    """Columns of the terminal, or as COLUMNS says; else so many that nothing is cut."""
    if not (sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()):
        return _WIDEST

    return max(_NARROWEST, shutil.get_terminal_size((80, 24)).columns)


def _is_drawable(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"
