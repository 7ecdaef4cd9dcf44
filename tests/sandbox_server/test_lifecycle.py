"""A sandbox starts, is controlled, and leaves nothing behind."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import EndpointConnectionError

from kada_athena_async.config import load_config
from kada_athena_async.errors import ConfigError
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Estate
from tests.sandbox_server.support import (
    NOW,
    Client,
    connect_to,
    error_of,
    make_estate,
    make_execution,
    run_query,
)


def control(sandbox: Sandbox, path: str, body: object = None) -> tuple[int, Any]:
    """A request to the sandbox's control: GET without a body, POST with one."""
    address = urlsplit(sandbox.endpoint_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    try:
        payload = None if body is None else json.dumps(body, default=str)
        connection.request("GET" if body is None else "POST", f"/_sandbox/{path}", payload)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


def test_nothing_is_left_after_stopping() -> None:
    """No thread, no open port, and a second stop does nothing."""
    before = set(threading.enumerate())
    sandbox = Sandbox(make_estate(), now=lambda: NOW)
    with sandbox:
        athena = connect_to(sandbox, "athena")
        run_query(athena, "SELECT 1", location=f"s3://{sandbox.results_bucket}/x")
        assert set(threading.enumerate()) > before

    sandbox.stop()

    assert set(threading.enumerate()) == before
    with pytest.raises(EndpointConnectionError):
        athena.list_work_groups()


def test_one_sandbox_after_another_begins_anew(estate: Estate) -> None:
    """Buckets and objects of the first are gone in the second, whose keys are its own."""
    with Sandbox(estate, now=lambda: NOW) as first:
        first.create_bucket("mine")
        old = first.access_key_id
        s3 = connect_to(first, "s3")
        s3.put_object(Bucket="mine", Key="k", Body=b"x")
        endpoint_url = first.endpoint_url

    with Sandbox(make_estate(), now=lambda: NOW, port=urlsplit(endpoint_url).port or 0) as second:
        s3 = connect_to(second, "s3")
        buckets = [b["Name"] for b in s3.list_buckets()["Buckets"]]

        assert second.endpoint_url == endpoint_url
        assert buckets == [second.results_bucket]
        refused = error_of(connect_to(second, "athena", aws_access_key_id=old).list_work_groups)
        assert refused[0] == "UnrecognizedClientException"


def test_a_taken_port_is_refused(sandbox: Sandbox) -> None:
    """With the port's number."""
    port = urlsplit(sandbox.endpoint_url).port or 0
    second = Sandbox(make_estate(), port=port)

    with pytest.raises(ConfigError, match=f"port = {port}"):
        second.start()


def test_only_loopback_can_reach_it(sandbox: Sandbox) -> None:
    """The socket is bound to 127.0.0.1 and nothing else."""
    port = urlsplit(sandbox.endpoint_url).port
    assert port
    with (
        pytest.raises(OSError, match=r"refused|unreachable|assign|timed out"),
        socket.create_connection(("127.0.0.2", port), timeout=2),
    ):
        pass


def test_the_ready_configuration_is_a_valid_one(sandbox: Sandbox, tmp_path: Any) -> None:
    """It is read without a complaint, role or not."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(sandbox.config(tmp_path / "out", role=sandbox.role_arn)))

    config = load_config(path, environment={}, overrides={})

    assert config.role == sandbox.role_arn
    assert config.endpoint_url == sandbox.endpoint_url


def test_calls_are_counted_and_logged(sandbox: Sandbox, athena: Client) -> None:
    """By operation, with what they were about and how they ended."""
    athena.list_query_executions(WorkGroup="off")
    error_of(athena.list_query_executions, WorkGroup="nowhere")

    assert sandbox.calls["athena:ListQueryExecutions"] == 2
    entries = [(c.facts.get("workgroup"), c.outcome) for c in sandbox.log]
    assert entries == [("off", "ok"), ("nowhere", "InvalidRequestException")]


def test_another_process_can_control_it(sandbox: Sandbox, athena: Client) -> None:
    """Everything a test does in process works over unsigned HTTP."""
    running = make_execution(9100, state="RUNNING", completed_at=None)
    fields = {
        "query_execution_id": running.query_execution_id,
        "query": running.query,
        "workgroup": running.workgroup,
        "submitted_at": running.submitted_at.isoformat(),
        "state": "RUNNING",
    }

    _, described = control(sandbox, "describe")
    _, truth = control(sandbox, "truth")
    _, fault = control(sandbox, "fault", {"kind": "throttle", "operation": "athena:ListWorkGroups"})
    throttled = error_of(athena.list_work_groups)[0]
    _, faults = control(sandbox, "faults")
    control(sandbox, "clear", {"number": fault["number"]})
    _, turned = control(sandbox, "behaviour", {"active_dml": 3, "history_order": "oldest"})
    control(sandbox, "submit", fields)
    finished_at = (NOW - timedelta(minutes=1)).isoformat()
    control(
        sandbox,
        "finish",
        {"query_execution_id": running.query_execution_id, "completed_at": finished_at},
    )
    _, execution = control(sandbox, f"execution?{running.query_execution_id}")
    _, calls = control(sandbox, "calls")

    assert (described["tables"], described["executions"]) == (123, 133)
    assert truth["schemas"]["AwsDataCatalog.s"] == {"tables": 122, "views": 1, "columns": 245}
    assert truth["executions"]["off"] == {"SUCCEEDED": 3}
    assert throttled == "ThrottlingException"
    assert list(faults) == [str(fault["number"])]
    assert athena.list_work_groups()["WorkGroups"]
    assert (turned["active_dml"], sandbox.behaviour.history_order) == (3, "oldest")
    assert (execution["state"], execution["workgroup"]) == ("SUCCEEDED", "primary")
    assert sandbox.estate.executions[running.query_execution_id].completed_at == (
        NOW - timedelta(minutes=1)
    )
    assert calls["athena:ListWorkGroups"] == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("nonsense", None, 404),
        ("fault", {"kind": "no_such"}, 400),
        ("behaviour", {"active_dml": "many"}, 400),
        ("behaviour", {"colour": "red"}, 404),
        ("finish", {"query_execution_id": "unknown"}, 404),
    ],
)
def test_the_control_refuses_what_it_does_not_know(
    sandbox: Sandbox, path: str, body: object, status: int
) -> None:
    """With a reason, and without ending."""
    found, answer = control(sandbox, path, body)

    assert (found, bool(answer["error"])) == (status, True)


def test_a_stop_can_be_asked_for(sandbox: Sandbox) -> None:
    """Whoever started it waits for that."""
    assert not sandbox.wait(timeout_s=0)

    control(sandbox, "stop", {})

    assert sandbox.wait(timeout_s=60)
