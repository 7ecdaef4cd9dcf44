"""A container of Azure Blob Storage as a landing; seen at Azurite."""

from __future__ import annotations

import hashlib
import secrets
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from kada_athena_async.config.landing import AzurePlace
from kada_athena_async.errors import (
    AccessDeniedError,
    CredentialsError,
    DeliveryError,
    LockedError,
    NotFoundError,
)
from kada_athena_async.events import FileDelivered, Warned
from kada_athena_async.hwm import RunState, StoredState
from kada_athena_async.landing import open_landing
from kada_athena_async.landing.hwm_stores import open_hwm_store
from tests.landing import azurite
from tests.landing.azurite import Container, Proxy
from tests.landing.support import (
    BIG,
    SMALL,
    T0,
    Deliverer,
    in_sight,
    make_package,
    make_surroundings,
)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = azurite.program()
    if isinstance(program, str):
        pytest.skip(program)

    with azurite.running(program, tmp_path_factory.mktemp("azurite")) as url:
        yield url


@pytest.fixture
def container(emulator: str) -> Container:
    return Container(emulator, f"landing-{secrets.token_hex(4)}")


@pytest.fixture
async def proxy(emulator: str) -> AsyncIterator[Proxy]:
    async with Proxy(emulator) as proxy:
        yield proxy


@pytest.fixture
def place(container: Container, proxy: Proxy) -> Callable[..., AzurePlace]:
    def make(sas: str | None = None) -> AzurePlace:
        return AzurePlace(
            account=azurite.ACCOUNT,
            container=container.name,
            prefix="lz/athena",
            sas_token=sas or container.sas(),
            endpoint_url=f"{proxy.url}/{azurite.ACCOUNT}",
        )

    return make


@pytest.fixture
def deliverer(out: Path, place: Callable[..., AzurePlace], fast_clock: Any) -> Callable[..., Any]:
    return lambda sas=None: Deliverer(out, place(sas), partial(make_surroundings, None, fast_clock))


@pytest.fixture
def push(deliverer: Callable[..., Deliverer]) -> Deliverer:
    return deliverer()


async def test_every_file_arrives_as_it_is(
    push: Deliverer, container: Container, out: Path
) -> None:
    """Byte for byte, small files and large ones, with an MD5 that K can check."""
    make_package(out, 0, {"databaselog": BIG, "users": 0, "events": 5})

    report = await push()

    assert container.names() == in_sight(out)
    for name in in_sight(out):
        data = (out / name).read_bytes()
        assert container.content(name) == data
        assert container.md5(name) == hashlib.md5(data).digest()

    assert (report.sent, report.skipped) == (4, 0)


async def test_a_repetition_sends_nothing(push: Deliverer, proxy: Proxy, out: Path) -> None:
    """Not with the journal, and not without it."""
    make_package(out, 0, {"databaselog": BIG, "users": 5})
    await push()
    proxy.calls.clear()

    await push()
    assert not proxy.calls
    (out / ".k-delivered.json").unlink()
    report = await push()

    assert (report.sent, report.skipped) == (0, 3)
    assert proxy.calls == {"Head": 1}


async def test_the_manifest_goes_last(push: Deliverer, container: Container, out: Path) -> None:
    """When it is written, all that it names lies there."""
    make_package(out, 0)
    seen: list[list[str]] = []

    def look(event: object) -> None:
        if isinstance(event, FileDelivered):
            seen.append(container.names())

    await push(notify=look)

    assert [any("manifest" in name for name in names) for names in seen] == [
        *([False] * len(SMALL)),
        True,
    ]


async def test_after_a_failure_only_what_is_missing_is_sent(
    push: Deliverer, container: Container, proxy: Proxy, out: Path
) -> None:
    """The third of five objects fails: no manifest appears, the next delivery sends the rest."""
    make_package(out, 0)
    proxy.fault = lambda operation, name, call: (
        409 if operation == "PutBlockList" and call == 3 else None
    )

    with pytest.raises(DeliveryError, match="not delivered"):
        await push(limit=1)

    there = container.names()
    assert len(there) == 2
    proxy.fault = lambda *_: None
    report = await push(limit=1)
    assert (report.sent, report.skipped) == (4, 2)
    assert not set(push.sent()) & set(there)
    assert container.names() == in_sight(out)


@pytest.mark.parametrize("fault", ["before", "after", 500, 503])
@pytest.mark.parametrize("operation", ["PutBlock", "PutBlockList", "PutBlob", "Head"])
async def test_a_broken_call_is_made_again(
    push: Deliverer,
    container: Container,
    proxy: Proxy,
    out: Path,
    operation: str,
    fault: str | int,
) -> None:
    """Broken before or after it took effect, or refused for now: the package arrives, once."""
    make_package(out, 0, {"databaselog": 9_000_000, "users": 10})
    proxy.fault = lambda found, name, call: fault if found == operation and call == 1 else None

    report = await push()

    assert report.sent == 3
    assert container.names() == in_sight(out)


async def test_a_landing_that_is_down_loses_nothing(
    push: Deliverer, container: Container, proxy: Proxy, out: Path
) -> None:
    """Exit code 4; the next delivery brings both packages, the older one first."""
    make_package(out, 0, {"users": 10})
    proxy.fault = lambda *_: "before"
    with pytest.raises(DeliveryError) as caught:
        await push()

    assert caught.value.exit_code == 4
    make_package(out, 1, {"users": 10})
    proxy.fault = lambda *_: None
    await push()
    assert container.names() == in_sight(out)
    assert [name for name in _order(push) if "manifest" in name] == [
        "k_manifest_20261101T010000Z.json",
        "k_manifest_20261101T020000Z.json",
    ]


def _order(push: Deliverer) -> list[str]:
    return [event.name for event in push.events if isinstance(event, FileDelivered)]


async def test_a_manifest_written_meanwhile_is_a_conflict(
    push: Deliverer, container: Container, out: Path
) -> None:
    """Of two writers of one name the first wins; his manifest is not touched."""
    manifest = make_package(out, 0, {"users": 10})

    def interfere(event: object) -> None:
        if isinstance(event, FileDelivered):
            container.store(manifest.name, b"faster")

    with pytest.raises(DeliveryError, match="holds another"):
        await push(notify=interfere)

    with pytest.raises(DeliveryError, match="holds another"):
        await push()

    assert container.content(manifest.name) == b"faster"


async def test_a_window_extracted_again_replaces_what_we_delivered(
    push: Deliverer, container: Container, out: Path
) -> None:
    """The manifest there is replaced on condition that it is the one that we brought."""
    make_package(out, 0, {"users": 10})
    await push()
    make_package(out, 0, {"users": 30}, run_id="again")

    await push()

    assert all(container.content(name) == (out / name).read_bytes() for name in in_sight(out))


async def test_a_cancelled_upload_leaves_nothing_in_sight(
    push: Deliverer, container: Container, proxy: Proxy, out: Path
) -> None:
    """Cancelled in the middle of a large file; the next delivery is whole."""
    make_package(out, 0, {"databaselog": BIG})
    with anyio.CancelScope() as scope:

        def cancel(operation: str, name: str, call: int) -> None:
            if operation == "PutBlock" and call == 2:
                scope.cancel()

        proxy.fault = cancel
        await push()

    assert scope.cancelled_caught
    assert container.names() == []
    proxy.fault = lambda *_: None
    await push()
    assert container.names() == in_sight(out)


def expired(container: Container) -> str:
    return container.sas(valid=timedelta(hours=-1))


def tampered(container: Container) -> str:
    return container.sas("r").replace("sp=r", "sp=rcw")


def of_another_container(container: Container) -> str:
    """A good token of somebody else."""
    url = container.account_url.removesuffix(f"/{azurite.ACCOUNT}")
    return Container(url, f"other-{secrets.token_hex(4)}").sas()


@pytest.mark.parametrize(
    ("make_token", "told"),
    [
        (expired, "it expired at"),
        (tampered, "the SAS token was refused"),
        (of_another_container, "the SAS token was refused"),
    ],
)
async def test_a_bad_token_is_refused_and_never_shown(
    deliverer: Callable[..., Deliverer],
    container: Container,
    out: Path,
    make_token: Callable[[Container], str],
    told: str,
) -> None:
    """The message says what is wrong with it; neither message nor traceback holds it."""
    make_package(out, 0, {"users": 10})
    token = make_token(container)

    with pytest.raises(DeliveryError, match=told) as caught:
        await deliverer(token)()

    shown = str(caught.value) + "".join(traceback.format_exception(caught.value))
    signature = token.partition("sig=")[2].partition("&")[0]
    assert signature
    assert signature not in shown
    assert token not in shown
    assert "KADA Support" in caught.value.hint
    assert container.names() == []


async def test_d7_a_token_past_its_own_end_is_found_without_a_call(
    deliverer: Callable[..., Deliverer], container: Container, proxy: Proxy
) -> None:
    """The token says when it ends: a look at the landing before a run asks nobody."""
    async with deliverer(expired(container)).landing() as landing:
        with pytest.raises(CredentialsError, match="cannot be used: it expired at"):
            await landing.probe("k_delivery.json")

    too_early = container.sas(begins=timedelta(hours=1), valid=timedelta(hours=2))
    async with deliverer(too_early).landing() as landing:
        with pytest.raises(CredentialsError, match="cannot be used: it begins at"):
            await landing.probe("k_delivery.json")

    async with deliverer(container.sas("r")).landing() as landing:
        with pytest.raises(AccessDeniedError, match="does not let anybody write"):
            await landing.probe("k_delivery.json")

    assert not proxy.calls
    async with deliverer().landing() as landing:
        await landing.probe("k_delivery.json")

    container.client.delete_container()
    async with deliverer().landing() as landing:
        with pytest.raises(NotFoundError, match="ContainerNotFound"):
            await landing.probe("k_delivery.json")


async def test_a_token_that_may_only_read_is_told_so(
    deliverer: Callable[..., Deliverer], container: Container, out: Path
) -> None:
    """The operation, the file and the rights that are needed are named."""
    make_package(out, 0, {"users": 10})

    with pytest.raises(DeliveryError, match=r"PutBlock is not allowed for .*users") as caught:
        await deliverer(container.sas("r"))()

    assert "read, create and write" in caught.value.hint


async def test_a_token_that_may_only_write_delivers(
    deliverer: Callable[..., Deliverer], container: Container, out: Path
) -> None:
    """Azure checks each block; that nothing can be looked at is told once."""
    make_package(out, 0, {"databaselog": BIG, "users": 10})
    push = deliverer(container.sas("cw"))

    await push()

    assert container.names() == in_sight(out)
    assert [e.code for e in push.events if isinstance(e, Warned)] == ["landing_unseen"]


async def test_a_missing_container_is_told(
    deliverer: Callable[..., Deliverer], container: Container, out: Path
) -> None:
    """It is not mistaken for an empty one."""
    make_package(out, 0, {"users": 10})
    container.client.delete_container()

    with pytest.raises(DeliveryError, match=r"does not exist \(ContainerNotFound\)"):
        await deliverer()()


async def test_of_two_writers_one_wins(push: Deliverer) -> None:
    """A cell is replaced only by who knows what it holds."""
    async with open_landing(push.place, push.around) as landing:
        assert await landing.read("mark") is None
        first = await landing.write("mark", b"1", replaces=None)
        assert first is not None
        assert await landing.write("mark", b"2", replaces=None) is None
        second = await landing.write("mark", b"2", replaces=first)
        assert await landing.write("mark", b"3", replaces=first) is None
        assert await landing.write("nothing", b"3", replaces=first) is None
        cell = await landing.read("mark")

    assert cell is not None
    assert (cell.data, cell.version) == (b"2", second)


async def test_two_runners_cannot_both_move_a_mark(
    container: Container, proxy: Proxy, place: Callable[..., AzurePlace], fast_clock: Any
) -> None:
    """The slower one is told; a lost answer to the faster one does not make it the slower."""
    around = make_surroundings(None, fast_clock)
    end = T0 + timedelta(hours=1)
    state = RunState(hwm=end, workgroups={})
    async with (
        open_hwm_store(place(), "k", around) as fast,
        open_hwm_store(place(), "k", around) as slow,
    ):
        assert await fast.read() == await slow.read() == (None, None)
        proxy.fault = lambda operation, name, call: "after" if call == 1 else None
        await fast.write(state, run_id="fast", manifest_sha256="m")
        stored = StoredState(run_id="fast", manifest_sha256="m", state=state)
        assert await fast.read() == (end, stored)

        with pytest.raises(LockedError, match="moved the high-water mark"):
            await slow.write(state, run_id="slow", manifest_sha256="m")

    assert container.content("k_hwm.txt") == b"2026-11-01 01:00:00\n"
    assert b"fast" in container.content("k_state.json")
