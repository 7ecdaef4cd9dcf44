"""S3's and STS's operations: as much as reading a result and assuming a role take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote

from benchmarks.quota_server.queries import Queries
from kada_athena_async.sandbox.identity import Key, Principal
from kada_athena_async.sandbox.policy import ADMIN, Policy
from kada_athena_async.sandbox.sts import identity_reply, session_reply
from kada_athena_async.sandbox.wire import AwsError, Reply, Request, xml_reply

_RANGE = re.compile(r"^bytes=(\d+)-(\d*)$")

_CALLER = Principal(
    arn="arn:aws:iam::123456789012:user/benchmark",
    account_id="123456789012",
    user_id="AIDABENCHMARK",
    policy=Policy.parse(ADMIN),
)
_ROLE = replace(_CALLER, arn="arn:aws:sts::123456789012:assumed-role/benchmark/s")
_SESSION = Key(access_key_id="ASIABENCHMARK", secret="invented", token="invented", principal=_ROLE)


class Storage:
    """Results as objects; anything else is accepted and forgotten."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def answer(self, request: Request, now_s: float) -> Reply:
        """The reply to a request for ``/bucket/key``.

        Raises:
            AwsError: There is no such object, or nothing in the range.
        """
        _, _, key = unquote(request.path).lstrip("/").partition("/")
        if request.method == "PUT":
            return Reply(headers=(("ETag", '"0"'),))

        if request.method in ("DELETE", "POST"):
            return Reply(status=204)

        if key:
            return self._object(request, key, now_s)

        if request.method == "HEAD":
            return Reply(headers=(("x-amz-bucket-region", "ap-southeast-2"),))

        return xml_reply(
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            "<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
        )

    def _object(self, request: Request, key: str, now_s: float) -> Reply:
        name = key.rpartition("/")[2].partition(".")[0]
        query = self._queries.get(name)
        is_there = query is not None and query.state(now_s) == "SUCCEEDED"
        if query is None or query.result is None or not is_there or key.endswith(".metadata"):
            raise AwsError("NoSuchKey", "The specified key does not exist.", status=404)

        size = query.result.size_bytes
        start, stop = 0, size
        headers = [("ETag", f'"{name}"'), ("Accept-Ranges", "bytes"), ("Content-Type", "text/csv")]
        match = _RANGE.match(request.headers.get("range", ""))
        if match:
            start = int(match.group(1))
            stop = min(size, int(match.group(2)) + 1) if match.group(2) else size
            headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{size}"))
            if start >= size:
                raise AwsError("InvalidRange", "The range is not satisfiable", status=416)

        headers.append(("Content-Length", str(stop - start)))
        chunks = () if request.method == "HEAD" else query.result.chunks(start, stop)
        return Reply(status=206 if match else 200, headers=tuple(headers), chunks=chunks)


def sts_answer(name: str, parameters: Mapping[str, str]) -> Reply:
    """The reply to an operation of STS: anybody may assume any role.

    Raises:
        AwsError: Another operation than GetCallerIdentity and AssumeRole.
    """
    if name == "GetCallerIdentity":
        return identity_reply(_CALLER)

    if name == "AssumeRole":
        seconds = int(parameters.get("DurationSeconds", "3600"))
        expires_at = datetime.now(timezone.utc) + timedelta(seconds=seconds)
        return session_reply(replace(_SESSION, expires_at=expires_at))

    raise AwsError("InvalidAction", f"no action {name}")
