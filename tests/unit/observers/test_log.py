"""Log records carry no secret, no SQL of an error and no forged line."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from kada_athena_async.observers.log import log_safely
from kada_athena_async.redact import Redactor


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Lines of the root logger, which is left as it was."""
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    log_safely(root, stream, redact=Redactor(["canary-secret"]), level=logging.DEBUG)
    yield stream
    root.handlers[:], root.level = handlers, level


def test_redaction_comes_after_rendering(stream: io.StringIO) -> None:
    """A secret is found wherever it came from: message, argument, or both together."""
    logging.getLogger("kada_athena_async.x").info("canary-%s and %s", "secret", ["canary-secret"])

    assert "kada_athena_async.x: *** and ['***']" in stream.getvalue()


def test_an_exceptions_message_stays_away(stream: io.StringIO) -> None:
    """Class and place are logged, for each exception of the chain; messages may quote SQL."""
    literal = "-".join(("SELECT canary", "literal"))
    try:
        try:
            raise KeyError(literal)
        except KeyError as error:
            raise ValueError(literal) from error
    except ValueError:
        logging.getLogger("kada_athena_async").exception("failed")

    text = stream.getvalue()
    assert "canary-literal" not in text
    assert text.index("KeyError\n") < text.index("ValueError\n")
    assert "test_log.py" in text


def test_a_line_cannot_be_forged(stream: io.StringIO) -> None:
    """A line break or escape in a name stays inside its line."""
    logging.getLogger("kada_athena_async").warning("table %s", "x\n2026 INFO all is well\x1b[1A")

    assert stream.getvalue().count("\n") == 1
    assert r"table x\n2026 INFO all is well\x1b[1A" in stream.getvalue()


def test_other_libraries_only_warn(stream: io.StringIO) -> None:
    """Below WARNING the SDK logs signed requests; sqlglot's warnings quote SQL."""
    logging.getLogger("botocore.auth").debug("Authorization: x")
    logging.getLogger("botocore.auth").info("x")
    logging.getLogger("sqlglot").warning("contains unsupported syntax SELECT 'x'")
    logging.getLogger("botocore.credentials").error("refused", exc_info=True)
    assert stream.getvalue() == ""

    logging.getLogger("botocore.auth").warning("clock skew")
    assert "clock skew" in stream.getvalue()


def test_calling_it_again_does_not_double_the_lines(stream: io.StringIO) -> None:
    """The vendor's get_generic_logger may be called by every module."""
    again = io.StringIO()
    log_safely(logging.getLogger(), again, redact=Redactor(), level=logging.INFO)
    logging.getLogger("kada_athena_async").info("once")

    assert (stream.getvalue(), again.getvalue().count("once")) == ("", 1)
