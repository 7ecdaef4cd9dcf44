"""AWS as raw bytes: a test writes the exact answer of any call, the sandbox gives all others.

The sandbox answers only what the service models allow. What the services really send (a null in a
map, an error type in a header, a page of some proxy) is written here byte for byte::

    with RawAws(sandbox) as aws:
        aws.answer("athena:ListTableMetadata", b'{"TableMetadataList": null}', calls=(1,))
        aws.error("glue:GetTables", "AccessDeniedException", "no", where={"DatabaseName": "sales"})
        aws.alter("athena:ListWorkGroups", lambda page: page["WorkGroups"].append(None))
        Extractor(**aws.config(output_path, catalogs=["*"]))
"""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from typing_extensions import Self

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.operations import TARGETS
from kada_athena_async.sandbox.server import Broken, Server
from kada_athena_async.sandbox.wire import Reply, Request

JSON_TYPE = ("Content-Type", "application/x-amz-json-1.1")
FORWARD_TIMEOUT_S = 60.0

Forward: TypeAlias = Callable[[], Reply]
"""Asks the sandbox and returns its reply."""

Respond: TypeAlias = "Callable[[Request, Forward], Reply | Broken]"
"""Makes the answer of one call."""


@dataclass(slots=True, kw_only=True)
class Rule:
    """Answers to some calls.

    Attributes:
        operation: Pattern such as ``glue:GetTables`` or ``athena:*``; ``*`` for S3 and STS too.
        calls: Which matching calls, counted from 1; empty for each.
        where: Members of a JSON request that must be equal.
        matched, answered: How many calls matched, and how many of them were answered by the rule.
    """

    operation: str
    respond: Respond
    calls: Collection[int] = ()
    where: Mapping[str, object] = field(default_factory=dict)
    matched: int = 0
    answered: int = 0


class RawAws:
    """A server in front of *sandbox*; use it as a context manager.

    Attributes:
        calls: Operation such as ``glue:GetTables`` (``*`` where it has no JSON target) -> calls.
        requests: Operation and members of every JSON request, in order.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.calls: Counter[str] = Counter()
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._rules: list[Rule] = []
        self._guard = threading.Lock()
        self._server = Server(0, self._respond)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.stop()

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def config(self, output_path: Path | str, **overrides: object) -> dict[str, Any]:
        """The sandbox's configuration, with every call sent here."""
        return self.sandbox.config(output_path, **{"endpoint_url": self.endpoint_url, **overrides})

    def respond(self, operation: str, respond: Respond, **matching: Any) -> Rule:
        """Answer calls by a function of the request; the newest rule that matches decides.

        Args:
            matching: ``calls`` and ``where`` of ``Rule``.
        """
        rule = Rule(operation=operation, respond=respond, **matching)
        with self._guard:
            self._rules.insert(0, rule)

        return rule

    def answer(
        self,
        operation: str,
        body: bytes | str | object,
        *,
        status: int = 200,
        headers: Collection[tuple[str, str]] = (JSON_TYPE,),
        **matching: Any,
    ) -> Rule:
        """Answer calls with *body*: bytes and text as they are, anything else as JSON."""
        reply = Reply(status=status, headers=tuple(headers), body=_bytes_of(body))
        return self.respond(operation, lambda _request, _forward: reply, **matching)

    def error(
        self, operation: str, code: str, message: str = "", *, status: int = 400, **matching: Any
    ) -> Rule:
        """Refuse calls as the JSON services do: type and message in the body."""
        body = {"__type": code, "message": message}
        return self.answer(operation, body, status=status, **matching)

    def alter(self, operation: str, change: Callable[[Any], object], **matching: Any) -> Rule:
        """Let *change* edit the sandbox's own JSON answer in place, or return another one."""

        def respond(_request: Request, forward: Forward) -> Reply:
            reply = forward()
            document = json.loads(reply.body)
            changed = change(document)
            body = _bytes_of(document if changed is None else changed)
            return Reply(status=reply.status, headers=reply.headers, body=body)

        return self.respond(operation, respond, **matching)

    def clear(self) -> None:
        """Pass everything on again."""
        with self._guard:
            self._rules.clear()

    def _respond(self, request: Request) -> Reply | Broken:
        operation, members = _operation_of(request)
        with self._guard:
            self.calls[operation] += 1
            self.requests.append((operation, members))
            rule = self._rule_for(operation, members)

        def forward() -> Reply:
            return _forwarded(request, self.sandbox.endpoint_url)

        try:
            return rule.respond(request, forward) if rule is not None else forward()
        except (OSError, http.client.HTTPException):
            return Broken()  # as the sandbox's own connection broke

    def _rule_for(self, operation: str, members: Mapping[str, object]) -> Rule | None:
        for rule in self._rules:
            is_meant = fnmatchcase(operation, rule.operation) and all(
                members.get(name) == value for name, value in rule.where.items()
            )
            if not is_meant:
                continue

            rule.matched += 1
            if not rule.calls or rule.matched in rule.calls:
                rule.answered += 1
                return rule

        return None


def _bytes_of(body: object) -> bytes:
    if isinstance(body, bytes):
        return body

    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _operation_of(request: Request) -> tuple[str, dict[str, Any]]:
    prefix, _, name = request.headers.get("x-amz-target", "").rpartition(".")
    service = TARGETS.get(prefix)
    if "/lakeformation/aws4_request" in request.headers.get("authorization", ""):
        service, name = "lakeformation", request.path.lstrip("/")

    if service is None:
        return "*", {}

    return f"{service}:{name}", json.loads(request.body or b"{}")


def _forwarded(request: Request, endpoint_url: str) -> Reply:
    """The sandbox's reply to *request*, sent with its own headers: they are signed."""
    target = f"{request.path}?{request.query}" if request.query else request.path
    connection = http.client.HTTPConnection(
        endpoint_url.removeprefix("http://"), timeout=FORWARD_TIMEOUT_S
    )
    try:
        connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            if name not in ("connection", "expect", "transfer-encoding", "content-length"):
                connection.putheader(name, value.encode("utf-8", "surrogateescape"))

        connection.putheader("content-length", str(len(request.body)))
        connection.endheaders(request.body)
        response = connection.getresponse()
        body = response.read()
        # A test may change the body, so its length is counted anew; a HEAD's has no body to count.
        dropped = ("date",) if request.method == "HEAD" else ("date", "content-length")
        kept = [pair for pair in response.getheaders() if pair[0].lower() not in dropped]
        return Reply(status=response.status, headers=tuple(kept), body=body)
    finally:
        connection.close()
