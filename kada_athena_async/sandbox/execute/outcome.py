"""Outcome of a statement: a result or an error, as Athena reports it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

# Athena's error catalog: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html
SYSTEM = 1
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


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryError:
    """Reason of a statement's failure.

    Attributes:
        category: 1 system, 2 user, 3 other.
        type: A number of Athena's error catalog.
        message: The text of both StateChangeReason and AthenaError.ErrorMessage.
    """

    category: int
    type: int
    message: str
    is_retryable: bool = False


class StatementFailed(Exception):
    """Carries an error from where a statement breaks to where its outcome is made."""

    def __init__(self, message: str, *, type: int = SYNTAX_ERROR, category: int = USER) -> None:
        super().__init__(message)
        self.error = QueryError(category=category, type=type, message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOutcome:
    """Result and figures of a statement, as Athena shows them.

    Attributes:
        statement_type: DDL, DML or UTILITY.
        substatement_type: Such as SELECT or SHOW_TABLES; None where it is not known.
        columns: Name and Trino type of each column.
        rows: Without a header row; values as Athena renders them, None for NULL.
        is_plain_text: True where the result is a ``.txt`` without header (DDL, UTILITY, EXPLAIN).
        update_count: How many rows the statement wrote; None where it writes none.
        error: None if the statement succeeded.
    """

    statement_type: str
    substatement_type: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    rows: list[list[str | None]]
    is_plain_text: bool = False
    scanned_bytes: int = 0
    update_count: int | None = None
    error: QueryError | None = None
