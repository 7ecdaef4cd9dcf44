"""S3's and STS's operations: as much as reading a result and assuming a role take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, unquote

from benchmarks.quota_server.errors import ServiceError
from benchmarks.quota_server.queries import Queries

_RANGE = re.compile(r"^bytes=(\d+)-(\d*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """An answer whose bytes are made as they are sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    size_bytes: int
    chunks: Iterator[bytes]


class Storage:
    """Results as objects; anything else is accepted and forgotten."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def answer(self, method: str, target: str, byte_range: str, now_s: float) -> Body:
        """The answer to a request for ``/bucket/key``.

        Raises:
            ServiceError: There is no such object, or nothing in the range.
        """
        path, _, _ = target.partition("?")
        _, _, key = unquote(path).lstrip("/").partition("/")
        if method == "PUT":
            return _empty(200, ("ETag", '"0"'))

        if method in ("DELETE", "POST"):
            return _empty(204)

        if not key:
            return self._bucket(method)

        return self._object(method, key, byte_range, now_s)

    def _bucket(self, method: str) -> Body:
        if method == "HEAD":
            return _empty(200, ("x-amz-bucket-region", "ap-southeast-2"))

        text = (
            b'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult '
            b'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><KeyCount>0</KeyCount>'
            b"<IsTruncated>false</IsTruncated></ListBucketResult>"
        )
        return Body(
            status=200,
            headers=(("Content-Type", "application/xml"),),
            size_bytes=len(text),
            chunks=iter([text]),
        )

    def _object(self, method: str, key: str, byte_range: str, now_s: float) -> Body:
        name = key.rpartition("/")[2].partition(".")[0]
        query = self._queries.get(name)
        is_there = query is not None and query.state(now_s) == "SUCCEEDED"
        if query is None or query.result is None or not is_there or key.endswith(".metadata"):
            raise ServiceError("NoSuchKey", "The specified key does not exist.", status=404)

        size = query.result.size_bytes
        start, stop, status = 0, size, 200
        match = _RANGE.match(byte_range)
        if match:
            start = int(match.group(1))
            stop = min(size, int(match.group(2)) + 1) if match.group(2) else size
            status = 206
            if start >= size:
                raise ServiceError("InvalidRange", "The range is not satisfiable", status=416)

        headers = [("ETag", f'"{name}"'), ("Accept-Ranges", "bytes"), ("Content-Type", "text/csv")]
        if status == 206:
            headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{size}"))

        chunks = iter(()) if method == "HEAD" else query.result.chunks(start, stop)
        return Body(status=status, headers=tuple(headers), size_bytes=stop - start, chunks=chunks)


def _empty(status: int, *headers: tuple[str, str]) -> Body:
    return Body(status=status, headers=headers, size_bytes=0, chunks=iter(()))


def sts_answer(body: bytes) -> tuple[str, bytes]:
    """The operation's name and the XML that answers it.

    Raises:
        ServiceError: Another action than GetCallerIdentity and AssumeRole.
    """
    form = parse_qs(body.decode())
    action = form.get("Action", [""])[0]
    if action == "GetCallerIdentity":
        inner = (
            "<Arn>arn:aws:iam::123456789012:user/benchmark</Arn>"
            "<UserId>AIDABENCHMARK</UserId><Account>123456789012</Account>"
        )
    elif action == "AssumeRole":
        seconds = int(form.get("DurationSeconds", ["3600"])[0])
        expires = datetime.now(timezone.utc) + timedelta(seconds=seconds)
        inner = (
            "<Credentials><AccessKeyId>ASIABENCHMARK</AccessKeyId><SecretAccessKey>invented"
            "</SecretAccessKey><SessionToken>invented</SessionToken>"
            f"<Expiration>{expires:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>"
            "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/benchmark/s</Arn>"
            "<AssumedRoleId>AROABENCHMARK:s</AssumedRoleId></AssumedRoleUser>"
        )
    else:
        raise ServiceError("InvalidAction", f"no action {action}")

    xml = (
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<{action}Result>{inner}</{action}Result>"
        "<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>"
        f"</{action}Response>"
    )
    return f"sts:{action}", xml.encode()
