"""A sandbox over a tiny estate, and official clients of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Estate
from tests.sandbox_server.support import NOW, Client, ClientMaker, connect_to, make_estate


@pytest.fixture
def estate() -> Estate:
    return make_estate()


@pytest.fixture
def sandbox(estate: Estate) -> Iterator[Sandbox]:
    with Sandbox(estate, now=lambda: NOW) as running:
        running.create_bucket("own")
        yield running


@pytest.fixture
def connect(sandbox: Sandbox) -> ClientMaker:
    """Makes official clients of the sandbox, the collector's unless told otherwise."""
    return lambda service, **keys: connect_to(sandbox, service, **keys)


@pytest.fixture
def athena(connect: ClientMaker) -> Client:
    return connect("athena")


@pytest.fixture
def glue(connect: ClientMaker) -> Client:
    return connect("glue")


@pytest.fixture
def s3(connect: ClientMaker) -> Client:
    return connect("s3")
