"""Between the start of a run and its first call to AWS stands only what that call needs."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

# Ends where the process first connects to somewhere, and prints what it has loaded until then.
UNTIL_IT_CONNECTS = """
import gc, os, sys
from pydantic import TypeAdapter
found, searched, validators = [], [], []
make = TypeAdapter.__init__
def count(self, *given, **more):
    validators.append(self)
    make(self, *given, **more)
TypeAdapter.__init__ = count
def look(event, given):
    if event == "ctypes.dlsym":
        found.append(given[1])
    if event == "open" and str(given[0]).endswith("entry_points.txt"):
        searched.append(given[0])
    if event == "socket.connect":
        import aiohttp.connector
        print("functions:", *found)
        print("searched:", len(searched))
        print("validators:", len(validators))
        print("certificates:", aiohttp.connector._SSL_CONTEXT_VERIFIED.cert_store_stats()["x509"])
        print("collections:", sum(each["collections"] for each in gc.get_stats()) - begun)
        print("\\n".join(sys.modules), flush=True)
        os._exit(0)
sys.addaudithook(look)
from kada_athena_async.cli import main
begun = sum(each["collections"] for each in gc.get_stats())
sys.argv[0] = "kada-athena-async"
main()
"""

NOT_YET = [
    *["sql", "pipeline", "permissions", "estimate", "extracts", "page", "plan", "report"],
    *["engine.run", "engine.reading", "engine.preview", "engine.doctor"],
]
NOT_OURS = ["sqlglot", "duckdb", "yaml", "rich", "opentelemetry", "azure", "packaging"]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Lines of a process that is about to make its first call."""
    place = tmp_path_factory.mktemp("first_call")
    fields = {
        "key": "AKIAEXAMPLE",
        "secret": "invented",
        "server": "athena",
        "bucket": "s3://bucket/results",
        "region": "eu-west-1",
        "metadata_source": "api",
        "output_path": str(place / "extracts"),
        "endpoint_url": "http://127.0.0.1:9",
    }
    path = place / "config.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(fields))
    arguments = ["run", "-q", "-c", str(path), "--hwm-path", str(place / "hwm.txt")]
    done = subprocess.run(
        [sys.executable, "-c", UNTIL_IT_CONNECTS, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def loaded(said: list[str]) -> set[str]:
    """The modules of that process."""
    return {line for line in said if ":" not in line}


def test_it_is_not_held_up_by_the_garbage_collector(said: list[str]) -> None:
    """What is loaded stays, so that no collection walks over it."""
    assert "collections: 0" in said


def test_it_reads_no_certificates_but_its_own(said: list[str]) -> None:
    """aiohttp's contexts, which no call of a run goes by, are not filled."""
    assert "certificates: 0" in said


def test_only_options_that_are_given_are_validated(said: list[str]) -> None:
    """Two for each path, one for the name, which has a default, and four of typer's own options."""
    (made,) = (int(line.partition(":")[2]) for line in said if line.startswith("validators:"))
    assert made <= 2 * 2 + 1 + 4


def test_it_searches_for_no_plugins(said: list[str]) -> None:
    """What else is installed is not looked at."""
    assert "searched: 0" in said


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_large_buffers_leave_no_gaps_in_the_heap(said: list[str]) -> None:
    """The C library is told to map each by itself, which it gives back as a whole."""
    assert "functions: mallopt" in said


def test_it_has_got_as_far_as_the_call(loaded: set[str]) -> None:
    """The process looked at has all that a call takes."""
    assert {"aiohttp", "aiobotocore.client", "kada_athena_async.engine.preflight"} <= loaded


@pytest.mark.parametrize("area", NOT_YET)
def test_what_extracts_is_loaded_while_aws_answers(area: str, loaded: set[str]) -> None:
    """Modules of ours that work on answers come after the question."""
    name = f"kada_athena_async.{area}"

    assert {module for module in loaded if f"{module}.".startswith(f"{name}.")} == set()


@pytest.mark.parametrize("package", NOT_OURS)
def test_what_a_run_may_never_need_is_not_loaded(package: str, loaded: set[str]) -> None:
    """Libraries for formats, parsing and other commands do not delay the first call."""
    assert {module for module in loaded if module.partition(".")[0] == package} == set()
