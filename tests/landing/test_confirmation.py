"""A landing that stored other bytes than it was sent is not believed; seen at one that lies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from aiohttp import web

from kada_athena_async.config.landing import S3Place
from kada_athena_async.errors import DeliveryError
from tests.landing.support import BIG, Deliverer, make_package, make_surroundings

WRONG_MD5 = '"00000000000000000000000000000000"'
WRONG_SHA256 = "A" * 43 + "="


class Liar:
    """Takes everything, keeps nothing, and answers as told.

    Attributes:
        headers: Of the answer to each PUT.
        head: Headers of the answer to HEAD for what was put; None: there is nothing.
        acls: The ACL of each request that stores something, but for parts.
    """

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.head: dict[str, str] | None = None
        self.operations: list[str] = []
        self.acls: list[str | None] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.operations.append(f"{request.method} {sorted(request.query)}")
        if request.method == "PUT" or (request.method == "POST" and "uploads" in request.query):
            self.acls.append(request.headers.get("x-amz-acl"))

        if request.method == "PUT":
            return web.Response(headers=self.headers)

        if request.method == "POST":
            key = escape(request.path)
            return web.Response(
                text=f"<R><UploadId>u</UploadId><Key>{key}</Key></R>", content_type="text/xml"
            )

        if request.method == "DELETE":
            return web.Response(status=204)

        if request.method == "HEAD" and self.head is not None and "PUT" in str(self.operations):
            return web.Response(headers=self.head)

        return web.Response(status=404)


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    liar = Liar()
    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/{path:.*}", liar.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    liar.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield liar
    await runner.cleanup()


@pytest.fixture
def push(liar: Liar, out: Path, fast_clock: Any) -> Callable[[], Any]:
    place = S3Place(bucket="landing", key="k", secret="s", endpoint_url=liar.url)
    return Deliverer(out, place, lambda **fields: make_surroundings(None, fast_clock, **fields))


@pytest.mark.parametrize("size_bytes", [10, BIG])
@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": WRONG_MD5},
        {"ETag": WRONG_MD5, "x-amz-checksum-sha256": WRONG_SHA256},
        {},
    ],
)
async def test_a_wrong_checksum_is_no_confirmation(
    push: Callable[[], Any], liar: Liar, out: Path, headers: dict[str, str], size_bytes: int
) -> None:
    """Neither a wrong one nor none at all; the upload is given up and no manifest is sent."""
    make_package(out, 0, {"users": size_bytes})
    liar.headers = headers

    with pytest.raises(DeliveryError, match="did not confirm k_users"):
        await push()

    assert any(o.startswith("DELETE") for o in liar.operations) == (size_bytes == BIG)


@pytest.mark.parametrize(
    "head",
    [
        None,
        {"Content-Length": "9", "x-amz-meta-sha256": "right", "ETag": '"e"'},
        {"Content-Length": "10", "x-amz-meta-sha256": "0" * 64, "ETag": '"e"'},
        {"Content-Length": "10", "ETag": '"e"'},
    ],
)
async def test_what_lies_there_in_the_end_counts(
    push: Callable[[], Any], liar: Liar, out: Path, head: dict[str, str] | None
) -> None:
    """The ETag proves nothing under KMS: size and SHA-256 of what lies there have to be right."""
    make_package(out, 0, {"users": 10})
    liar.headers = {"ETag": WRONG_MD5, "x-amz-server-side-encryption": "aws:kms"}
    liar.head = head

    with pytest.raises(DeliveryError, match="did not confirm k_users"):
        await push()


@pytest.mark.parametrize("size_bytes", [10, BIG])
async def test_the_acl_goes_with_small_and_large_files(
    liar: Liar, out: Path, fast_clock: Any, size_bytes: int
) -> None:
    """A bucket's policy that demands bucket-owner-full-control looks at these requests."""
    make_package(out, 0, {"users": size_bytes})
    acl = "bucket-owner-full-control"
    place = S3Place(bucket="landing", key="k", secret="s", endpoint_url=liar.url, acl=acl)
    around = partial(make_surroundings, None, fast_clock)

    with pytest.raises(DeliveryError, match="k_"):
        await Deliverer(out, place, around)()

    assert liar.acls[0] == acl
