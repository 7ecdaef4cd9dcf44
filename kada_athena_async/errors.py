"""Every error a user can meet, grouped by what to do next.

KadaAthenaError
├─ ConfigError            fix the configuration or the command      exit code 2
├─ AbortError             cannot start or go on, nothing committed  exit code 3
│   ├─ CredentialsError   no, wrong or expired credentials
│   ├─ NetworkError       no way to AWS, or nobody there who proves to be AWS
│   │   └─ UnreachableError  not one connection came about
│   ├─ StateError         the high-water mark or its state cannot be trusted
│   └─ LockedError        another run of the same name is going on
├─ RetryableError         tried again by retry.py, never seen by a caller
│   ├─ ThrottledError     the rate of calls is exceeded
│   └─ UnavailableError   the service or the network failed for now
├─ UnitError              this unit of work fails, the others go on exit code 1
│   ├─ AccessDeniedError  a right is missing
│   ├─ NotFoundError      the thing asked for does not exist
│   ├─ RequestError       the service refused the request as invalid
│   ├─ TooManyQueriesError  the account's active queries are used up
│   ├─ QueryFailedError   Athena ran the statement and it failed
│   ├─ DerivationError    linkages and events cannot be derived
│   ├─ ResultError        a query's result cannot be read to its end
│   └─ RetriesExhaustedError  the service did not recover in time
├─ CommitError            files could not be made durable           exit code 1
└─ DeliveryError          extracted but not delivered               exit code 4
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import ClassVar, NamedTuple

from kada_athena_async.codes import ExitCode
from kada_athena_async.redact import hide_secrets


class KadaAthenaError(Exception):
    """Root of everything this package raises on purpose.

    Args:
        message: What happened, to what; lower case, one sentence or two.
        hint: What to try next; shown on a line of its own.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  try: {self.hint}" if self.hint else self.message


class Problem(NamedTuple):
    """One thing wrong with a configuration.

    Attributes:
        key: The configuration key, as written in the file.
        value: What was found, rendered; never a secret.
        remedy: What to write instead.
    """

    key: str
    value: str
    remedy: str


class ConfigError(KadaAthenaError):
    """Raised before any call to AWS when the configuration or the command cannot be used.

    Whatever looks like a secret is taken out of its problems.
    """

    exit_code = ExitCode.USAGE

    def __init__(
        self, problems: Sequence[Problem], *, source: str = "configuration", hint: str = ""
    ) -> None:
        # Wherever a problem comes from: a secret pasted into another field is not echoed.
        self.problems = tuple(Problem(*map(hide_secrets, problem)) for problem in problems)
        self.source = source
        lines = [f"  {p.key} = {p.value}: {p.remedy}" for p in self.problems]
        noun = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(
            "\n".join([f"{len(self.problems)} {noun} in the {source}:", *lines]), hint=hint
        )


class AbortError(KadaAthenaError):
    """Raised when the run cannot start or go on at all; nothing was committed."""

    exit_code = ExitCode.CANNOT_START


class CredentialsError(AbortError):
    """Raised when AWS does not accept the credentials, or there are none."""


class NetworkError(AbortError):
    """Raised when AWS cannot be reached, or the host that answers is not proven to be AWS's."""


class UnreachableError(NetworkError):
    """Raised when not one connection to a service came about; another may be reachable."""


class StateError(AbortError):
    """Raised when a high-water mark, a state file or a manifest cannot be trusted."""


class LockedError(AbortError):
    """Raised when another run of the same name holds the lock."""


class RetryableError(KadaAthenaError):
    """Raised inside the retry loop only."""


class ThrottledError(RetryableError):
    """Raised when AWS says that we call too often, or run too many queries.

    Args:
        retry_after_s: What the service asked us to wait, in seconds; 0 if it did not say.
        is_of_source: True if not AWS's own limit is exceeded but that of a source behind it, such
            as a connector of one catalog.
    """

    def __init__(
        self, message: str, *, retry_after_s: float = 0.0, is_of_source: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_of_source = is_of_source


class UnavailableError(RetryableError):
    """Raised when a call failed for a reason that passes: 5xx, a broken connection, a timeout.

    Args:
        attempts: After how many attempts to give up; 0: as the policy says.
    """

    def __init__(self, message: str, *, attempts: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.attempts = attempts


class UnitError(KadaAthenaError):
    """Raised when one unit of work cannot be done; the others go on."""


class AccessDeniedError(UnitError):
    """Raised when a right is missing.

    Args:
        action: The IAM action, such as ``athena:ListTableMetadata``.
        scope: What it was wanted for, such as a workgroup or a catalog.
    """

    def __init__(self, message: str, *, action: str, scope: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint or f"allow {action} to the role or user of the run")
        self.action = action
        self.scope = scope


class NotFoundError(UnitError):
    """Raised when a catalog, schema, table, workgroup or object does not exist."""


class RequestError(UnitError):
    """Raised when the service refuses a request as invalid.

    Args:
        code: The service's error code, such as ``InvalidRequestException``.
    """

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class TooManyQueriesError(UnitError):
    """Raised when the account runs as many queries as it may; another must end first."""


class QueryFailedError(UnitError):
    """Raised when Athena ran one of our statements and it ended FAILED or CANCELLED.

    Args:
        query_execution_id: The failed execution.
        reason: Athena's StateChangeReason, to decide by; it may repeat values and view texts.
        redacted_reason: The reason as it may be shown: masked where masking is on.
        is_retryable: What Athena says about trying again.
    """

    def __init__(
        self,
        query_execution_id: str,
        reason: str,
        *,
        redacted_reason: str,
        is_retryable: bool = False,
        hint: str = "",
    ) -> None:
        super().__init__(f"query {query_execution_id} failed: {redacted_reason}", hint=hint)
        self.query_execution_id = query_execution_id
        self.reason = reason
        self.redacted_reason = redacted_reason
        self.is_retryable = is_retryable


class ResultError(UnitError):
    """Raised when the result of a query that succeeded cannot be read to its end."""


class DerivationError(UnitError):
    """Raised when linkages and events cannot be derived; what they come from is complete."""


class RetriesExhaustedError(UnitError):
    """Raised when a call was tried until its deadline or its retry budget ended.

    Args:
        operation: Such as ``athena:ListQueryExecutions``.
        attempts: How often it was tried.
    """

    def __init__(self, message: str, *, operation: str, attempts: int, hint: str = "") -> None:
        super().__init__(message, hint=hint or "run again later; nothing is lost")
        self.operation = operation
        self.attempts = attempts


class CommitError(KadaAthenaError):
    """Raised when files could not be made durable; what is published is untouched."""


class DeliveryError(KadaAthenaError):
    """Raised when the extracts are complete here but could not be delivered; run again."""

    exit_code = ExitCode.NOT_DELIVERED


NAMES_SHOWN = 12
"""Names that a message lists at most."""


def nearest_first(wanted: str, names: Sequence[str]) -> str:
    """*names* as a message lists them: those that look like *wanted* first, not all of many."""
    near = get_close_matches(wanted.lower(), [name.lower() for name in names], n=3)
    rank = {name: place for place, name in enumerate(near)}
    ordered = sorted(names, key=lambda name: (rank.get(name.lower(), len(rank)), name))
    rest = len(ordered) - NAMES_SHOWN
    shown = ", ".join(ordered[:NAMES_SHOWN]) or "none"
    return f"{shown} and {rest:,} more" if rest > 0 else shown
