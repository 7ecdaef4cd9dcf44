"""Packages of another account, known by bare keys alone, are not delivered and not gone on with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.errors import CredentialsError, DeliveryError, StateError
from kada_athena_async.events import Warned
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Workgroup
from kada_athena_async.sandbox.policy import Policy
from tests.faults.world import START, WallClock, World, fields_of
from tests.kit.command import command
from tests.kit.small_estate import tiny_estate
from tests.landing.support import Bucket

OTHER = "210987654321"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Two accounts, and a bucket that both may write."""
    estates = [tiny_estate(START), tiny_estate(START, account_id=OTHER, seed=8)]
    for estate in estates:
        estate.executions.clear()
        estate.workgroups = {"primary": Workgroup(name="primary")}

    with Sandbox(estates[0]) as running:
        running.add_account(OTHER, running.region, estates[1], policy="admin")
        yield running


@pytest.fixture(scope="module")
def others(sandbox: Sandbox) -> dict[str, str]:
    """The keys of the other account."""
    policy = Policy.parse(sandbox._policy_document(OTHER, "admin"))
    key = sandbox.directory.add_user(OTHER, "stranger", policy)
    return {"key": key.access_key_id, "secret": key.secret}


@pytest.fixture
def bucket(sandbox: Sandbox, tmp_path: Path) -> Iterator[Bucket]:
    yield Bucket(sandbox, f"landing-{abs(hash(tmp_path)):x}")
    sandbox.faults.clear()


@pytest.fixture
def world(tmp_path: Path, sandbox: Sandbox) -> World:
    return World(tmp_path, sandbox, WallClock(START))


def landed(bucket: Bucket, **fields: Any) -> dict[str, Any]:
    return {"landing": {"bucket": bucket.name, "prefix": "lz/athena"}, **fields}


def check_refused(caught: pytest.ExceptionInfo[StateError], sandbox: Sandbox, what: str) -> None:
    assert caught.value.message.startswith(what)
    assert f"belongs to account {sandbox.account_id}, not {OTHER}" in caught.value.message
    assert "`name=...`" in caught.value.hint


async def test_a_package_that_waits_is_not_delivered_by_a_run_of_another_account(
    world: World, bucket: Bucket, others: dict[str, str]
) -> None:
    """Published without a landing, then run with another's keys and one: refused, nothing leaves;
    with its own keys it is delivered."""
    first = await world.run()
    before = world.mark()
    with pytest.raises(StateError) as caught:
        await world.run(**landed(bucket), **others)

    check_refused(caught, world.sandbox, f"the package {first.manifest and first.manifest.name}")
    assert bucket.names() == []
    assert world.mark() == before

    calls = Counter(world.sandbox.calls)
    await world.run(**landed(bucket))
    assert bucket.names() == world.in_sight()
    asked = Counter(world.sandbox.calls) - calls
    assert asked["sts:GetCallerIdentity"] == 1


@pytest.mark.parametrize("hwm_store", [None, "landing"])
async def test_a_package_that_waits_is_not_pushed_by_another_account(
    world: World, bucket: Bucket, others: dict[str, str], hwm_store: str | None
) -> None:
    """A mark of this machine alone or a shared one: refused, and nothing leaves."""
    first = await world.run()
    fields = landed(bucket, hwm_store=hwm_store, hwm_path=None)
    with pytest.raises(StateError) as caught:
        await world.extractor(**fields, **others).push()

    check_refused(caught, world.sandbox, f"the package {first.manifest and first.manifest.name}")
    assert bucket.names() == []
    await world.extractor(**fields).push()
    assert bucket.names() == world.in_sight()


@pytest.mark.parametrize("how", ["run", "push"])
async def test_a_commit_that_broke_off_is_not_finished_by_another_account(
    world: World, bucket: Bucket, others: dict[str, str], how: str
) -> None:
    """The landing was down, so the mark has not moved: another's keys move nothing."""
    fields = landed(bucket, hwm_store="landing", hwm_path=None)
    fault = world.sandbox.faults.add("server_error", "s3:*", where={"key": "*_databaselog_*"})
    with pytest.raises(DeliveryError):
        await world.run(**fields)

    world.sandbox.faults.clear(fault)
    before = bucket.names(), world.in_sight(), world.leftovers()
    act = world.run if how == "run" else lambda **given: world.extractor(**given).push()
    with pytest.raises(StateError) as caught:
        await act(**fields, **others)

    check_refused(caught, world.sandbox, "the unfinished")
    assert (bucket.names(), world.in_sight(), world.leftovers()) == before
    report = await world.run(**fields)
    assert report.exit_code == 0
    assert set(world.in_sight()) < set(bucket.names())


@pytest.mark.parametrize("lacking", ["*_databaselog_*", "*_manifest_*"])
async def test_a_delivery_of_another_machine_is_not_completed_by_another_account(
    world: World, bucket: Bucket, others: dict[str, str], lacking: str, tmp_path: Path
) -> None:
    """Half delivered, or all but the manifest, by a machine that is gone: nothing is added."""
    fields = landed(bucket, hwm_store="landing", hwm_path=None)
    fault = world.sandbox.faults.add("server_error", "s3:*", where={"key": lacking})
    with pytest.raises(DeliveryError):
        await world.run(**fields)

    world.sandbox.faults.clear(fault)
    before = bucket.names()
    world.out = tmp_path / "another machine"
    for act in (world.run, lambda **given: world.extractor(**given).push()):
        with pytest.raises(StateError) as caught:
            await act(**fields, **others)

        check_refused(caught, world.sandbox, "the unfinished delivery athena_manifest_")

    assert bucket.names() == before


async def test_keys_that_aws_does_not_accept_deliver_nothing_in_a_run_but_may_push(
    world: World, bucket: Bucket
) -> None:
    """Whoever has no account is no other account: a landing with keys of its own gets its files."""
    await world.run()
    expired = {"key": "AKIAGONE", "secret": "gone"}
    admin = world.sandbox.admin
    landing = {
        "bucket": bucket.name,
        "prefix": "lz/athena",
        "key": admin.access_key_id,
        "secret": admin.secret,
    }
    with pytest.raises(CredentialsError):
        await world.run(landing=landing, **expired)

    assert bucket.names() == []
    events: list[Any] = []
    await world.extractor(landing=landing, observers=[events.append], **expired).push()

    assert bucket.names() == world.in_sight()
    (warning,) = [event for event in events if isinstance(event, Warned)]
    assert warning.code == "account_unknown"
    assert "only server and Region are compared" in warning.message


def test_run_and_push_of_another_account_exit_with_3_and_say_whose_it_is(
    sandbox: Sandbox, bucket: Bucket, others: dict[str, str], tmp_path: Path
) -> None:
    """By the command line: one configuration, its keys replaced by another account's."""
    fields = fields_of(sandbox, tmp_path / "out", catalogs=["AwsDataCatalog"])
    code, said = command(["run"], fields, tmp_path)
    assert code == 0, said
    fields |= {**landed(bucket), **others}
    for verb in ("run", "push"):
        code, said = command([verb], fields, tmp_path)

        assert code == 3, said
        assert f"belongs to account {sandbox.account_id}, not {OTHER}" in said

    assert bucket.names() == []
