"""Faults on demand: which call goes wrong, and how."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from typing import Literal, cast, get_args

from kada_athena_async.errors import ConfigError, Problem

FaultKind = Literal[
    "throttle",
    "too_many_requests",
    "server_error",
    "reset_before",
    "reset_after",
    "truncate",
    "empty_body",
    "hang",
    "slow",
    "expired",
    "access_denied",
    "error",
    "metadata_exception",
    "failed_query",
    "slow_query",
    "poison_table",
    "unprocessed",
    "expired_page_token",
    "short_page",
]
KINDS: tuple[str, ...] = get_args(FaultKind)

# Kinds that do not strike a call but what a call is about: a query as it starts, or one id of a
# batch. Their operation is fixed, so that no pattern for calls counts them.
QUERY = "query"
BATCHED_ID = "batched id"
FIXED_OPERATIONS: Mapping[str, str] = {
    "failed_query": QUERY,
    "slow_query": QUERY,
    "poison_table": QUERY,
    "unprocessed": BATCHED_ID,
}

# What a fault may look at; a misspelt one would never strike.
FACTS = frozenset(
    {
        "workgroup",
        "catalog",
        "schema",
        "table",
        "query_execution_id",
        "query",
        "role",
        "bucket",
        "key",
        "account_id",
        "region",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: How:
            throttle: ThrottlingException (S3: SlowDown);
            too_many_requests: TooManyRequestsException, the limit of active queries;
            server_error: HTTP 500;
            reset_before, reset_after: the connection is reset, before or after the call took
                effect;
            truncate: the reply's body is cut off in the middle;
            empty_body: a reply without a body;
            hang: nothing for `seconds` (0: until the sandbox stops), then a reset;
            slow: the right answer, `seconds` later;
            expired: the credentials are refused as expired;
            access_denied: refused as if the right were missing;
            error: the error `code` with `message`;
            metadata_exception: a broken metastore, text in `message`;
            failed_query: a query ends FAILED with `message`, `category`, `type`, `retryable`;
            slow_query: a query takes `seconds` longer;
            poison_table: a statement on ``information_schema.columns`` that reaches the table
            of `where` ends FAILED, as one with lost Iceberg metadata does in Athena;
            unprocessed: ids of BatchGetQueryExecution come back unprocessed with `code`;
            expired_page_token: a call that continues with a token is refused;
            short_page: a page has `size` items at most (0: an empty page with a token).
        operation: Pattern such as ``athena:ListQueryExecutions``, ``athena:*`` or ``s3:*``;
            fixed for the kinds that strike a query or an id of a batch.
        calls: Which matching calls, counted from 1 since the fault was added; empty: each.
        probability: Of striking a matching call, drawn from the sandbox's seed.
        times: How often it strikes at most; None: without end.
        where: Facts of the call that must match, as patterns; FACTS has their names.
    """

    kind: FaultKind
    operation: str = "*"
    calls: tuple[int, ...] = ()
    probability: float = 1.0
    times: int | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    size: int = 0
    code: str = ""
    message: str = ""
    status: int = 400
    category: int = 2
    type: int = 1
    retryable: bool = False

    def matches(self, operation: str, facts: Mapping[str, str]) -> bool:
        if operation in (QUERY, BATCHED_ID):
            is_meant = self.operation == operation
        else:
            is_meant = fnmatchcase(operation, self.operation)

        return is_meant and all(
            fnmatchcase(facts.get(name, "").lower(), pattern.lower())
            for name, pattern in self.where.items()
        )


class Faults:
    """The faults in force; tests add and clear them while the sandbox runs."""

    def __init__(self, *, seed: int) -> None:
        self._random = random.Random(seed)
        self._guard = threading.Lock()
        self._numbers = count(1)
        self._faults: dict[int, Fault] = {}
        self._matched: dict[int, int] = {}
        self._struck: dict[int, int] = {}

    def add(self, kind: FaultKind, operation: str | None = None, **fields: object) -> int:
        """Puts a fault in force; its number, for `clear` and `struck`.

        Args:
            kind: See `Fault`.
            operation: The calls it strikes; each operation where None.
            fields: The other fields of `Fault`.

        Raises:
            ConfigError: There is no such kind or field.
        """
        if kind not in KINDS:
            raise _refused("kind", kind, f"one of {', '.join(KINDS)}")

        calls = fields.get("calls")
        if isinstance(calls, int):
            fields["calls"] = (calls,)
        elif isinstance(calls, list):
            fields["calls"] = tuple(calls)

        if unknown := set(cast("Mapping[str, str]", fields.get("where") or {})) - FACTS:
            raise _refused("where", sorted(unknown), f"use only {sorted(FACTS)}")

        chosen = FIXED_OPERATIONS.get(kind, operation or "*")
        try:
            fault = Fault(kind=kind, operation=chosen, **fields)  # type: ignore[arg-type]
        except TypeError as error:
            raise _refused("fields", sorted(fields), str(error)) from error

        with self._guard:
            number = next(self._numbers)
            self._faults[number] = fault

        return number

    def clear(self, number: int | None = None) -> None:
        """Lifts one fault, or all of them."""
        with self._guard:
            if number is None:
                self._faults.clear()
            else:
                self._faults.pop(number, None)

    def struck(self, number: int) -> int:
        """Number of times that the fault has struck, also after it was cleared."""
        return self._struck.get(number, 0)

    def in_force(self) -> dict[int, Fault]:
        """The faults by number."""
        with self._guard:
            return dict(self._faults)

    def strike(self, operation: str, facts: Mapping[str, str]) -> list[Fault]:
        """The faults that strike this call, in the order they were added; counts them."""
        if not self._faults:
            return []

        with self._guard:
            return [
                fault
                for number, fault in self._faults.items()
                if fault.matches(operation, facts) and self._strikes(number, fault)
            ]

    def _strikes(self, number: int, fault: Fault) -> bool:
        call = self._matched[number] = self._matched.get(number, 0) + 1
        struck = self._struck.get(number, 0)
        if fault.calls and call not in fault.calls:
            return False

        if fault.times is not None and struck >= fault.times:
            return False

        if fault.probability < 1.0 and self._random.random() >= fault.probability:
            return False

        self._struck[number] = struck + 1
        return True


def parse_kind(value: object) -> FaultKind:
    """*value* as a kind; `Faults.add` refuses the unknown ones."""
    return cast("FaultKind", str(value))


def _refused(key: str, value: object, remedy: str) -> ConfigError:
    return ConfigError([Problem(key, repr(value), remedy)], source="fault of the sandbox")
