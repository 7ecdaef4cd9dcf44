"""Output of the command line: data on stdout, messages on stderr."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from kada_athena_async.cli.invocation import NO_RESUME, CommandLineText, again
from kada_athena_async.cli.log_file import LogFile
from kada_athena_async.codes import ExitCode
from kada_athena_async.errors import KadaAthenaError
from kada_athena_async.events import Event, Observer, RunStarted, Warned
from kada_athena_async.observers.escaping import escape
from kada_athena_async.observers.jsonlines import JsonLines
from kada_athena_async.observers.log import log_safely, without_message
from kada_athena_async.observers.plain import NORMAL, QUIET, VERBOSE, PlainLines
from kada_athena_async.observers.sites import SiteLines

if TYPE_CHECKING:
    from rich.console import RenderableType

# A configuration can have a problem a field, each on a line of its own.
_ERROR_LIMIT = 20_000

_NARROWEST = 60

_WIDEST = 20_000
"""Columns of what is no terminal: a pipe or a file cuts and folds nothing."""

_STYLES = {"error:": "bold red", "failed:": "red", "warning:": "yellow"}
"""How a line begins that a person must not miss -> the colour of its first word."""


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
        self._log: JsonLines | None = None
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
            file = LogFile(path, on_failure=self._complain)
            # The secrets that are known when a line is written, not those known now.
            self._log = JsonLines(file.write, redact=lambda text: self._redact(text), clock=_now)
            self.know_secrets(())

    def say(self, line: str) -> None:
        """A line of talk, unless quiet was asked for."""
        if self._verbosity > QUIET:
            self._to_stderr(escape(line, limit=_ERROR_LIMIT, keep="\n"))

    def remedy(self, line: str) -> None:
        """Print the remedy of a failure; with ``-q`` too."""
        self._to_stderr(f"  try: {escape(line, limit=_ERROR_LIMIT)}")

    def data(self, facts: Mapping[str, object], *, kind: str, lines: list[str]) -> None:
        """Print the result of the command: *lines* for people, *facts* with ``--json``."""
        for log in self._objects():
            log.notify(kind, facts)

        if self.as_json:
            return

        for line in lines:
            _write(sys.stdout, self._redact(escape(line, limit=_ERROR_LIMIT)))

    def document(self, facts: object) -> None:
        """A JSON document of several lines on stdout."""
        _write(sys.stdout, json.dumps(facts, indent=2))

    def text(self, document: str) -> None:
        """A document of several lines on stdout, in the language that was asked for."""
        _write(sys.stdout, self._redact(document.rstrip("\n")))

    def clean(self, text: str, *, keep: str = "") -> str:
        """*text* without secrets and without what could move a terminal's cursor."""
        return self._redact(escape(text, limit=_ERROR_LIMIT, keep=keep))

    def picture(self, shown: RenderableType) -> None:
        """Something drawn on stdout, of ``clean`` texts: in colour on a terminal only."""
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
        _write(sys.stdout, "\n".join(lines))

    def warn(self, warning: Warned) -> None:
        """A warning that comes before the run has observers."""
        with self.observers() as observers:
            for observer in observers:
                observer(warning)

    def error(self, error: KadaAthenaError) -> None:
        """An expected error: what happened and what to try; no traceback."""
        facts = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
        for log in self._objects():
            log.notify("error", {**facts, "exit_code": error.exit_code})

        self._to_stderr(f"error: {escape(str(error), limit=_ERROR_LIMIT, keep=chr(10))}")

    def site_error(self, site: str, error: KadaAthenaError) -> None:
        """For programs: an error of one site; people saw it when it came."""
        facts = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
        for log in self._objects():
            log.notify("error", {"site": site, **facts, "exit_code": error.exit_code})

    def interrupted(self, signal_name: str) -> None:
        """A signal ended the work, which has tidied up."""
        for log in self._objects():
            log.notify("interrupted", {"signal": signal_name})

        self.say(f"interrupted by {signal_name}: what is published is complete, nothing is lost")
        what = "begins anew" if "--sandbox" in sys.argv else "goes on where it stopped"
        self.say(f"  try: {again(without=NO_RESUME)}   ({what})")

    def bug(self, error: Exception) -> None:
        """An unexpected error: its class and the run, never its message, which may quote SQL."""
        kind = type(error).__name__
        for log in self._objects():
            log.notify(
                "error", {"kind": kind, "run_id": self._run_id, "exit_code": ExitCode.FAILED}
            )

        run = f" in run {self._run_id}" if self._run_id else ""
        self._to_stderr(f"error: unexpected {kind}{run}: this is a bug of kada_athena_async")
        if self.is_verbose:
            self._to_stderr(without_message(error))
        else:
            self._to_stderr("  try: run again with -v and report what it prints; it holds no data")

    @contextmanager
    def observers(self, *, several: bool = False) -> Iterator[list[Observer]]:
        """The observers that fit this terminal and these options, drawing until the end.

        Args:
            several: True if they will receive several sites.
        """
        common: list[Observer] = [self._note, *self._objects()]
        if self.as_json:
            yield common
            return

        if self._verbosity == QUIET or not _is_drawable(sys.stderr):
            lines = SiteLines if several else PlainLines
            shown = lines(self._to_stderr, redact=self._redact, verbosity=self._verbosity)
            yield [*common, shown]
            return

        from rich.console import Console

        from kada_athena_async.observers.terminal import TerminalProgress

        console = Console(stderr=True, highlight=False)
        with TerminalProgress(console, redact=self._redact, verbosity=self._verbosity) as picture:
            yield [*common, picture]

    def _note(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._run_id = event.run_id

    def _objects(self) -> list[JsonLines]:
        """Whoever reads JSON: stdout if that was asked for, and the log file."""
        stdout = JsonLines(_to(sys.stdout), redact=self._redact, clock=_now)
        return [*([stdout] if self.as_json else []), *([self._log] if self._log else [])]

    def _complain(self, line: str) -> None:
        self._to_stderr(f"warning: {escape(line, limit=_ERROR_LIMIT)}")

    def _to_stderr(self, lines: str) -> None:
        if not _is_drawable(sys.stderr):
            _write(sys.stderr, self._redact(lines))
            return

        from rich.console import Console

        from kada_athena_async.observers.terminal import print_line

        console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        for line in self._redact(lines).split("\n"):
            mark = next((mark for mark in _STYLES if line.startswith(mark)), "")
            print_line(console, line, _STYLES.get(mark, ""), mark=mark)


def _to(stream: TextIO) -> Callable[[str], None]:
    return lambda line: _write(stream, line)


def _write(stream: TextIO, line: str) -> None:
    try:
        # A terminal of another encoding shows an escape instead of failing.
        encoding = stream.encoding or "utf-8"
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO):
            raise

        # Who read us has gone (`| head`, or the terminal): the run goes on, and Python's own flush
        # at exit must find an open descriptor.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _width() -> int:
    """Columns of the terminal, or as COLUMNS says; else so many that nothing is cut."""
    if not (sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()):
        return _WIDEST

    return max(_NARROWEST, shutil.get_terminal_size((80, 24)).columns)


def _is_drawable(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"
