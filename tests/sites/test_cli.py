"""The commands where the configuration lists sites, in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.records import KINDS
from tests.kit.command import ROOT, Done, run_command, start_command
from tests.sites.world import DENY_ALL, SitesWorld


@pytest.fixture
def command(world: SitesWorld) -> Callable[..., list[Any]]:
    """A function that starts a command in the world's directory."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        **{k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")},
        "HOME": str(world.path),
        "PYTHONPATH": str(ROOT),
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def make(*arguments: str) -> dict[str, Any]:
        return {
            "arguments": arguments,
            "cwd": world.path,
            "env": environment,
        }

    return make


@pytest.fixture
def cli(command: Callable[..., Any]) -> Callable[..., Done]:
    """Runs a command to its end."""

    def run(*arguments: str) -> Done:
        return run_command(**command(*arguments))

    return run


def objects(done: Done) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_push_takes_the_sites_that_have_a_landing(
    world: SitesWorld, cli: Callable[..., Done]
) -> None:
    """The others have nothing that waits, and have not failed; without any landing all have."""
    world.add("delivered", 300_000_000_001, "eu-west-1", landing=world.path.as_uri())
    world.add("kept", 300_000_000_002, "eu-west-1")
    world.write()

    assert (cli("push", "-q").returncode, cli("push", "-q", "--site", "kept").returncode) == (0, 2)


def test_run_extracts_all_sites_and_says_which_failed(
    world: SitesWorld, cli: Callable[..., Done]
) -> None:
    """A line a site, the reason and what to try; the good ones are committed, exit code 1."""
    names = world.fill(2)
    world.add("denied", 300_000_000_001, "eu-west-1", policy=DENY_ALL)
    world.write()

    done = cli("run")

    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "3 sites, 3 at a time" in done.stderr
    assert "site_000: committed after" in done.stderr
    assert "denied: failed after" in done.stderr
    assert "try: allow athena:ListDataCatalogs to the role or user of the run" in done.stderr
    assert "2 of 3 sites good" in done.stderr
    assert "failed:\n  denied: athena:ListDataCatalogs is not allowed" in done.stderr
    assert done.stderr.endswith("run --site denied\n"), "no part of it is finished"
    for name in names:
        world.check(name)


def test_json_says_of_each_line_which_site_it_is_about(
    world: SitesWorld, cli: Callable[..., Done]
) -> None:
    """Events while it runs, a report for each site at the end; --site picks by pattern."""
    world.fill(3)
    world.write()

    done = cli("run", "--json", "--site", "site_00[02]", "--sites-at-once", "1")

    found = objects(done)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert found[0]["sites"] == ["site_000", "site_002"]
    assert found[0]["at_once"] == 1
    assert {o["site"] for o in found if o["event"] == "unit_finished"} == {"site_000", "site_002"}
    reports = [o for o in found if o["event"] == "report"]
    assert [(o["site"], o["exit_code"]) for o in reports] == [("site_000", 0), ("site_002", 0)]
    assert all(o["report"]["committed"] for o in reports)
    assert found.index(reports[0]) == len(found) - 2
    world.check_absent("site_001")


def test_a_site_that_is_not_listed(world: SitesWorld, cli: Callable[..., Done]) -> None:
    """Exit code 2 and those that are; so is a mark file for several sites."""
    world.fill(2)
    world.write()

    unknown, mark = cli("run", "--site", "nowhere"), cli("run", "--hwm-path", "x.txt")

    assert unknown.returncode == mark.returncode == 2
    assert '--site = "nowhere": name one of site_000, site_001' in unknown.stderr
    assert "--hwm-path = 'x.txt': each site keeps its own high-water mark" in mark.stderr


def test_test_connection_looks_at_every_site(world: SitesWorld, cli: Callable[..., Done]) -> None:
    """The identity in each, and what is missing where; exit code 1 if something is."""
    world.fill(1)
    world.add("denied", 300_000_000_001, "eu-west-1", policy=DENY_ALL)
    world.write()

    done = cli("test-connection")
    as_json = cli("test-connection", "--json", "--site", "site_000")

    assert done.returncode == 1, done.stderr
    assert "site_000: arn:aws:sts::200000000000:assumed-role/" in done.stdout
    assert "in eu-west-1; missing: athena:ListWorkGroups is not allowed" in done.stdout
    last = done.stderr.splitlines()[-1]
    assert last.endswith(" doctor   (prints the policy that grants what is missing)")
    assert as_json.returncode == 0
    (connection,) = [o for o in objects(as_json) if o["event"] == "connection"]
    assert (connection["site"], connection["account"]) == ("site_000", "200000000000")


def test_a_landing_that_is_down_for_one_site_costs_only_its_delivery(
    world: SitesWorld, cli: Callable[..., Done]
) -> None:
    """Exit code 4, found before that site is asked; its next run brings its package."""
    names = world.fill(2)
    for name in names:
        (world.path / name).mkdir()
        world.fields[name]["landing"] = (world.path / name).as_uri()

    (world.path / names[1]).rmdir()
    (world.path / names[1]).write_text("in the way")
    world.write()

    run = cli("run")
    marks = [world.mark(name) is not None for name in names]
    (world.path / names[1]).unlink()
    (world.path / names[1]).mkdir()
    later = cli("run", "--site", names[1])

    assert run.returncode == 4, run.stderr
    assert "site_001: failed after" in run.stderr
    assert marks == [True, False]
    assert later.returncode == 0, later.stderr
    for name in names:
        landed = [path.name for path in (world.path / name).iterdir() if path.name[0] != "."]
        assert len([file for file in landed if file.endswith(".csv.gz")]) == len(KINDS)
        assert len([file for file in landed if "_manifest_" in file]) == 1
        assert all(file.startswith(f"athena-{name}_") for file in landed)


@pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")
def test_a_signal_ends_all_sites_tidily(world: SitesWorld, command: Callable[..., Any]) -> None:
    """Exit code 143, nothing half-written in sight, and the next run commits every site."""
    names = world.fill(3)
    world.write()
    world.sandbox.faults.add("slow", "athena:BatchGetQueryExecution", seconds=30)
    with start_command(
        **command("run", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if '"plan_ready"' in line:
                process.send_signal(signal.SIGTERM)
                break

        process.communicate(timeout=200)

    seen = [path.name for path in world.out.iterdir() if path.name[0] != "."]
    world.sandbox.faults.clear()
    again = run_command(**command("run"))

    assert process.returncode == 143
    assert seen == []
    assert again.returncode == 0, again.stderr
    for name in names:
        world.check(name)


NOBODY = "arn:aws:iam::300000000002:role/Nobody"


@pytest.mark.parametrize("typed", ["plan", "doctor"])
def test_a_site_in_trouble_does_not_hide_the_others_next_runs(
    world: SitesWorld, cli: Callable[..., Done], typed: str
) -> None:
    """It is named with what to do; the others' tables are shown, whether they stand before it."""
    world.add("broken", 300_000_000_002, "eu-west-1", role=NOBODY)
    names = world.fill(2)
    world.write()

    done = cli(typed)
    as_json = cli(typed, "--json")

    assert done.returncode == 1, done.stderr
    for name in names:
        assert f"site {name}, " in done.stdout
        assert name in {o.get("site") for o in objects(as_json) if o["event"] == typed}

    assert NOBODY in (done.stderr if typed == "plan" else done.stdout)
    verdict, retry = done.stderr.splitlines()[-2:]
    assert verdict == "1 of 3 sites failed: broken"
    assert retry.endswith(f" {typed} --site broken")
    assert "0 calls" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("typed", [("show",), ("report", "-q")])
def test_a_site_without_extracts_does_not_hide_those_of_the_others(
    world: SitesWorld, cli: Callable[..., Done], typed: tuple[str, ...]
) -> None:
    """The first of three has none: the others are shown, and the exit code says that one failed."""
    world.add("late", 300_000_000_002, "eu-west-1")
    names = world.fill(2)
    world.write()
    cli("run", *(word for name in names for word in ("--site", name)))

    done = cli(*typed)

    assert done.returncode == 1
    first, remedy, verdict, last = done.stderr.splitlines()[-4:]
    assert first.startswith("error: late: there are no extracts of 'athena-late' in")
    assert remedy.endswith(" run --site late   (extracts it first)")
    assert verdict == "1 of 3 sites failed: late"
    assert last == remedy
    is_page = typed[0] == "report"  # one of all sites
    shown = Path(done.stdout.strip()).read_text("utf-8") if is_page else done.stdout
    for name in names:
        assert name in shown


def test_a_mark_that_cannot_be_read_does_not_hide_the_others(
    world: SitesWorld, cli: Callable[..., Done]
) -> None:
    """`hwm show` goes on past a site whose mark is junk."""
    first, second = world.fill(2)
    world.write()
    (world.path / f"athena-{first}_hwm.txt").write_text("last tuesday")
    (world.path / f"athena-{second}_hwm.txt").write_text("2026-01-01 00:00:00\n")

    done = cli("hwm", "show")

    assert done.returncode == 1
    assert done.stdout == f"{second}: 2026-01-01 00:00:00\n"
    assert f"error: {first}: " in done.stderr
    assert "cannot be used" in done.stderr
    assert f"1 of 2 sites failed: {first}" in done.stderr


def test_quiet_ends_with_the_verdict_over_all_sites_and_what_to_type(
    world: SitesWorld, cli: Callable[..., Done]
) -> None:
    """And nothing else but the site that failed."""
    world.add("denied", 300_000_000_001, "eu-west-1", policy=DENY_ALL)
    world.fill(1)
    world.write()

    done = cli("run", "-q")

    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert lines[0].startswith("denied: failed after")
    assert lines[-3].startswith("1 of 2 sites good after")
    assert lines[-2] == "nothing was committed for denied"
    assert "run -q --site denied" in lines[-1]
    assert "committed after" not in done.stderr


def test_a_site_that_takes_longer_than_it_may_has_failed(
    world: SitesWorld, cli: Callable[..., Done]
) -> None:
    """However long the others wait for their turn."""
    hanging, *_ = world.fill(1)
    where = {"account_id": world.handles[hanging].account_id}
    world.sandbox.faults.add("hang", "athena:*", where=where, seconds=60)
    world.write()

    done = cli("run", "--site-minutes", "0.03")

    assert done.returncode == 1
    assert f"{hanging}: failed after" in done.stderr
    assert "not finished within 1.8 s, the time limit of a site" in done.stderr
