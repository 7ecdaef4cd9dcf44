"""The AWS client of one site: every call is paced, timed, retried by one policy, and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timezone
from email.utils import parsedate_to_datetime
from functools import partial
from random import Random
from typing import Any

import anyio
from aiobotocore.config import AioConfig
from botocore import xform_name
from botocore.exceptions import ClientError
from typing_extensions import Self

from kada_athena_async.aws.call_timeline import CallLog
from kada_athena_async.aws.error_map import check_whole, map_error
from kada_athena_async.aws.garbage_collection import frozen_while_open
from kada_athena_async.aws.network import NotConnectedError, UnreachedHosts, unreachable_error
from kada_athena_async.aws.pacing import Pacer
from kada_athena_async.aws.session import AwsSession
from kada_athena_async.codes import WarningCode
from kada_athena_async.concurrency import Clock, offload
from kada_athena_async.config import shown_url
from kada_athena_async.errors import (
    CredentialsError,
    KadaAthenaError,
    ThrottledError,
    UnavailableError,
    UnreachableError,
)
from kada_athena_async.events import (
    CallFinished,
    CallRates,
    Observer,
    RetryScheduled,
    Throttled,
    Warned,
)
from kada_athena_async.fanout import takes_calls
from kada_athena_async.retry import Retrier, RetryBudget, RetryPolicy

# Lambda-backed catalogs start cold: AWS's documentation speaks of minutes for their metadata.
ATTEMPT_TIMEOUT_S = 60.0
NOTIFY_EVERY_S = 1.0

# Nothing was ever reached: whoever waits learns it in seconds, not after the two minutes in which
# an outage passes.
FIRST_CONTACT_S = 3.0
FIRST_WAIT_S = 1.0

_RESOURCES = ("CatalogName", "WorkGroup", "Bucket")


def resource_of(parameters: Mapping[str, object]) -> str:
    """Resource of a call that can fail alone: a catalog, a workgroup, a bucket; empty if it has
    none."""
    found = next((str(parameters[name]) for name in _RESOURCES if name in parameters), "")
    context = parameters.get("QueryExecutionContext")
    catalog = context.get("Catalog", "") if isinstance(context, Mapping) else ""
    return f"{found} {catalog}" if catalog else found


class _NotConnectedError(UnavailableError):
    """Raised inside the client when no connection came about."""

    def __init__(self, operation: str, error: NotConnectedError) -> None:
        super().__init__(f"{operation}: {error.url} cannot be reached: {error.reason}")
        self.url = error.url
        self.reason = error.reason


class AwsClient:
    """Calls AWS as one account and region; use as an async context manager.

    Args:
        session: Who we are.
        pacer: How fast we may be.
        notify: Receives ``Throttled``, ``CallRates`` and ``RetryScheduled``.
        attempt_timeout_s: How long one request may take; uploads over a slow line take longer.
        unreached: Shared with clients of other sites, so that not each waits for the same host.

    Attributes:
        first_sent: Set when the first request is on its way.
        reports_rates: True to emit ``CallRates``; a run sets it after its own start.
    """

    def __init__(
        self,
        session: AwsSession,
        *,
        pacer: Pacer,
        clock: Clock,
        rng: Random,
        notify: Observer,
        policy: RetryPolicy | None = None,
        attempt_timeout_s: float = ATTEMPT_TIMEOUT_S,
        unreached: UnreachedHosts | None = None,
    ) -> None:
        self._session = session
        self._attempt_timeout_s = attempt_timeout_s
        self._pacer = pacer
        self._clock = clock
        self._rng = rng
        self._notify = notify
        self._retrier = Retrier(clock=clock, rng=rng, notify=notify, policy=policy or RetryPolicy())
        self._budgets: dict[str, RetryBudget] = {}
        self._clients: dict[str, Any] = {}
        self._announced: set[str] = set()
        self._first_sent_at: float | None = None
        self.first_sent = anyio.Event()
        self._unreached = unreached or UnreachedHosts()
        self._not_connected: dict[str, UnreachableError] = {}
        self._making = anyio.Lock()
        self._ahead: dict[str, asyncio.Task[Mapping[str, Any]]] = {}
        self._stack = AsyncExitStack()
        self._freeze: Callable[[], None] = lambda: None
        self._notified_at = clock.monotonic()
        self.reports_rates = False
        self.log = CallLog()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._freeze = stack.enter_context(frozen_while_open())
            await self._session.prepare()
            self._stack = stack.pop_all()

        return self

    async def __aexit__(self, *exc_info: object) -> None:
        # Closing connections must not be cut short, or they are left to the garbage collector.
        with anyio.move_on_after(5, shield=True):
            for task in self._ahead.values():
                task.cancel()
            await self._stack.aclose()

    def pace_by(self, pacer: Pacer) -> None:
        """Keep to *pacer* from now on, which other clients may share."""
        self._pacer = pacer

    @property
    def region(self) -> str:
        return self._session.region

    async def call(
        self, service: str, operation: str, /, *, scope: str = "", **parameters: object
    ) -> Mapping[str, Any]:
        """Call ``service:operation`` and return the SDK's answer.

        Args:
            scope: What the call is for, named in errors.

        Raises:
            CredentialsError: AWS does not accept us, even after renewing.
            NetworkError: There is no way to AWS, or what answers does not prove to be AWS.
            UnitError: Denied, not found, invalid, or retries exhausted.
        """
        if ahead := self._ahead.pop(f"{service}:{operation} {parameters}", None):
            return await ahead

        return await self._call(service, operation, scope, parameters)

    async def _call(
        self, service: str, operation: str, scope: str, parameters: Mapping[str, object]
    ) -> Mapping[str, Any]:
        name = f"{service}:{operation}"
        client = await self._client(service)
        send = getattr(client, xform_name(operation))
        attempt = partial(self._attempt_first, name, send, scope, parameters)
        return await self.retried(attempt, operation=name, resource=resource_of(parameters))

    async def retried(
        self, attempt: Callable[[], Awaitable[Mapping[str, Any]]], *, operation: str, resource: str
    ) -> Mapping[str, Any]:
        """The answer of *attempt*, which is tried again as the calls of *operation* are.

        Raises:
            RetriesExhaustedError: It failed too often.
        """
        budget = self._budgets.setdefault(operation, RetryBudget())
        return await self._retrier.call(
            attempt, operation=operation, budget=budget, resource=resource
        )

    def call_ahead(self, service: str, operation: str, scope: str, **parameters: object) -> None:
        """Begin a call; the next ``call`` with the same arguments gives its answer, or raises."""
        key = f"{service}:{operation} {parameters}"
        if key not in self._ahead:
            task = asyncio.create_task(self._call(service, operation, scope, parameters))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._ahead[key] = task

    async def _attempt_first(
        self, name: str, send: Any, scope: str, parameters: Mapping[str, object]
    ) -> Mapping[str, Any]:
        """One attempt; until the first connection to AWS, attempts for ``FIRST_CONTACT_S``.

        Raises:
            UnreachableError: There is no way to the service.
        """
        service = name.partition(":")[0]
        attempts = 0
        while True:
            attempts += 1
            try:
                return await self._attempt(name, send, scope, parameters)
            except _NotConnectedError as exc:
                if self._session.contact.is_made:
                    raise

                waited_s = self._clock.monotonic() - (self._first_sent_at or 0.0)
                if waited_s >= FIRST_CONTACT_S:
                    self._note_unreached(service, exc)
                    raise self._not_connected[service] from exc

                wait_s = self._rng.uniform(FIRST_WAIT_S / 2, FIRST_WAIT_S)
                self._notify(
                    RetryScheduled(
                        operation=name,
                        attempt=attempts,
                        wait_s=round(wait_s, 3),
                        reason=exc.message,
                    )
                )
                await self._clock.sleep(wait_s)

    def _note_unreached(self, service: str, error: _NotConnectedError) -> None:
        self._not_connected[service] = unreachable_error(error.url, error.reason)
        endpoint_url: str = self._clients[service].meta.endpoint_url
        now_s = self._clock.monotonic()
        self._unreached.note(endpoint_url, error.url, error.reason, now_s=now_s)

    def _check_contact(self, service: str) -> None:
        """Refuse a call that cannot connect: no service was ever reached, and this one was tried in
        vain, or two others were.

        Raises:
            UnreachableError: What was found of it, or of another.
        """
        if self._session.contact.is_made:
            return

        known = self._not_connected
        endpoint_url: str = self._clients[service].meta.endpoint_url
        found = known.get(service) or self._unreached.error(
            endpoint_url, now_s=self._clock.monotonic()
        )
        if found is None and len(known) > 1:
            found = next(iter(known.values()))

        if found is not None:
            raise found

    async def _attempt(
        self, name: str, send: Any, scope: str, parameters: Mapping[str, object]
    ) -> Mapping[str, Any]:
        seen = self._session.renewals
        try:
            return await self._send(name, send, scope, parameters)
        except CredentialsError as exc:
            # Only what AWS was shown can be renewed; a login that failed fails again.
            was_shown = isinstance(exc.__cause__, ClientError)
            if not was_shown or not await self._session.renew(seen):
                raise

        return await self._send(name, send, scope, parameters)

    async def _send(
        self, name: str, send: Any, scope: str, parameters: Mapping[str, object]
    ) -> Mapping[str, Any]:
        self._check_contact(name.partition(":")[0])
        if not name.startswith("s3:"):
            await self._pacer.turn(name, resource_of(parameters), follows="NextToken" in parameters)

        self._note_call(name)
        begun = self._clock.monotonic()
        try:
            answer = await self._answer(name, send, scope, parameters)
        except Exception as exc:
            self._note_end(name, begun, type(exc).__name__.lstrip("_"))
            raise

        self._note_end(name, begun)
        self._note_time(answer)
        return answer

    async def _answer(
        self, name: str, send: Any, scope: str, parameters: Mapping[str, object]
    ) -> Mapping[str, Any]:
        try:
            with anyio.fail_after(self._attempt_timeout_s):
                answer: Mapping[str, Any] = await send(**parameters)
        except KadaAthenaError:
            raise
        except NotConnectedError as exc:
            raise _NotConnectedError(name, exc) from exc
        except Exception as exc:
            error = self._session.login_error(exc) or map_error(exc, operation=name, scope=scope)
            if isinstance(error, ThrottledError):
                self._slow_down(name, resource_of(parameters) if error.is_of_source else "")

            raise error from exc

        check_whole(name, answer)
        return answer

    def _note_end(self, name: str, begun: float, error: str = "") -> None:
        if takes_calls(self._notify):
            duration_s = round(self._clock.monotonic() - begun, 6)
            self._notify(CallFinished(operation=name, duration_s=duration_s, error=error))

    def _note_call(self, name: str) -> None:
        now = self._clock.monotonic()
        if self._first_sent_at is None:
            self._first_sent_at = now
            self.first_sent.set()

        self.log.calls[name] += 1
        self.log.timeline.note_call(name, now)
        if self.log.started_at is None:
            self.log.started_at = self._clock.now()
        if self.reports_rates and now - self._notified_at >= NOTIFY_EVERY_S:
            self._notified_at = now
            allowed = {name: round(rate, 2) for name, rate in self._pacer.rates().items()}
            self._notify(CallRates(calls=dict(self.log.calls), allowed=allowed))

    def _slow_down(self, name: str, source: str) -> None:
        self.log.throttles[name] += 1
        self.log.timeline.note_throttle(name, self._clock.monotonic())
        rate = self._pacer.throttled(name, source)
        if rate is not None:
            self._notify(Throttled(operation=name, rate=round(rate, 2)))

    def _note_time(self, answer: Mapping[str, Any]) -> None:
        header = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if not header:
            return
        try:
            server_time = parsedate_to_datetime(header).astimezone(timezone.utc)
        except ValueError:
            return

        if self.log.server_time is None or server_time > self.log.server_time:
            self.log.server_time = server_time
            self.log.skew = self._clock.now() - server_time

    async def prepare(self, service: str) -> None:
        """Make what calls of *service* need, so that the first of them waits for AWS only."""
        with suppress(Exception):  # said by the first call, which tries again
            await self._client(service)

    async def _client(self, service: str) -> Any:
        if service in self._clients:
            return self._clients[service]

        async with self._making:
            if service not in self._clients:
                config = AioConfig(
                    retries={"total_max_attempts": 1},
                    user_agent_extra="kada_athena_async",
                )
                await offload(lambda: self._session.warm(service))
                self._freeze()
                manager = self._session.client(service, config)
                client = await self._stack.enter_async_context(manager)
                self._announce(client.meta.endpoint_url)
                self._clients[service] = client
                self._freeze()

        return self._clients[service]

    def _announce(self, url: str) -> None:
        """Say once if the SDK's own settings, not ours, send the calls away from AWS."""
        if url in self._announced or self._session.is_own(url):
            return

        self._announced.add(url)
        self._notify(
            Warned(
                code=WarningCode.ENDPOINT,
                message=f"the AWS settings of this machine send calls to {shown_url(url)}",
                hint="see AWS_ENDPOINT_URL and endpoint_url in ~/.aws/config",
            )
        )
