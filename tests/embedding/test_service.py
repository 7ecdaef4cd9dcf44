"""The example service over real HTTP, in a process of its own, against the sandbox."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from kada_athena_async.sandbox import Sandbox

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
import uvicorn
from kada_athena_async import load_config
from kada_athena_async.examples.service import GRACE_S, Service

config = uvicorn.Config(
    Service(load_config(sys.argv[1])).app(), port=0, timeout_graceful_shutdown=GRACE_S
)
uvicorn.Server(config).run()
"""


@pytest.fixture
def process(sandbox: Sandbox, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The service, on a free port, with marks and extracts in the test's directory."""
    fields = {"catalogs": ["*"], "metadata_source": "api", "quota_share": 1.0}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(sandbox.config(tmp_path / "out", **fields)))
    environment = {
        "PATH": os.environ.get("PATH", ""),
        **{k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")},
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path)],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        yield running
        running.kill()


@asynccontextmanager
async def client_of(process: subprocess.Popen[str]) -> AsyncIterator[aiohttp.ClientSession]:
    assert process.stderr is not None
    for line in process.stderr:
        if "running on " in line:
            url = line.partition("running on ")[2].split()[0]
            break
    else:
        raise AssertionError("the service did not start")

    async with aiohttp.ClientSession(url) as client:
        yield client


async def started(client: aiohttp.ClientSession) -> str:
    async with client.post("/runs") as answer:
        assert answer.status == 202
        return answer.headers["Location"]


async def state_of(client: aiohttp.ClientSession, run: str) -> dict[str, Any]:
    async with client.get(run) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


async def watched(
    client: aiohttp.ClientSession,
    run: str,
    until: Callable[[str], bool] = lambda _: False,
    **headers: str,
) -> list[str]:
    """The lines of the event stream, to its end or to one that is waited for."""
    lines = []
    async with client.get(f"{run}/events", headers=headers) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        async for raw in answer.content:
            lines.append(raw.decode().rstrip("\n"))
            if until(lines[-1]):
                break

    return lines


async def test_a_run_is_started_watched_and_read(
    process: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Each event once and in order, then its end, then the report; late watchers see it all."""
    async with client_of(process) as client:
        run = await started(client)
        lines = await watched(client, run)
        again = await watched(client, run)
        beyond = await watched(client, run, **{"Last-Event-ID": "999999"})
        result = await state_of(client, run)

    events = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    numbers = [int(line[4:]) for line in lines if line.startswith("id: ")]
    assert events[0]["event"] == "run_started"
    assert events[-1]["event"] == "run_finished"
    assert numbers == list(range(1, len(events) + 1))
    assert [line for line in lines if line][-2:] == ["event: end", "data: finished"]
    assert again == lines
    assert [line for line in beyond if line] == ["event: end", "data: finished"]
    assert (result["state"], result["error"]) == ("finished", None)
    assert result["report"]["committed"] is True
    assert result["report"]["rows"]["metadata_tables"] > 0
    assert (tmp_path / "athena_hwm.txt").exists()


async def test_one_run_at_a_time_and_it_can_be_cancelled(
    process: subprocess.Popen[str], sandbox: Sandbox, tmp_path: Path
) -> None:
    """A second start is refused and names the first; after a cancel the next one may begin."""
    fault = sandbox.faults.add("slow", "athena:BatchGetQueryExecution", seconds=60)
    async with client_of(process) as client:
        run = await started(client)
        async with client.post("/runs") as refused:
            busy = (refused.status, await refused.json())

        await watched(client, run, until=lambda line: "plan_ready" in line)
        still = await state_of(client, run)
        async with client.delete(run) as cancelled:
            assert cancelled.status == 202

        end = await watched(client, run)
        in_sight = [p.name for p in (tmp_path / "out").iterdir() if p.name[0] != "."]
        sandbox.faults.clear(fault)
        second = await started(client)
        await watched(client, second)
        states = [(await state_of(client, which))["state"] for which in (run, second)]

    assert busy == (409, {"error": "a run is going on", "run": run})
    assert (still["state"], still["error"]) == ("running", None)
    assert "data: cancelled" in end
    assert in_sight == []
    assert states == ["cancelled", "finished"]


async def test_what_is_not_there_and_what_goes_wrong(
    process: subprocess.Popen[str], sandbox: Sandbox
) -> None:
    """Unknown runs are 404; a run that cannot start says why, with no secret."""
    fault = sandbox.faults.add(
        "error", "athena:*", code="UnrecognizedClientException", message="no such token"
    )
    async with client_of(process) as client:
        missing = [
            (await client.request(verb, path)).status
            for verb, path in (
                ("GET", "/runs/x"),
                ("DELETE", "/runs/x"),
                ("GET", "/runs/x/events"),
            )
        ]
        run = await started(client)
        await watched(client, run)
        found = await state_of(client, run)

    sandbox.faults.clear(fault)
    assert missing == [404, 404, 404]
    assert found["state"] == "failed"
    assert (found["error"]["kind"], found["error"]["exit_code"]) == ("CredentialsError", 3)
    assert found["error"]["hint"]
    assert sandbox.secret_access_key not in json.dumps(found)


@pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")
async def test_a_shutdown_cancels_what_is_going_on(
    process: subprocess.Popen[str], sandbox: Sandbox, tmp_path: Path
) -> None:
    """With a client still watching: the service ends, and nothing half-written is in sight."""
    fault = sandbox.faults.add("slow", "athena:BatchGetQueryExecution", seconds=60)
    async with client_of(process) as client:
        run = await started(client)
        async with client.get(f"{run}/events") as answer:
            async for line in answer.content:
                if b"plan_ready" in line:
                    break

            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=200)

    sandbox.faults.clear(fault)
    said = process.stderr.read() if process.stderr else ""
    assert code in (0, -signal.SIGTERM)
    assert "Application shutdown complete" in said
    assert "Task was destroyed" not in said
    assert [p.name for p in (tmp_path / "out").iterdir() if p.name[0] != "."] == []
