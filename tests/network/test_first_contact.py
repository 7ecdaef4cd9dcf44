"""A run that never reaches AWS ends in seconds, with the address, the reason and what to check."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor, SitesExtractor, load_sites
from kada_athena_async.aws.client import FIRST_CONTACT_S, FIRST_WAIT_S
from kada_athena_async.aws.network import UNREACHED_KEPT_S, UnreachedHosts
from kada_athena_async.aws.sdk_session import CONNECT_TIMEOUT_S
from kada_athena_async.errors import NetworkError, RetriesExhaustedError
from kada_athena_async.events import Event, RetryScheduled, SiteEvent
from kada_athena_async.sandbox import Sandbox
from tests.kit.command import command
from tests.kit.raw_aws import RawAws
from tests.kit.wires import ConnectProxy, closed_port

WHAT_TO_CHECK = "check region, HTTPS_PROXY and NO_PROXY"


@contextmanager
def silent_port() -> Iterator[int]:
    """A port whose queue is full: connections to it time out, as behind a firewall."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port: int = server.getsockname()[1]
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))

        yield port


@pytest.mark.parametrize("name", ["run", "test-connection", "plan", "doctor"])
def test_each_command_says_what_cannot_be_reached(
    sandbox: Sandbox, tmp_path: Path, name: str
) -> None:
    """Refused: exit code 3, the URL, the reason and what to check; nothing of the SDK's."""
    url = f"http://127.0.0.1:{closed_port()}"
    config = sandbox.config(tmp_path / "out", endpoint_url=url)

    code, output = command([name], config, tmp_path)

    assert f"{url} cannot be reached: connection refused" in output
    assert WHAT_TO_CHECK in output
    assert "Traceback" not in output
    assert "run again later" not in output
    assert code == 3


async def test_an_unknown_host_is_named(extractor: Callable[..., Extractor]) -> None:
    """No name, no address."""
    with pytest.raises(
        NetworkError, match=r"https://athena\.invalid cannot be reached: unknown host"
    ):
        await extractor(endpoint_url="https://athena.invalid").run()


async def test_a_firewall_is_waited_for_once(extractor: Callable[..., Extractor]) -> None:
    """A connection may take more than the time for trying, so there is one attempt."""
    said: list[object] = []
    with silent_port() as port:
        made = extractor(endpoint_url=f"http://127.0.0.1:{port}", observers=[said.append])
        with pytest.raises(NetworkError, match=r"cannot be reached: timed out after 4 s"):
            await made.run()

    assert not any(isinstance(event, RetryScheduled) for event in said)
    assert CONNECT_TIMEOUT_S >= FIRST_CONTACT_S


async def test_sites_wait_once_for_a_host_that_nobody_reaches(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second and third site say the same at once, without a try of their own."""
    monkeypatch.chdir(tmp_path)
    said: list[Event] = []
    url = f"http://127.0.0.1:{closed_port()}"
    values = sandbox.config(tmp_path / "out", endpoint_url=url, metadata_source="api", bucket="")
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**values, "sites": [{"name": name} for name in "abc"]}))

    sites = SitesExtractor(load_sites(path), at_once=1, observers=[said.append])
    report = await sites.run()

    tried = [e.site for e in said if isinstance(e, SiteEvent) and is_retry(e.event)]
    assert set(tried) == {"a"}
    reasons = [site.reason for site in report.sites]
    assert reasons == [f"{url} cannot be reached: connection refused"] * 3
    assert report.exit_code == 3


def is_retry(event: object) -> bool:
    return isinstance(event, RetryScheduled)


def test_a_host_that_nobody_reached_is_tried_again_after_a_minute() -> None:
    """A long run of many sites outlasts an outage; other hosts were never meant."""
    hosts = UnreachedHosts()
    athena = "https://athena.us-east-1.amazonaws.com"
    hosts.note(f"{athena}/", athena, "unknown host", now_s=100.0)

    assert "unknown host" in str(hosts.error(athena, now_s=100.0 + UNREACHED_KEPT_S))
    assert hosts.error(athena, now_s=101.0 + UNREACHED_KEPT_S) is None
    assert hosts.error("https://sts.us-east-1.amazonaws.com", now_s=100.0) is None


def test_the_first_contact_ends_within_ten_seconds() -> None:
    """The worst case: the last attempt begins just before the end, and times out."""
    assert FIRST_CONTACT_S + FIRST_WAIT_S + CONNECT_TIMEOUT_S < 10


async def test_a_dead_proxy_is_named(
    extractor: Callable[..., Extractor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the proxy that cannot be reached, not AWS."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://u:hush-hush@127.0.0.1:{closed_port()}")
    with pytest.raises(NetworkError) as caught:
        await extractor(endpoint_url=None, region="us-east-1").run()

    assert "the proxy http://***@127.0.0.1" in str(caught.value)
    assert "connection refused" in str(caught.value)
    assert "hush-hush" not in str(caught.value)


async def test_a_proxy_that_reaches_nobody_is_named(
    extractor: Callable[..., Extractor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """502 of a proxy is tried again as a connection that fails, and then named."""
    with ConnectProxy(1, refusal="502 Bad Gateway") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(NetworkError, match=r"the proxy http://127\S+ it answers 502"):
            await extractor(endpoint_url=None, region="us-east-1").run()

    assert len(proxy.asked) > 1


async def test_a_role_that_cannot_be_assumed_for_want_of_a_way_is_named(
    extractor: Callable[..., Extractor],
) -> None:
    """The client of STS that the SDK makes ends as ours do."""
    made = extractor(
        endpoint_url=f"http://127.0.0.1:{closed_port()}",
        role="arn:aws:iam::123456789012:role/Kada",
    )
    with pytest.raises(NetworkError, match="cannot be reached: connection refused"):
        await made.run()


async def test_a_connection_without_sts_is_tested_all_the_same(
    sandbox: Sandbox, extractor: Callable[..., Extractor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A private network may have a way to Athena alone: said, and no reason to stop."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.endpoint_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{closed_port()}")

    report = await extractor(endpoint_url=None).test_connection()

    assert report.workgroups
    assert len(report.missing) == 1
    assert re.fullmatch(r"sts: .*: who we are is not known", report.missing[0])


async def test_after_the_first_contact_an_outage_is_waited_for(
    sandbox: Sandbox, extractor: Callable[..., Extractor], fast_clock: Any
) -> None:
    """Once AWS was reached, two minutes of retries as ever."""
    async with AsyncExitStack() as stack:
        with RawAws(sandbox) as aws:
            made = extractor(endpoint_url=aws.endpoint_url, clock=fast_clock)
            await stack.enter_async_context(made)
            connection = await stack.enter_async_context(made._connection())
            await connection.client.call("athena", "ListWorkGroups")

        with pytest.raises(RetriesExhaustedError, match="connection refused"):
            await connection.client.call("athena", "ListDataCatalogs")
