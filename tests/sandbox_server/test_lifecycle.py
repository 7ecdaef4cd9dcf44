"""A sandbox starts, is controlled, and leaves nothing behind."""

from __future__ import annotations

import json
import socket
import threading
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
    run_query,
)


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
