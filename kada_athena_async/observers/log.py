"""Log records as harmless text: no secret, no SQL of an error's message, no forged line."""

from __future__ import annotations

import copy
import logging
import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TextIO

from kada_athena_async.observers.escaping import escape
from kada_athena_async.redact import Redactor

# The SDKs log signed requests and their bodies below WARNING; sqlglot logs the first 100
# characters of each statement it cannot parse at WARNING, and Azure's SDK there what it says of
# answers that reach the caller as errors.
_LEAST_LEVEL = {
    **dict.fromkeys(
        ("aioboto3", "aiobotocore", "boto3", "botocore", "s3transfer", "aiohttp", "urllib3"),
        logging.WARNING,
    ),
    **dict.fromkeys(("asyncio", "moto", "werkzeug"), logging.WARNING),
    "azure": logging.ERROR,
    "sqlglot": logging.ERROR,
}

# Logs the whole traceback of a refused role; the refusal itself reaches the caller as an error.
_SILENT = frozenset({"aiobotocore.credentials", "botocore.credentials"})

_MESSAGE_LIMIT = 4_000


class SafeFormatter(logging.Formatter):
    """Renders a record, then escapes and redacts all of it; exceptions without their messages."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        # Another handler may have left its own rendering of the traceback in the record.
        record = copy.copy(record)
        record.exc_text = None
        return self._redact(super().format(record))

    # These two names are logging's.
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        record.message = escape(record.message, limit=_MESSAGE_LIMIT)
        return super().formatMessage(record)

    def formatException(  # noqa: N802
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        return without_message(ei[1]) if ei[1] is not None else ""


def without_message(error: BaseException) -> str:
    """Class and origin of *error*, without its message, which may quote SQL."""
    frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{without_message(cause)}\n" if cause else ""
    return f"{before}{escape(frames, limit=20_000, keep=chr(10))}{type(error).__name__}"


class JsonHandler(logging.Handler):
    """Writes each record as an object, its message rendered as for people.

    Args:
        notify: Takes a name and facts, as ``JsonLines.notify``.
    """

    def __init__(self, notify: Callable[[str, Mapping[str, object]], None]) -> None:
        super().__init__()
        self._notify = notify

    def emit(self, record: logging.LogRecord) -> None:
        facts = {"level": record.levelname, "logger": record.name, "message": self.format(record)}
        self._notify("log", facts)


def log_safely(
    logger: logging.Logger,
    stream: TextIO,
    *,
    redact: Redactor,
    level: int,
    notify: Callable[[str, Mapping[str, object]], None] | None = None,
) -> None:
    """Let *logger* write to *stream* from *level* on; libraries that log much, from a higher one.

    Calling it again replaces the handlers of the call before.

    Args:
        notify: Receives each record too, as ``JsonLines.notify``.
    """
    for old in [h for h in logger.handlers if isinstance(h.formatter, SafeFormatter)]:
        logger.removeHandler(old)

    handlers: list[logging.Handler] = [logging.StreamHandler(stream)]
    handlers += [JsonHandler(notify)] if notify else []
    for handler in handlers:
        handler.setFormatter(SafeFormatter(redact))
        handler.addFilter(_lets_pass)
        logger.addHandler(handler)

    logger.setLevel(level)


def _lets_pass(record: logging.LogRecord) -> bool:
    least = _LEAST_LEVEL.get(record.name.partition(".")[0], logging.NOTSET)
    return record.levelno >= least and record.name not in _SILENT
