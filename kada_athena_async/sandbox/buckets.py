"""S3 and IAM by moto, inside this process: its web application, and its buckets without HTTP."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import unquote

from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.exceptions import MissingBucket, MissingKey
from moto.s3.models import S3Backend, s3_backends

from kada_athena_async.sandbox.wire import Reply, Request

# Moto looks for the account here before it looks at the access key.
ACCOUNT_HEADER = "HTTP_X_MOTO_ACCOUNT_ID"


class Buckets:
    """The buckets of every account of the sandbox.

    moto's backends belong to the process, so a new `Buckets` empties them, and so does `close`.
    """

    def __init__(self) -> None:
        self._application = DomainDispatcherApplication(create_backend_app)
        self._account_ids: set[str] = set()
        self.close()

    def close(self) -> None:
        """Forgets every bucket and gives back the memory and files of its objects."""
        used = {account_id for _, account_id in s3_backends.bucket_accounts.values()}
        # A backend is reached by its account: moto's own reset misses those it has cached.
        for account_id in used | self._account_ids:
            s3_backends[account_id]["aws"].reset()

        s3_backends.bucket_accounts.clear()
        reset_model_data()

    def create(self, account_id: str, region: str, name: str) -> None:
        self._account_ids.add(account_id)
        s3_backends[account_id]["aws"].create_bucket(name, region)

    def exists(self, name: str) -> bool:
        return name in s3_backends.bucket_accounts

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Writes an object.

        Raises:
            KeyError: There is no such bucket.
        """
        self._backend(bucket).put_object(bucket, key, body)

    def has(self, bucket: str, key: str) -> bool:
        """True where there is such an object."""
        try:
            return self._backend(bucket).head_object(bucket, key) is not None
        except (KeyError, MissingBucket, MissingKey):
            return False

    def _backend(self, bucket: str) -> S3Backend:
        _partition, account_id = s3_backends.bucket_accounts[bucket]
        return s3_backends[account_id]["aws"]

    def answer(self, request: Request, *, account_id: str) -> Reply:
        """Moto's answer to *request*, made in *account_id*."""
        environ = _environ(request, account_id)
        application = self._application.get_application(environ)
        status: list[int] = []
        body_parts: list[bytes] = []
        headers: list[tuple[str, str]] = []

        def start_response(
            line: str, fields: list[tuple[str, str]], _error: object = None, /
        ) -> Callable[[bytes], object]:
            status.append(int(line.split(" ", 1)[0]))
            headers.extend(fields)
            return body_parts.append

        chunks: Iterable[bytes] = application(environ, start_response)
        try:
            body = b"".join([*body_parts, *chunks])
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

        # HEAD names the size of a body that is not sent; any other reply's length is its body's.
        kept = [
            (name, value)
            for name, value in headers
            if request.method == "HEAD" or name.lower() not in ("content-length", "connection")
        ]
        return Reply(status=status[0], headers=tuple(kept), body=body)


def _environ(request: Request, account_id: str) -> dict[str, object]:
    host, _, port = request.headers.get("host", "127.0.0.1:80").partition(":")
    environ: dict[str, object] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        # WSGI wants the decoded path as Latin-1 (PEP 3333).
        "PATH_INFO": unquote(request.path, encoding="latin-1"),
        "RAW_URI": f"{request.path}?{request.query}" if request.query else request.path,
        "REQUEST_URI": f"{request.path}?{request.query}" if request.query else request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
    }
    environ.update(_headers(request.headers))
    environ[ACCOUNT_HEADER] = account_id
    return environ


def _headers(headers: Mapping[str, str]) -> dict[str, object]:
    return {
        f"HTTP_{name.upper().replace('-', '_')}": value
        for name, value in headers.items()
        if name not in ("content-type", "content-length", "transfer-encoding")
    }
