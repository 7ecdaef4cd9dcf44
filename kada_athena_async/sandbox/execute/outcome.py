"""Outcome of a statement: a result or an error, as Athena reports it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from kada_athena_async.sandbox.estate.kinds import UNKNOWN, Kind
from kada_athena_async.sandbox.estate.model import Failure

# Athena's error catalog: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html
USER = 2
ENGINE_ERROR = 200
METASTORE_ERROR = 204
DATA_ERROR = 1001
SYNTAX_ERROR = 1006
NOT_FOUND = 1301


class Position(NamedTuple):
    """Line and column in a statement; both count from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}:{self.column}"


START = Position(1, 1)


class StatementFailed(Exception):
    """Carries an error from where a statement breaks to where its outcome is made."""

    def __init__(self, message: str, *, type: int = SYNTAX_ERROR) -> None:
        super().__init__(message)
        self.failure = Failure(USER, type, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOutcome:
    """Result and figures of a statement, as Athena shows them.

    Attributes:
        columns: Name and Trino type of each column.
        rows: Without a header row; values as Athena renders them, None for NULL.
        update_count: How many rows the statement wrote; None where it writes none.
        error: None if the statement succeeded.
    """

    kind: Kind = UNKNOWN
    columns: tuple[tuple[str, str], ...] = ()
    rows: list[list[str | None]] = field(default_factory=list)
    scanned_bytes: int = 0
    update_count: int | None = None
    error: Failure | None = None
