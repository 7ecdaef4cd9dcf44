"""The command against a sandbox: from nothing to extracts, twice, in words and in JSON."""

from __future__ import annotations

import csv
import gzip
import json
import os
import stat
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from kada_athena_async.records import KINDS
from kada_athena_async.sandbox import Sandbox
from tests.acceptance.conftest import Cli, in_sight
from tests.kit.command import ROOT, run_command, start_command
from tests.kit.disks import Mount, fill, small_disk

__all__ = ["small_disk"]


def rows_of(path: Path, kind: str) -> list[dict[str, str]]:
    """Every row of a kind, over all runs."""
    rows: list[dict[str, str]] = []
    for file in sorted(path.glob(f"athena_{kind}_*.csv.gz")):
        with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
            rows += csv.DictReader(text)

    return rows


def test_one_command_shows_it_all(cli: Cli, tmp_path: Path) -> None:
    """`run --sandbox` needs nothing, extracts every kind, and says where it lies and what next.

    Each is a new world and leaves one set of extracts; an empty folder is ours, as one that found
    no space leaves it.
    """
    (tmp_path / "kada-sandbox").mkdir()
    before = cli("run", "--sandbox", "-q", "--set", "workgroups=primary")
    earlier = in_sight(tmp_path / "kada-sandbox" / "extracts")
    done = cli("run", "--sandbox")

    assert (before.returncode, done.returncode) == (0, 0), before.stderr + done.stderr
    assert len(earlier) == len(KINDS) + 1
    assert done.stdout == ""
    assert "committed after" in done.stderr
    assert f"  extracts  {tmp_path}/kada-sandbox/extracts" in done.stderr
    assert f"high-water mark: {tmp_path}/kada-sandbox/athena_hwm.txt" in done.stderr
    assert "what to try next:" in done.stderr
    names = in_sight(tmp_path / "kada-sandbox" / "extracts")
    assert [n for n in names if n.endswith(".json")] == [n for n in names if "_manifest_" in n]
    kinds = [n.removeprefix("athena_").rpartition("_")[0] for n in names]
    assert sorted(kinds) == sorted([*KINDS, "manifest"])
    assert len(rows_of(tmp_path / "kada-sandbox" / "extracts", "databaselog")) > 1000
    assert (tmp_path / "kada-sandbox" / "athena_hwm.txt").exists()


def test_the_demonstration_empties_no_folder_of_the_users(cli: Cli, tmp_path: Path) -> None:
    """A folder of that name that we did not make is left alone."""
    (tmp_path / "kada-sandbox").mkdir()
    (tmp_path / "kada-sandbox" / "thesis.txt").write_text("mine")

    done = cli("run", "--sandbox")

    assert done.returncode == 2
    assert "not ours to empty; move it away or run elsewhere" in done.stderr
    assert (tmp_path / "kada-sandbox" / "thesis.txt").read_text() == "mine"


def test_the_demonstration_names_a_full_disk(tmp_path: Path, small_disk: Mount) -> None:
    """It says so before anything starts."""
    place = small_disk("work", size="64k")
    fill(place)
    full = run_command(["run", "--sandbox"], cwd=place, env={**os.environ, "PYTHONPATH": str(ROOT)})

    assert full.returncode == 1
    assert f"error: no space left for {place}/kada-sandbox" in full.stderr


def test_the_second_run_holds_only_news(
    cli: Cli, configure: Callable[..., Path], sandbox: Sandbox, tmp_path: Path
) -> None:
    """The mark moves with each run, and no execution comes twice."""
    configure()
    middle = f"{sandbox.now() - timedelta(days=10):%Y-%m-%d %H:%M:%S}"
    first = cli("run", "--end-hwm", middle, "-q")
    second = cli("run")
    shown = cli("hwm", "show")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    ids = [row["query_id"] for row in rows_of(tmp_path / "output", "databaselog")]
    assert len(ids) == len(set(ids))
    assert len(ids) > 100
    assert f": {middle} to {shown.stdout.strip()} UTC" in second.stderr


def test_json_tells_each_event_and_the_report(cli: Cli, configure: Callable[..., Path]) -> None:
    """A program reads objects on stdout, the report last; stderr stays silent."""
    configure()

    done = cli("run", "--json", "--set", "metadata_source=api")

    objects = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [o["event"] for o in objects]
    assert done.stderr == ""
    assert kinds[0] == "run_started"
    assert kinds[-2:] == ["run_finished", "report"]
    assert objects[-1]["committed"] is True
    assert {file["kind"] for file in objects[-1]["files"]} >= set(KINDS)


@pytest.mark.skipif(os.name != "posix", reason="closes a POSIX pipe")
def test_a_reader_that_leaves_does_not_stop_the_run(
    configure: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    """`run --json | head -1` commits all the same, without a word about the pipe."""
    configure()
    with start_command(
        ["run", "--json"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        process.stdout.close()
        said = process.stderr.read()

    assert first["event"] == "run_started"
    assert (process.returncode, said) == (0, "")
    assert in_sight(tmp_path / "output")


def test_no_secret_is_said_or_written(
    cli: Cli, configure: Callable[..., Path], sandbox: Sandbox, tmp_path: Path
) -> None:
    """Neither on the terminal nor in any file but the user's own configuration."""
    configure(role=sandbox.role_arn)

    done = cli("run", "-v")

    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    for secret in (sandbox.secret_access_key, sandbox.access_key_id):
        assert secret not in said
        for path in tmp_path.rglob("*"):
            if path.is_file() and path.name != "kada_athena_extractor_config.json":
                data = path.read_bytes()
                text = gzip.decompress(data) if path.suffix == ".gz" else data
                assert secret.encode() not in text


def test_extracts_are_for_their_owner_only(
    cli: Cli, configure: Callable[..., Path], tmp_path: Path
) -> None:
    """Query texts are personal: nobody else on the machine can read them."""
    configure()
    cli("run", "-q")

    modes = {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "output").glob("athena_*")}
    assert modes == {0o600}


def test_a_readable_secret_is_pointed_out(cli: Cli, configure: Callable[..., Path]) -> None:
    """Before the run, with the command that mends it."""
    configure().chmod(0o644)

    done = cli("run", "-q")

    assert done.returncode == 0
    assert "others on this machine can read it" in done.stderr
    assert "try: chmod 600" in done.stderr


def test_the_environment_alone_is_enough(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """A container needs no file."""
    values = sandbox.config(tmp_path / "output", catalogs="AwsDataCatalog", mask="true")
    variables = {f"KADA_ATHENA_{k.upper()}": str(v) for k, v in values.items()}

    done = cli("run", "-q", **variables)

    assert (done.returncode, done.stderr) == (0, "")
    assert in_sight(tmp_path / "output")


def test_the_connection_is_tested_without_a_trace(
    cli: Cli, configure: Callable[..., Path], sandbox: Sandbox, tmp_path: Path
) -> None:
    """It tells who we are and writes nothing."""
    configure()

    done = cli("test-connection")

    assert done.returncode == 0, done.stderr
    assert sandbox.account_id in done.stdout
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("source", ["sql", "api", "auto"])
def test_every_metadata_source_runs(
    cli: Cli, configure: Callable[..., Path], tmp_path: Path, source: str
) -> None:
    """The option chooses, and each finds the same tables."""
    configure()

    done = cli("run", "-q", "--metadata-source", source)

    assert done.returncode == 0, done.stderr
    assert len(rows_of(tmp_path / "output", "metadata_tables")) > 20


def test_the_schema_is_printed(cli: Cli) -> None:
    """For editors: JSON on stdout."""
    schema = json.loads(cli("config", "schema").stdout)

    assert "bucket" in schema["properties"]


def test_h17_settings_that_send_calls_elsewhere_are_warned_of_once(
    sandbox: Sandbox, tmp_path: Path, cli: Cli
) -> None:
    """Athena, the landing and the mark each open a connection of their own."""
    fields = sandbox.config(tmp_path / "out", metadata_source="api", catalogs=["AwsDataCatalog"])
    fields.pop("endpoint_url")
    bucket = str(fields["bucket"]).removeprefix("s3://").partition("/")[0]
    fields |= {"landing": f"s3://{bucket}/landing", "hwm_store": "landing"}
    (tmp_path / "config.json").write_text(json.dumps(fields))
    (tmp_path / "config.json").chmod(0o600)

    done = cli("run", "-c", "config.json", AWS_ENDPOINT_URL=sandbox.endpoint_url)

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("the AWS settings of this machine send calls to") == 1, done.stderr
