"""A run that never reaches AWS ends in seconds, with the address, the reason and what to check."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor
from kada_athena_async.aws.client import FIRST_CONTACT_S, FIRST_WAIT_S
from kada_athena_async.aws.sdk_session import CONNECT_TIMEOUT_S
from kada_athena_async.errors import NetworkError, RetriesExhaustedError
from kada_athena_async.events import RetryScheduled
from kada_athena_async.sandbox import Sandbox
from tests.kit.command import command
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
    """What a connection may take is more than the time for trying, so there is one attempt."""
    said: list[object] = []
    with silent_port() as port:
        made = extractor(endpoint_url=f"http://127.0.0.1:{port}", observers=[said.append])
        with pytest.raises(NetworkError, match=r"cannot be reached: timed out after 4 s"):
            await made.run()

    assert not any(isinstance(event, RetryScheduled) for event in said)
    assert CONNECT_TIMEOUT_S >= FIRST_CONTACT_S


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
    made = extractor(metadata_source="api", clock=fast_clock)
    async with made, made._connection() as connection:
        await connection.client.call("athena", "ListWorkGroups")
        sandbox.stop()
        with pytest.raises(RetriesExhaustedError, match="connection refused"):
            await connection.client.call("athena", "ListDataCatalogs")
