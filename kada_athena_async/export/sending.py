"""OpenLineage events to an HTTP endpoint, one a request.

https://openlineage.io/apidocs/openapi/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import aiohttp

from kada_athena_async.aws import network
from kada_athena_async.concurrency import SystemClock, map_bounded
from kada_athena_async.config import shown_url
from kada_athena_async.config.endpoint import check_endpoint
from kada_athena_async.errors import (
    ConfigError,
    DeliveryError,
    Problem,
    RetriesExhaustedError,
    ThrottledError,
    UnavailableError,
)
from kada_athena_async.events import Observer
from kada_athena_async.files.threads import in_thread
from kada_athena_async.retry import Retrier, RetryBudget, RetryPolicy

KEY_VARIABLE = "OPENLINEAGE_API_KEY"
"""Environment variable of the key, as OpenLineage's own clients read it."""

_PATH = "/api/v1/lineage"
_EVENTS_AT_ONCE = 8
_EVENTS_A_BATCH = 200
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostReport:
    """The events that an endpoint took.

    Attributes:
        url: Without what may be secret in it.
        events: How many.
    """

    url: str
    events: int

    def to_dict(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return {"url": self.url, "events": self.events}


def endpoint_of(url: str) -> str:
    """The URL that events are posted to: *url*, with the standard path if it has none.

    Raises:
        ConfigError: It is no URL that a key may be sent to.
    """
    problem = check_endpoint(url, key="--to-url")
    if problem:
        raise ConfigError([problem], source="command")

    return url if urlsplit(url).path.strip("/") else url.rstrip("/") + _PATH


def check_key(key: str) -> str:
    """*key* as it is sent, without spaces around it.

    Raises:
        ConfigError: No header can hold it.
    """
    key = key.strip()
    if re.fullmatch(r"[!-~]*", key):
        return key

    remedy = "write the key alone: printable ASCII characters on one line"
    raise ConfigError([Problem(KEY_VARIABLE, "(hidden)", remedy)], source="environment")


async def post_events(
    path: Path,
    url: str,
    *,
    api_key: str = "",
    rng: Random | None = None,
    notify: Observer = lambda event: None,
    policy: RetryPolicy | None = None,
) -> PostReport:
    """Post the events in the file *path*, in batches in the order of the file.

    Safe to repeat: a run that the endpoint knows keeps its id.

    Args:
        path: NDJSON, as ``export("openlineage", ...)`` writes it.
        url: Of the endpoint; without a path ``/api/v1/lineage`` is added.
        api_key: Sent as a bearer token; it is never shown.
        notify: Receives a ``RetryScheduled`` before each wait.

    Raises:
        ConfigError: The URL or the key cannot be used.
        DeliveryError: The endpoint did not take an event.
        NetworkError: Who answers does not prove to be the host of *url*.
    """
    endpoint, key = endpoint_of(url), check_key(api_key)
    retrier = Retrier(
        clock=SystemClock(),
        rng=rng or Random(),
        notify=notify,
        policy=policy or RetryPolicy(),
    )
    context = await in_thread(network.make_context)
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
        connector=aiohttp.TCPConnector(limit=_EVENTS_AT_ONCE, ssl=context),
    ) as session:
        poster = _Poster(session, endpoint, retrier, RetryBudget())
        lines = _lines(path)
        while batch := await in_thread(lambda: list(islice(lines, _EVENTS_A_BATCH))):
            await map_bounded(poster.post, batch, limit=_EVENTS_AT_ONCE)
            poster.sent += len(batch)

    return PostReport(url=shown_url(endpoint).strip("'"), events=poster.sent)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


@dataclass(slots=True)
class _Poster:
    """Posts events until one of them is refused for good."""

    session: aiohttp.ClientSession
    endpoint: str
    retrier: Retrier
    budget: RetryBudget
    sent: int = 0

    async def post(self, event: bytes) -> None:
        try:
            await self.retrier.call(
                partial(self._post_once, event), operation="openlineage:POST", budget=self.budget
            )
        except RetriesExhaustedError as error:
            raise self._failed(error.message, "run again when it answers") from error

    async def _post_once(self, event: bytes) -> None:
        try:
            async with self.session.post(
                self.endpoint,
                data=event,
                headers={"Content-Type": "application/json"},
                allow_redirects=False,  # the key is for this host alone
                proxy=network.proxy_for(self.endpoint),
            ) as response:
                status = response.status
                wait_s = response.headers.get("Retry-After", "")
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
            cause = getattr(error, "certificate_error", None)
            raise network.tls_error(self.endpoint, cause or error, None) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = network.reason_of(error)
            raise UnavailableError(f"{network.origin(self.endpoint)}: {reason}") from None

        self._judge(status, wait_s)

    def _judge(self, status: int, wait_s: str) -> None:
        shown = network.origin(self.endpoint)
        if status < 300:
            return

        if status == 429:
            raise ThrottledError(
                f"{shown} answered 429", retry_after_s=float(wait_s) if wait_s.isdigit() else 0.0
            )

        if status in (408, 425) or status >= 500:
            raise UnavailableError(f"{shown} answered {status}")

        if status in (401, 403):
            raise self._failed(
                f"it answered {status}", f"put a key that may write in {KEY_VARIABLE}"
            )

        if status < 400:
            raise self._failed(
                f"it answered {status}, a redirect", "name the address it redirects to in --to-url"
            )

        raise self._failed(
            f"it answered {status}", f"name the endpoint's full path in --to-url, such as {_PATH}"
        )

    def _failed(self, why: str, remedy: str) -> DeliveryError:
        return DeliveryError(
            f"{network.origin(self.endpoint)} did not take an OpenLineage event: {why}; "
            f"{self.sent} events were taken before",
            hint=f"{remedy}; events sent again change nothing",
        )
