"""Azurite, Microsoft's emulator of Azure Storage, and a proxy that breaks what passes it."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from azure.storage.blob import (
    BlobServiceClient,
    ContainerSasPermissions,
    generate_container_sas,
)
from yarl import URL

VERSION = "3.35.0"  # the last that runs on Node 20
CACHE = Path.home() / ".cache" / "kada_athena_async_tests" / f"azurite-{VERSION}"
ACCOUNT = "kadalanding"
ACCOUNT_KEY = base64.b64encode(b"of a storage account in a test's memory").decode()


def program() -> Path | str:
    """Azurite's program, installed by npm if need be; else why there is none."""
    found = CACHE / "node_modules" / ".bin" / "azurite-blob"
    if found.exists():
        return found if shutil.which("node") else "Azurite needs node, which is not installed"

    npm = shutil.which("npm")
    if npm is None:
        return "Azurite needs node and npm, which are not installed"

    # Installed beside and renamed, so that two test processes cannot meet half an installation.
    beside = CACHE.with_name(f"{CACHE.name}.{os.getpid()}")
    beside.mkdir(parents=True)
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--prefix", beside, f"azurite@{VERSION}"],
        capture_output=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        shutil.rmtree(beside)
        return f"npm could not install azurite {VERSION}"

    try:
        beside.rename(CACHE)
    except OSError:
        shutil.rmtree(beside)

    return found


@contextmanager
def running(azurite: Path, workspace: Path) -> Iterator[str]:
    """Azurite on a port of loopback that it chooses; its URL."""
    with subprocess.Popen(
        [
            azurite,
            *("--blobHost", "127.0.0.1", "--blobPort", "0"),
            "--inMemoryPersistence",
            # It refuses versions of the API that are newer than itself.
            *("--skipApiVersionCheck", "--disableTelemetry", "--silent"),
        ],
        cwd=workspace,
        env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{ACCOUNT_KEY}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            listening = next((line for line in process.stdout if "listens on" in line), None)
            assert listening is not None, "azurite ended"
            yield listening.split()[-1]
        finally:
            process.terminate()


class Container:
    """A container of its own, seen with its owner's eyes."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.account_url = f"{url}/{ACCOUNT}"
        service = BlobServiceClient(
            self.account_url, credential={"account_name": ACCOUNT, "account_key": ACCOUNT_KEY}
        )
        self.client: Any = service.create_container(name)

    def sas(
        self,
        permission: str = "rcw",
        *,
        begins: timedelta = timedelta(days=-2),
        valid: timedelta = timedelta(hours=1),
    ) -> str:
        now = datetime.now(timezone.utc)
        token: str = generate_container_sas(
            ACCOUNT,
            self.name,
            account_key=ACCOUNT_KEY,
            permission=ContainerSasPermissions.from_string(permission),
            start=now + begins,
            expiry=now + valid,
        )
        return token

    def names(self) -> list[str]:
        return [blob.name.removeprefix("lz/athena/") for blob in self.client.list_blobs()]

    def content(self, name: str) -> bytes:
        data: bytes = self.client.download_blob(f"lz/athena/{name}").readall()
        return data

    def store(self, name: str, data: bytes) -> None:
        self.client.upload_blob(f"lz/athena/{name}", data, overwrite=True)

    def md5(self, name: str) -> bytes:
        found = self.client.get_blob_client(f"lz/athena/{name}").get_blob_properties()
        return bytes(found.content_settings.content_md5)


class Proxy:
    """Passes requests on to Azurite, except where a fault strikes.

    Attributes:
        calls: By operation: ``PutBlock``, ``PutBlockList``, ``PutBlob``, ``Get``, ``Head``.
        fault: Given the operation, the blob's name and its how-manieth call this is, says what
            happens: ``before`` or ``after`` breaks the connection without or with the request
            done, a number is answered instead, None is no fault.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self.calls: Counter[str] = Counter()
        self.fault: Callable[[str, str, int], str | int | None] = lambda *_: None
        self.url = ""

    async def __aenter__(self) -> Proxy:
        self._session = aiohttp.ClientSession(auto_decompress=False)
        application = web.Application(client_max_size=1 << 30)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        operation = _operation(request)
        self.calls[operation] += 1
        number = self.calls[operation]  # blocks come side by side
        body = await request.read()
        fault = self.fault(operation, request.path.rpartition("/")[2], number)
        if fault == "before":
            return _break(request)

        if isinstance(fault, int):
            return web.Response(status=fault, headers={"x-ms-error-code": "InternalError"})

        skipped = ("Host", "Transfer-Encoding", "Content-Length", "Connection")
        headers = {k: v for k, v in request.headers.items() if k not in skipped}
        async with self._session.request(
            request.method,
            URL(f"{self._upstream}{request.raw_path}", encoded=True),
            data=BytesIO(body) if body else None,
            headers=headers,
            skip_auto_headers=("Content-Type",),
        ) as answer:
            data = await answer.read()
            kept = {k: v for k, v in answer.headers.items() if k not in skipped}

        if fault == "after":
            return _break(request)

        if request.method == "HEAD" and "Content-Length" in answer.headers:
            kept["Content-Length"] = answer.headers["Content-Length"]

        return web.Response(status=answer.status, headers=kept, body=data)


def _operation(request: web.Request) -> str:
    if request.method != "PUT":
        return request.method.capitalize()

    return {"block": "PutBlock", "blocklist": "PutBlockList"}.get(
        request.query.get("comp", ""), "PutBlob"
    )


def _break(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
