"""The one retry policy: what is tried again, how long we wait, when we stop.

SDK retries are off, so that attempts never multiply. Waits are "full jitter" (a uniform share of
an exponentially growing cap), which spreads callers that failed together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from kada_athena_async.concurrency import Clock
from kada_athena_async.errors import (
    RetriesExhaustedError,
    RetryableError,
    ThrottledError,
    UnavailableError,
)
from kada_athena_async.events import Observer, RetryScheduled

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Limits of one logical call.

    Attributes:
        deadline_s: No attempt begins later than this after the first, for failures that pass.
        throttle_deadline_s: The same while the service only says that we are too fast: pacing
            has slowed down already, and a throttling episode of the metadata APIs was seen to
            last 25 s and to clear after 20 s of quiet.
        wait_initial_s, throttle_wait_initial_s: Cap of the first wait.
        wait_max_s: Cap of any wait.
    """

    deadline_s: float = 120.0
    throttle_deadline_s: float = 600.0
    wait_initial_s: float = 0.2
    throttle_wait_initial_s: float = 1.0
    wait_max_s: float = 20.0


CHECK_POLICY = RetryPolicy(deadline_s=15.0)
"""Of `test-connection` and `doctor`: a person waits for them. A run tries longer."""


class RetryBudget:
    """Retries that all calls of one operation may spend together.

    A retry costs 5 and a success earns 1, as in the SDKs' standard mode; so a service that is
    down is not hammered by a thousand callers with ten tries each. Throttles are free: they are
    paced.

    What can be down by itself (a catalog, a workgroup, a bucket) may spend a quarter of what is
    left when its failures begin. So there is always something left for the others, and the whole
    has a bound.
    """

    CAPACITY = 2000
    RETRY_COST = 5
    SHARE = 4

    def __init__(self) -> None:
        self.tokens = self.CAPACITY
        self._left: dict[str, int] = {}

    def spend(self, resource: str = "") -> bool:
        """Take the price of a retry of a call on *resource*; False if there is not enough left."""
        left = self._left.setdefault(resource, self.tokens // self.SHARE)
        if min(left, self.tokens) < self.RETRY_COST:
            return False

        self._left[resource] = left - self.RETRY_COST
        self.tokens -= self.RETRY_COST
        return True

    def earn(self, resource: str = "") -> None:
        """Note a success of a call on *resource*."""
        self.tokens = min(self.CAPACITY, self.tokens + 1)
        left = self._left.pop(resource, None)
        if left is not None and left + 1 < self.tokens // self.SHARE:
            self._left[resource] = left + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrier:
    """Applies the policy to calls.

    Attributes:
        notify: Receives a ``RetryScheduled`` before each wait.
    """

    clock: Clock
    rng: Random
    notify: Observer
    policy: RetryPolicy = RetryPolicy()

    async def call(
        self,
        function: Callable[[], Awaitable[ResultT]],
        *,
        operation: str,
        budget: RetryBudget,
        resource: str = "",
    ) -> ResultT:
        """Await ``function()`` until it succeeds or fails for good.

        Args:
            resource: What of the operation's resources it asks, see ``RetryBudget``.

        Raises:
            RetriesExhaustedError: The deadline passed or the budget is empty.
            KadaAthenaError: Whatever *function* raises that is not a ``RetryableError``.
        """
        begun = self.clock.monotonic()

        def is_over(state: RetryCallState) -> bool:
            elapsed_s = self.clock.monotonic() - begun
            return self._is_over(state, elapsed_s) or not (
                isinstance(_error_of(state), ThrottledError) or budget.spend(resource)
            )

        async def announce(state: RetryCallState) -> None:
            self.notify(
                RetryScheduled(
                    operation=operation,
                    attempt=state.attempt_number,
                    wait_s=round(state.upcoming_sleep, 3),
                    reason=_error_of(state).message,
                )
            )

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(RetryableError),
            stop=is_over,
            wait=self._wait_s,
            before_sleep=announce,
            sleep=self.clock.sleep,
            reraise=True,
        )
        try:
            result: ResultT = await retrying(function)
        except RetryableError as exc:
            attempts = retrying.statistics.get("attempt_number", 1)
            times = "time" if attempts == 1 else "times"
            said = exc.message.removeprefix(f"{operation}: ")
            raise RetriesExhaustedError(
                f"{operation} was tried {attempts} {times} and still failed: {said}",
                operation=operation,
                attempts=attempts,
                hint=exc.hint,
            ) from exc

        budget.earn(resource)
        return result

    def _is_over(self, state: RetryCallState, elapsed_s: float) -> bool:
        """True if the deadline has passed, or a source that is down was asked often enough."""
        error = _error_of(state)
        if isinstance(error, ThrottledError):
            return elapsed_s > self.policy.throttle_deadline_s

        most = error.attempts if isinstance(error, UnavailableError) else 0
        return bool(most and state.attempt_number >= most) or elapsed_s > self.policy.deadline_s

    def _wait_s(self, state: RetryCallState) -> float:
        error = _error_of(state)
        is_throttled = isinstance(error, ThrottledError)
        initial_s = (
            self.policy.throttle_wait_initial_s if is_throttled else self.policy.wait_initial_s
        )
        cap_s = min(self.policy.wait_max_s, initial_s * 2.0 ** (state.attempt_number - 1))
        asked_s = error.retry_after_s if isinstance(error, ThrottledError) else 0.0
        return max(asked_s, self.rng.uniform(0, cap_s))


def _error_of(state: RetryCallState) -> RetryableError:
    """The error of the attempt that just failed."""
    if state.outcome is None:
        raise AssertionError("unreachable: asked before an attempt ended")

    error = state.outcome.exception()
    if isinstance(error, RetryableError):
        return error

    raise AssertionError("unreachable: only retryable errors are retried")
