"""The vendor's names, for scripts without an event loop: thin calls of the async engine.

The caller keeps the high-water mark, as in the vendor's wrapper script: `get_hwm`, then
`Extractor.run`, then `publish_hwm`. A run that could not commit raises, so that the script ends
before it moves the HWM.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TypeVar, cast

import anyio
from anyio.from_thread import start_blocking_portal
from typing_extensions import Unpack

from kada_athena_async import config as _config
from kada_athena_async.config.landing import plain_place, plain_value
from kada_athena_async.engine import Extractor as AsyncExtractor
from kada_athena_async.errors import ConfigError, Problem, UnitError
from kada_athena_async.files import Files
from kada_athena_async.hwm.formats import format_hwm
from kada_athena_async.hwm.store import FileHwmStore
from kada_athena_async.hwm.times import parse_time, refusal_of_mark
from kada_athena_async.hwm.window import RETENTION, refuse_future, whole_second
from kada_athena_async.observers.log import log_safely
from kada_athena_async.observers.logger import LoggedLines
from kada_athena_async.redact import Redactor
from kada_athena_async.report import ConnectionReport, RunReport

__all__ = ["Extractor", "get_generic_logger", "get_hwm", "load_config", "publish_hwm"]

T = TypeVar("T")

# Without a configuration at hand the default of `settle_seconds` holds.
_SETTLE = timedelta(seconds=60)


DEFAULT_NAME = "athena"


class Hwm(str):
    """A time of a window, as text, that knows whose HWM it comes from.

    The vendor's wrapper names its instance only where it reads and publishes the HWM; so the name
    goes to ``Extractor.run`` with the times.
    """

    instance: str

    def __new__(cls, text: str, *, instance: str) -> Hwm:
        """The text *text* of the HWM of *instance*."""
        hwm = super().__new__(cls, text)
        hwm.instance = instance
        return hwm

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, str]]:
        """Arguments that make it anew, for ``copy`` and ``pickle``."""
        return (str(self),), {"instance": self.instance}


class Extractor:
    """The vendor's extractor: made of the configuration's fields, called without ``await``.

    Progress is logged at INFO by the logger ``kada_athena_async``, warnings at WARNING, failures
    at ERROR.

    Args:
        name: Name of the instance, the first part of the file names; if empty, the one whose HWM
            ``run`` is given, as ``get_hwm(name)`` returned it, else ``athena``.
        fields: Those of the configuration.

    Raises:
        ConfigError: With everything that is wrong with *fields*, or *name* names no file.
    """

    def __init__(self, *, name: str = "", **fields: Unpack[_config.ConfigFields]) -> None:
        self._config = _config.make_config(fields)
        self._name = _config.check_name(name) if name else ""
        self._texts: dict[str, str] = {}
        self._extractor = self._make(self._name or DEFAULT_NAME)

    def _make(self, name: str) -> AsyncExtractor:
        redact = Redactor(_config.known_secrets(self._config))
        lines = LoggedLines(logging.getLogger(__package__), redact=redact)
        extractor = AsyncExtractor(self._config, observers=[lines], name=name)
        for statement, text in self._texts.items():
            extractor.overwrite_sql(statement, text)

        return extractor

    def test_connection(self) -> ConnectionReport:
        """Log in to AWS and look whether Athena answers.

        Raises:
            CredentialsError: AWS does not accept who we say we are.
            UnitError: Athena does not let us in.
        """
        return _run(self._extractor.test_connection)

    def run(
        self,
        start_hwm: datetime | str | None = None,
        end_hwm: datetime | str | None = None,
        *,
        again: bool = False,
    ) -> RunReport:
        """Extract the window into ``output_path``; every HWM is left to the caller.

        Args:
            start_hwm, end_hwm: As ``get_hwm`` returns them: these also say whose window it is.
            again: Extract the packages in the window once more; each must lie in it whole.

        Raises:
            ConfigError: The HWM is another instance's.
            UnitError: Something could not be read, so nothing was committed.
            KadaAthenaError: As the async ``Extractor.run``.
        """
        self._adopt_name(start_hwm, end_hwm)
        report = _run(
            lambda: self._extractor.run(
                start_hwm=start_hwm, end_hwm=end_hwm, again=again, manage_hwm=False
            )
        )
        if report.exit_code:
            raise _failure(report)

        return report

    def _adopt_name(self, *times: datetime | str | None) -> None:
        """Take the name of the instance from the HWMs, for the wrapper gives it nowhere else."""
        names = {time.instance for time in times if isinstance(time, Hwm)}
        wrong = sorted(names - {self._name}) if self._name else sorted(names)[1:]
        if wrong:
            own = self._name or min(names)
            problem = Problem(
                "start_hwm", wrong[0], f"this is the high-water mark of {wrong[0]}, not {own}"
            )
            raise ConfigError([problem], source="call")

        if names and not self._name:
            self._name = names.pop()
            self._extractor = self._make(self._name)

    def list_sql(self) -> list[str]:
        """The names of the statements that the extractor sends."""
        return self._extractor.list_sql()

    def get_sql(self, name: str) -> str:
        """The text of the statement *name*."""
        return self._extractor.get_sql(name)

    def overwrite_sql(self, name: str, statement: str) -> None:
        """Send *statement* instead of the statement *name*.

        Raises:
            ConfigError: It lacks a placeholder or a column of the original.
        """
        self._extractor.overwrite_sql(name, statement)
        self._texts[name] = statement


def load_config(path: str | Path) -> _config.ConfigFields:
    """The fields of a configuration file, checked, for ``Extractor(**load_config(path))``.

    Plain strings, lists, numbers and booleans, the secrets among them: do not log it. The
    environment (``KADA_ATHENA_<FIELD>``) wins over the file.

    Raises:
        ConfigError: With all problems at once.
    """
    config = _config.load_config(path)
    for warning in _config.config_warnings(path, config):
        logging.getLogger(__package__).warning("%s; try: %s", warning.message, warning.hint)

    secrets = {name: plain_value(getattr(config, name)) for name in ("key", "secret")}
    places = {name: plain_place(getattr(config, name)) for name in ("landing", "hwm_store")}
    fields = {**config.model_dump(mode="json"), **secrets, **places}
    return cast("_config.ConfigFields", fields)


def get_hwm(
    name: str, file_path: str | Path | None = None, *, now: datetime | None = None
) -> tuple[str, str]:
    """The window of the next run: from the HWM, or as far back as Athena remembers, until now.

    Args:
        file_path: The HWM's file, or the directory of ``<name>_hwm.txt``; the working directory
            if None.
        now: The present, for tests and replays.

    Returns:
        Start and end as ``YYYY-MM-DD HH:MM:SS`` in UTC, which also know *name*; the end is a
        minute ago, so that all that ended before it is visible.

    Raises:
        StateError: The HWM cannot be read or lies in the future.
    """
    now = now or datetime.now(timezone.utc)
    hwm, _ = _run(_store(name, file_path).read)
    end = whole_second(now - _SETTLE)
    refuse_future(hwm, now)
    start = whole_second(now - RETENTION) if hwm is None else min(hwm, end)
    return Hwm(format_hwm(start), instance=name), Hwm(format_hwm(end), instance=name)


def publish_hwm(
    name: str,
    date: datetime | str,
    file_path: str | Path | None = None,
    *,
    now: datetime | None = None,
) -> None:
    """Set the HWM; durable on return.

    Args:
        date: A text that ``parse_time`` reads, such as ``YYYY-MM-DD HH:MM:SS`` in UTC, or a
            datetime (a naive one is UTC).
        file_path, now: As for `get_hwm`.

    Raises:
        ConfigError: *date* is no such time, lies in the future, or before 1970.
        CommitError: The file system refuses.
    """
    now = now or datetime.now(timezone.utc)
    mark = _mark(date, now)
    if remedy := refusal_of_mark(mark, now=now):
        raise ConfigError([Problem("date", f"{date!s:.80}", remedy)], source="call")

    store = _store(name, file_path)
    _run(lambda: store.publish(mark))


def get_generic_logger(name: str) -> logging.Logger:
    """The logger *name*, writing to stderr from INFO on, with secrets taken out.

    The SDK's records come from WARNING on. Calling it again changes nothing.
    """
    logger = logging.getLogger(name)
    redact = Redactor(_config.known_secrets(None))
    log_safely(logger, sys.stderr, redact=redact, level=logging.INFO)
    return logger


def _mark(date: datetime | str, now: datetime) -> datetime:
    if isinstance(date, datetime):
        return whole_second(date)

    try:
        return parse_time(date, now=now)
    except ValueError as error:
        raise ConfigError([Problem("date", ascii(date), str(error))], source="call") from None


def _store(name: str, file_path: str | Path | None) -> FileHwmStore:
    file = f"{_config.check_name(name)}_hwm.txt"
    path = Path(file_path) if file_path is not None else Path(file)
    return FileHwmStore(path / file if path.is_dir() else path, Files())


def _failure(report: RunReport) -> UnitError:
    bad = report.failed
    first = f"; the first: {bad[0].unit_id}: {bad[0].reason}" if bad else ""
    return UnitError(
        f"{len(bad)} of {len(report.outcomes)} units of work failed, nothing was committed{first}",
        hint=report.hint or "run again, finished parts are kept",
    )


def _run(work: Callable[[], Awaitable[T]]) -> T:
    """The result of *work*; inside a running event loop it works in a thread of its own.

    Such a loop stands still meanwhile, as with any call that is not awaited: a flow that calls a
    plain function expects no less. Ctrl-C cancels the work and waits until it has tidied up.
    """
    # Asked so, not by an exception: it would stand first in the traceback of whatever goes wrong.
    if asyncio._get_running_loop() is None:
        return anyio.run(work)

    with start_blocking_portal() as portal:
        return portal.call(work)
