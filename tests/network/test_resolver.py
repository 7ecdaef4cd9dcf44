"""A name server that never answers holds neither the run nor the end of the process."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from kada_athena_async.aws.resolver import make_resolver
from tests.kit.command import ROOT

GIVES_UP = """
import asyncio, threading
from kada_athena_async.aws.resolver import make_resolver

async def main():
    never = threading.Event()
    resolver = make_resolver(lambda *_, **__: never.wait())
    try:
        await asyncio.wait_for(resolver.resolve("athena.example"), 0.2)
    except asyncio.TimeoutError:
        print("given up")

asyncio.run(main())
"""


def test_a_look_up_that_hangs_does_not_hold_the_process() -> None:
    """The thread is left behind; with asyncio's own threads the process would never end."""
    done = subprocess.run(
        [sys.executable, "-c", GIVES_UP],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "given up\n"


async def test_names_are_looked_up() -> None:
    """As by the machine's own resolver, errors too."""
    resolver = make_resolver()

    (found, *_) = await resolver.resolve("localhost", 443, family=socket.AF_INET)

    assert (found["host"], found["port"]) == ("127.0.0.1", 443)
    with pytest.raises(socket.gaierror):
        await resolver.resolve("athena.invalid")
