"""The example DAG in a real Airflow: sites mapped over its executor, killed midway, rerun."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from kada_athena_async.records import KINDS
from tests.airflow.conftest import ROOT, Airflow, wait_until
from tests.airflow.world import LANDING, World

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(900)]

GUIDE = ROOT / "docs/airflow.md"
FILES = len(KINDS) + 1
PLACES = {
    "sydney": (1, "ap-southeast-2", "auto"),
    "dublin": (1, "eu-west-1", "auto"),
    "ohio": (2, "us-east-2", "auto"),
}
ROUGH = {
    "sending": (3, "eu-west-1", "api"),
    "marking": (4, "eu-west-1", "api"),
    "querying": (5, "eu-west-1", "auto"),
}


def test_sites_are_mapped_and_delivered(airflow: Airflow, world: World) -> None:
    """A task a site; the landing holds each estate, XCom its counts, the page a link to it."""
    airflow.trigger("calm", world.write("calm", PLACES))

    assert airflow.finished("calm") == "success", airflow.log("calm")
    tasks = airflow.tasks("calm")
    assert tasks.keys() == {"sites", "summary", *PLACES}
    total: Counter[str] = Counter()
    for site in PLACES:
        (manifest,) = world.check(site)
        told = airflow.told("calm", "extract", tasks[site]["map_index"])
        assert told["rows"] == {file["kind"]: file["rows"] for file in manifest["files"]}
        assert told["manifest_url"] == f"s3://{LANDING}/lz/{told['manifest']}"
        assert told["manifest"] in world.landed(site)
        total.update(told["rows"])

    assert airflow.told("calm", "summary") == total
    link = f"https://console.aws.amazon.com/s3/buckets/{LANDING}?prefix=lz/"
    assert airflow.links("calm", 0) == {"Landing": link}
    assert world.sandbox.secret_access_key not in airflow.log("calm")


def test_killed_tasks_lose_nothing(airflow: Airflow, world: World) -> None:
    """Killed while files are on their way, killed between manifest and mark, told to stop while
    queries run: the next try of each starts on an empty disk; nothing is lost or comes twice."""
    config = world.write("rough", ROUGH)
    faults = world.sandbox.faults
    # Each waits where it is to be met, however slow the machine is.
    sending = faults.add("hang", "s3:PutObject", where={"key": "*sending_manifest*"}, seconds=300)
    marking = faults.add("hang", "s3:PutObject", where={"key": "*marking_state*"}, seconds=300)
    stuck = faults.add("slow_query", seconds=300)
    airflow.trigger("rough", config)

    def kill(site: str, number: signal.Signals) -> None:
        os.kill(airflow.tasks("rough")[site]["pid"], number)

    wait_until(lambda: len(world.landed("sending")) == FILES - 1, what="the files of sending")
    kill("sending", signal.SIGKILL)
    wait_until(lambda: len(world.landed("marking")) == FILES, what="the manifest of marking")
    kill("marking", signal.SIGKILL)
    wait_until(lambda: world.running("querying"), what="a query of querying")
    kill("querying", signal.SIGTERM)
    wait_until(lambda: not world.running("querying"), what="the end of its queries")
    before = {site: world.landed(site).keys() for site in ROUGH}
    for fault in (sending, marking, stuck):
        faults.clear(fault)

    assert airflow.finished("rough") == "success", airflow.log("rough")
    tries = {site: airflow.tasks("rough")[site]["try_number"] for site in ROUGH}
    assert tries == dict.fromkeys(ROUGH, 2)
    assert [len(names) for names in before.values()] == [FILES - 1, FILES, 0]
    for site in ROUGH:
        world.check(site)
        assert before[site] <= world.landed(site).keys()

    assert "the task was killed; the next try goes on" in airflow.log("rough")


def test_what_cannot_work_is_not_tried_again(airflow: Airflow, tmp_path: Path) -> None:
    """A wrong configuration fails at once, whatever retries the DAG allows, with what to do."""
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps({"server": "athena", "sites": [{"name": "a"}]}))
    airflow.trigger("wrong", path)

    assert airflow.finished("wrong") == "failed"
    assert airflow.tasks("wrong")["sites"]["try_number"] == 1
    assert "bucket" in airflow.log("wrong")
    assert "problem" in airflow.log("wrong")


def dag_of_the_guide() -> str:
    """The DAG of docs/airflow.md, as it stands there."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (found,) = [block for block in blocks if "@dag(" in block]
    return str(found)


def test_airflow_knows_the_provider(python: Path, tmp_path: Path) -> None:
    """All packages agree, Airflow lists ours, reading the DAG file loads no engine, and the
    guide's DAG is one."""
    code = (
        "import sys, kada_athena_async.airflow.example_dag as example\n"
        "heavy = {'aioboto3', 'botocore', 'sqlglot', 'kada_athena_async.engine'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "from airflow.providers_manager import ProvidersManager as Manager\n"
        "print(Manager().providers['kada-athena-async'].data['name'])\n"
        "print([n for n in Manager().extra_links_class_names if 'kada' in n])\n"
        f"exec({dag_of_the_guide()!r})\n"
        "print(sorted(kada_athena().task_ids))\n"
    )
    done = subprocess.run(
        [python, "-c", code],
        env={"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    agree = subprocess.run([python, "-m", "pip", "check"], capture_output=True, check=False)

    assert done.stdout.splitlines()[-4:] == [
        "[]",
        "Kada Athena",
        "['kada_athena_async.airflow.links.LandingLink']",
        "['extract', 'sites']",
    ], done.stderr
    assert agree.returncode == 0, agree.stdout
