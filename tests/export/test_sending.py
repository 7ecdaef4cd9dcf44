"""Events posted to a real HTTP server that takes, refuses, throttles and redirects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from kada_athena_async.errors import ConfigError, DeliveryError
from kada_athena_async.events import Event
from kada_athena_async.export.sending import post_events
from kada_athena_async.retry import RetryPolicy
from tests.export.conftest import Cli
from tests.kit.receiver import Receiver, receiving
from tests.kit.wires import closed_port

KEY = "marquez-key-31415926"
QUICK = RetryPolicy(
    deadline_s=60, wait_initial_s=0.001, throttle_wait_initial_s=0.001, wait_max_s=0.01
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(201) as server:
        server.location = f"{server.url}/elsewhere"
        yield server


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.ndjson"
    path.write_text("".join(json.dumps({"number": n}) + "\n" for n in range(450)))
    return path


def taken(receiver: Receiver) -> list[bytes]:
    """The bodies that were answered 201."""
    return [post.body for post in receiver.posts if post.status == 201]


def requests(receiver: Receiver) -> list[tuple[str, str | None]]:
    """Path and Authorization of each request."""
    return [(post.path, post.headers.get("Authorization")) for post in receiver.posts]


def numbers(receiver: Receiver) -> list[int]:
    return sorted(json.loads(body)["number"] for body in taken(receiver))


async def test_every_event_is_posted_once(receiver: Receiver, events: Path) -> None:
    """One a request, to the standard path, with the key as a bearer token."""
    report = await post_events(events, receiver.url, api_key=f" {KEY}\n")

    assert report.to_dict() == {"url": f"{receiver.url}/api/v1/lineage", "events": 450}
    assert numbers(receiver) == list(range(450))
    assert set(requests(receiver)) == {("/api/v1/lineage", f"Bearer {KEY}")}


async def test_a_path_is_kept_and_no_key_is_no_header(receiver: Receiver, events: Path) -> None:
    """Some catalogues have another path, and some need no key."""
    await post_events(events, f"{receiver.url}/openapi/lineage")

    assert set(requests(receiver)) == {("/openapi/lineage", None)}


async def test_what_passes_is_tried_again(receiver: Receiver, events: Path) -> None:
    """Throttles and server errors delay an event, they lose none and double none."""
    receiver.statuses = [503, 429, 500, 429, 502]
    told: list[Event] = []

    report = await post_events(
        events, receiver.url, rng=Random(1), policy=QUICK, notify=told.append
    )

    assert (report.events, numbers(receiver)) == (450, list(range(450)))
    assert len(told) == 5


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "OPENLINEAGE_API_KEY"), (404, "full path in --to-url"), (302, "redirects to")],
)
async def test_a_refusal_ends_it(
    status: int, remedy: str, receiver: Receiver, events: Path
) -> None:
    """The message says what to change; the key goes to no other address and is not shown."""
    receiver.statuses = [status] * 500

    with pytest.raises(DeliveryError, match=f"answered {status}") as raised:
        await post_events(events, receiver.url, api_key=KEY, policy=QUICK)

    assert remedy in raised.value.hint
    assert KEY not in str(raised.value)
    assert {path for path, _ in requests(receiver)} == {"/api/v1/lineage"}


async def test_a_server_that_stays_down_is_a_failed_delivery(events: Path) -> None:
    """Nobody listens: tried again for a while, then said with the exit code of a delivery."""
    url = f"http://127.0.0.1:{closed_port()}"

    with pytest.raises(DeliveryError, match="connection refused") as raised:
        await post_events(events, url, policy=RetryPolicy(deadline_s=0.0))

    assert raised.value.exit_code == 4


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
async def test_a_key_that_no_header_holds_is_refused_unseen(key: str, events: Path) -> None:
    """It is named by its variable only."""
    with pytest.raises(ConfigError, match="OPENLINEAGE_API_KEY") as raised:
        await post_events(events, "https://lineage.example.com", api_key=key)

    assert key not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["http://lineage.example.com", "https://user:pw@lineage.example.com", "lineage"]
)
async def test_addresses_that_a_key_must_not_go_to(url: str, events: Path) -> None:
    """Plain http off this machine, passwords in the URL, no URL at all."""
    with pytest.raises(ConfigError, match="--to-url") as raised:
        await post_events(events, url)

    assert "pw" not in str(raised.value)


def test_command_posts_the_events_of_the_run(
    receiver: Receiver, cli: Cli, extracts: Path, tmp_path: Path
) -> None:
    """The endpoint gets every line of the file, by the command; the key stays out of sight."""
    arguments = ["--to", "openlineage", "--to-url", receiver.url, "--output-path", str(extracts)]
    done = cli(*arguments, "--json", "--log-file", "log", OPENLINEAGE_API_KEY=KEY)

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["posted"]["events"] == len(taken(receiver)) > 500
    assert {key for _, key in requests(receiver)} == {f"Bearer {KEY}"}
    assert KEY not in done.stdout + done.stderr + (tmp_path / "log").read_text()

    kept = cli("--to", "openlineage", "-o", "out", "--output-path", str(extracts))
    assert kept.returncode == 0
    lines = (tmp_path / "out/openlineage.ndjson").read_bytes().splitlines()
    assert sorted(lines) == sorted(body.strip() for body in taken(receiver))


def test_command_says_when_the_key_is_refused(receiver: Receiver, cli: Cli, extracts: Path) -> None:
    """Exit code 4, and the variable to set."""
    receiver.statuses = [403] * 500
    arguments = ["--to", "openlineage", "--to-url", receiver.url, "--output-path", str(extracts)]
    done = cli(*arguments, OPENLINEAGE_API_KEY=KEY)

    assert done.returncode == 4
    assert "OPENLINEAGE_API_KEY" in done.stderr
    assert KEY not in done.stdout + done.stderr
