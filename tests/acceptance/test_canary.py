"""Canaries: the secrets planted in the sandbox come out of no door of the product."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.sentinels import EMAIL, SENTINEL_SECRETS
from tests.acceptance.conftest import Cli, in_sight

MESSAGE = f"INVALID_CAST_ARGUMENT: line 3:7: Cannot cast '{EMAIL}' to bigint"


def everything_below(folder: Path, config: Path) -> dict[str, str]:
    """The content of each file, but of the configuration, which holds its own secret."""
    files = (path for path in folder.rglob("*") if path.is_file() and path != config)
    return {str(path.relative_to(folder)): path.read_text("utf-8", "replace") for path in files}


# The stack of the thread that takes the signal: to walk those of threads that run may crash anew.
WITH_A_DUMP = (
    "import faulthandler, runpy; faulthandler.enable(all_threads=False); "
    "runpy.run_module('kada_athena_async', run_name='__main__', alter_sys=True)"
)


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
def test_no_planted_secret_leaves_by_any_door(
    cli: Cli,
    environment: dict[str, str],
    configure: Callable[..., Path],
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    """Neither a crash and what it leaves, nor streams, logs and files of later runs hold one.

    The secrets stand in statements, comments, views and messages of others' queries, and in the
    message with which Athena ends queries of our own; the access key is one too.
    """
    config = configure(compress=False)
    secret = sandbox.config(tmp_path)["secret"]
    table = next(iter(sandbox.estate.catalogs["AwsDataCatalog"].schemas["sales"].tables))
    where = {"catalog": "awsdatacatalog", "schema": "sales", "table": table}
    sandbox.faults.add("poison_table", where=where, message=MESSAGE)
    # The last that a run asks: it goes on until the signal comes, however late that is.
    hanging = sandbox.faults.add("hang", "athena:GetWorkGroup", seconds=60)
    crashing = subprocess.Popen(
        [sys.executable, "-c", WITH_A_DUMP, "run", "--json"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert crashing.stdout is not None
    told = []
    for line in crashing.stdout:
        told.append(line)
        event = json.loads(line)
        is_history = str(event.get("unit_id")).startswith("history/")
        if event["event"] == "unit_finished" and is_history and event["rows"] > 20:
            crashing.send_signal(signal.SIGABRT)
            break
    rest, crash_report = crashing.communicate(timeout=200)
    sandbox.faults.clear(hanging)
    left = everything_below(tmp_path, config)
    wordy = cli("run", "-v")
    as_objects = cli("run", "--json", "-n", "other")
    quoting = cli("run", "--set", "key=AKIAIOSFODNN7EXAMPLE", "--set", "region=x y", "-v")

    assert crashing.returncode == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in crash_report
    assert "(most recent call first)" in crash_report
    assert any("-staging" in name and "SELECT" in text for name, text in left.items())
    assert in_sight(tmp_path / "output")
    assert (wordy.returncode, as_objects.returncode, quoting.returncode) == (0, 0, 2)
    after = everything_below(tmp_path, config)
    assert any("Cannot cast ? to bigint" in text for text in after.values())
    texts = [*told, rest, crash_report, *left.values(), *after.values()]
    texts += [
        stream for done in (wordy, as_objects, quoting) for stream in (done.stdout, done.stderr)
    ]
    leaks = {s for s in (*SENTINEL_SECRETS, secret) for text in texts if s in text}
    assert leaks == set()
