"""A real Airflow in an environment of its own: its scheduler, its executor, its API server."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.world import World

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-airflow"
PROJECT = ROOT / "pyproject.toml"
LOCK = ROOT / "tests/airflow/requirements.txt"
BIN = "Scripts" if os.name == "nt" else "bin"
EXAMPLE = ROOT / "kada_athena_async/airflow/example_dag.py"


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter of an environment with Airflow and this package; kept for the next time."""
    found = ENVIRONMENT / BIN / "python"
    stamp = ENVIRONMENT / "locked"
    # The project's own metadata, its entry point among it, is read when it is installed.
    wanted = hashlib.sha256(LOCK.read_bytes() + PROJECT.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        run = [sys.executable, "-m", "venv", str(ENVIRONMENT)]
        subprocess.run(run, check=True, capture_output=True)
        ways = [[str(found), "-m", "pip", "install", "--quiet", "--no-compile"]]
        uv = Path(sys.executable).with_name("uv")
        if uv.exists():  # ten times as fast; where only pip knows the index it fails
            ways.insert(0, [str(uv), "pip", "install", "--quiet", "--python", str(found)])

        for what in (["--require-hashes", "-r", str(LOCK)], ["--no-deps", "-e", str(ROOT)]):
            for way in ways:
                done = subprocess.run([*way, *what], capture_output=True, text=True, check=False)
                if done.returncode == 0:
                    break
            assert done.returncode == 0, done.stderr

        stamp.write_text(wanted)

    return found


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World.start(tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest.fixture(scope="session")
def airflow(
    python: Path, world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Airflow]:
    """Airflow with the example DAG, which retries at once here."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "dags").mkdir()
    text = EXAMPLE.read_text()
    assert "timedelta(minutes=5)" in text
    patient = text.replace("timedelta(minutes=5)", "timedelta(seconds=1)")
    (home / "dags/kada_athena.py").write_text(patient)
    running = Airflow(python, home, world.connection())
    try:
        running.start()
        yield running
    finally:
        running.stop()


def wait_until(holds: Callable[[], Any], *, what: str, at_most_s: float = 200) -> Any:
    """Result of *holds* once it is true."""
    end = time.monotonic() + at_most_s
    while time.monotonic() < end:
        if found := holds():
            return found

        time.sleep(0.2)

    raise AssertionError(f"{what}: not within {at_most_s} s")


class Airflow:
    """The processes of an Airflow on SQLite with the LocalExecutor, and their REST API."""

    def __init__(self, python: Path, home: Path, connection: dict[str, object]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"

        self.home = home
        self._command = python.with_name("airflow")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._token = ""
        settings = {
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "CORE__PARALLELISM": "4",
            "CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "API__BASE_URL": self.url,
            "DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
            "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        }
        self._environment = {
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
            "AWS_EC2_METADATA_DISABLED": "true",
            **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        }

    def start(self) -> None:
        """Make the database, start everything, wait until the DAG is known."""
        self._run("db", "migrate")
        port = self.url.rpartition(":")[2]
        for command in (
            ("api-server", "--host", "127.0.0.1", "--port", port, "--workers", "1"),
            ("scheduler", "--skip-serve-logs"),
            ("dag-processor",),
        ):
            with (self.home / f"{command[0]}.log").open("wb") as log:
                self._processes.append(
                    subprocess.Popen(
                        [self._command, *command],
                        env=self._environment,
                        cwd=self.home,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )

        wait_until(lambda: self._get("/api/v2/monitor/health"), what="API server", at_most_s=240)
        self._token = self._answer("/auth/token")["access_token"]
        path = "/api/v2/dags/kada_athena"
        wait_until(lambda: self._get(path), what="the DAG", at_most_s=240)

    def stop(self) -> None:
        """End all processes, each with what it started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in self._processes:
                try:
                    os.killpg(process.pid, number)
                except ProcessLookupError:
                    continue

            if number is signal.SIGTERM:
                end = time.monotonic() + 3
                while time.monotonic() < end and any(p.poll() is None for p in self._processes):
                    time.sleep(0.1)

        for process in self._processes:
            process.wait()

    def trigger(self, run_id: str, config: Path) -> None:
        """Start a run of the DAG on a configuration file."""
        conf = {"config": str(config)}
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        path = "/api/v2/dags/kada_athena/dagRuns"

        def has_begun() -> bool:
            # Its SQLite is locked at times, by the scheduler: status 500.
            with suppress(urllib.error.URLError, ConnectionError):
                self._call(path, json.dumps(body).encode())

            return self._get(f"{path}/{run_id}") is not None

        wait_until(has_begun, what=f"the begin of {run_id}", at_most_s=120)

    def finished(self, run_id: str) -> str:
        """End of the run, once it has ended."""

        def end() -> str:
            state = str(self._answer(f"/api/v2/dags/kada_athena/dagRuns/{run_id}")["state"])
            return state if state in ("success", "failed") else ""

        return str(wait_until(end, what=f"the end of {run_id}", at_most_s=300))

    def tasks(self, run_id: str) -> dict[str, dict[str, Any]]:
        """``task_id``, or the site of a mapped task -> the instance."""
        path = f"/api/v2/dags/kada_athena/dagRuns/{run_id}/taskInstances"
        return {
            task["rendered_map_index"] or task["task_id"]: task
            for task in self._answer(path)["task_instances"]
        }

    def told(self, run_id: str, task_id: str, map_index: int = -1) -> Any:
        """Return value of a task."""
        path = f"/api/v2/dags/kada_athena/dagRuns/{run_id}/taskInstances/{task_id}"
        query = f"xcomEntries/return_value?map_index={map_index}&deserialize=true"
        return self._answer(f"{path}/{query}")["value"]

    def links(self, run_id: str, map_index: int) -> dict[str, str]:
        """The buttons of a mapped task."""
        path = f"/api/v2/dags/kada_athena/dagRuns/{run_id}/taskInstances/extract/links"
        found: dict[str, str] = self._answer(f"{path}?map_index={map_index}")["extra_links"]
        return found

    def log(self, run_id: str) -> str:
        """All that the tasks of a run wrote."""
        return "".join(
            path.read_text() for path in sorted(self.home.glob(f"logs/**/run_id={run_id}/**/*.log"))
        )

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            [self._command, *arguments],
            env=self._environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _answer(self, path: str) -> Any:
        return wait_until(lambda: self._get(path), what=path, at_most_s=120)

    def _get(self, path: str) -> Any:
        """The answer; None if there is none."""
        try:
            return self._call(path)
        except (urllib.error.HTTPError, ConnectionError, urllib.error.URLError):
            return None

    def _call(self, path: str, body: bytes | None = None) -> Any:
        headers = {"content-type": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"

        request = urllib.request.Request(self.url + path, body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
