"""Entry of every AWS request: authentication, faults, permissions, then its service."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kada_athena_async.sandbox import cloudtrail, glue, kept_secrets, lake_formation, sts
from kada_athena_async.sandbox.athena import catalogs
from kada_athena_async.sandbox.athena import service as athena
from kada_athena_async.sandbox.athena.site import Site
from kada_athena_async.sandbox.behaviour import Behaviour
from kada_athena_async.sandbox.buckets import Buckets
from kada_athena_async.sandbox.caller import Call
from kada_athena_async.sandbox.effects import broken_after, broken_before, raise_error, refusal
from kada_athena_async.sandbox.estate.model import Estate
from kada_athena_async.sandbox.faults import Fault, Faults
from kada_athena_async.sandbox.identity import Directory
from kada_athena_async.sandbox.limits import RateLimiter
from kada_athena_async.sandbox.operations import Operation, identify, resources
from kada_athena_async.sandbox.server import Broken
from kada_athena_async.sandbox.signature import Signature, authenticate, read_signature
from kada_athena_async.sandbox.wire import AwsError, Json, Reply, Request, error_reply, json_reply

LOG_LENGTH = 100_000

_OF_SITE: Mapping[str, Mapping[str, Callable[[Site, Call], Json]]] = {
    "athena": athena.OPERATIONS,
    "cloudtrail": cloudtrail.OPERATIONS,
}
_OF_ESTATE: Mapping[str, Mapping[str, Callable[[Estate, Call], Json]]] = {
    "athena": catalogs.OPERATIONS,
    "glue": glue.OPERATIONS,
    "lakeformation": lake_formation.OPERATIONS,
    "secretsmanager": kept_secrets.OPERATIONS,
    "ssm": kept_secrets.OPERATIONS,
}
"""Service -> operation -> what answers it, by the subject that it is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCall:
    """A call in the sandbox's log.

    Attributes:
        outcome: ``ok``, an error's code, or ``broken`` where the connection was.
    """

    at: datetime
    operation: str
    access_key_id: str
    region: str
    facts: Mapping[str, str]
    outcome: str


class Front:
    """Answers every AWS request; safe to call from any thread."""

    def __init__(
        self,
        *,
        directory: Directory,
        buckets: Buckets,
        faults: Faults,
        behaviour: Behaviour,
        site: Callable[[str, str], Site],
        now: Callable[[], datetime],
    ) -> None:
        self._directory = directory
        self._buckets = buckets
        self._faults = faults
        self._behaviour = behaviour
        self._site = site
        self._now = now
        self._limiter = RateLimiter(now)
        self._guard = threading.Lock()
        self.stopping = threading.Event()
        self.calls: Counter[str] = Counter()
        self.log: deque[LoggedCall] = deque(maxlen=LOG_LENGTH)

    def answer(self, request: Request) -> Reply | Broken:
        """The reply to *request*, or what happens to its connection instead."""
        service = "athena" if "x-amz-target" in request.headers else "s3"
        try:
            claim = read_signature(request)
            service = claim.service
            operation = identify(request, service)
        except AwsError as error:
            return error_reply(service, error)

        with self._guard:
            self.calls[operation.full_name] += 1

        faults = self._faults.strike(operation.full_name, self._facts(claim, operation))
        broken = broken_before(faults, self.stopping)
        if broken is not None:
            self._note(claim, operation, "broken")
            return broken

        try:
            reply = self._serve(request, claim, operation, faults)
            self._note(claim, operation, "ok")
        except AwsError as error:
            reply = error_reply(operation.service, error)
            self._note(claim, operation, error.code)
        except Exception as error:
            # A defect here must be seen by whoever called, and must not end the connection.
            defect = AwsError("InternalFailure", f"defect of the sandbox: {error!r}", status=500)
            reply = error_reply(operation.service, defect)
            self._note(claim, operation, defect.code)

        return broken_after(reply, faults)

    def _serve(
        self, request: Request, claim: Signature, operation: Operation, faults: Sequence[Fault]
    ) -> Reply:
        clock = self._now() if self._behaviour.checks_clock else None
        key = authenticate(request, claim, self._directory, clock=clock)
        call = Call(
            service=operation.service,
            name=operation.name,
            key=key,
            account_id=key.principal.account_id,
            region=claim.region,
            parameters=operation.parameters,
            facts=operation.facts,
            faults=tuple(faults),
            user_agent=request.headers.get("user-agent", ""),
        )
        if self._behaviour.has_rate_limits:
            self._limiter.take(call.account_id, call.region, call.operation)

        raise_error(call)
        for resource in resources(operation, call.account_id, call.region):
            if not call.may(operation.action, resource):
                raise refusal(call, operation.action, resource)

        return self._dispatch(request, operation, call)

    def _dispatch(self, request: Request, operation: Operation, call: Call) -> Reply:
        if operation.service == "sts":
            return sts.answer(self._directory, call.key, operation.name, operation.form)

        if operation.service == "s3":
            return self._buckets.answer(request, account_id=call.account_id)

        site = self._site(call.account_id, call.region)
        of_site = _OF_SITE.get(call.service, {}).get(call.name)
        if of_site is not None:
            return json_reply(of_site(site, call))

        of_estate = _OF_ESTATE.get(call.service, {}).get(call.name)
        if of_estate is not None:
            return json_reply(of_estate(site.estate, call))

        raise AwsError("UnknownOperationException", f"the sandbox has no {call.operation}")

    def _facts(self, claim: Signature, operation: Operation) -> dict[str, str]:
        key = self._directory.key(claim.access_key_id)
        account_id = key.principal.account_id if key else ""
        return {**operation.facts, "account_id": account_id, "region": claim.region}

    def _note(self, claim: Signature, operation: Operation, outcome: str) -> None:
        self.log.append(
            LoggedCall(
                at=self._now(),
                operation=operation.full_name,
                access_key_id=claim.access_key_id,
                region=claim.region,
                facts=operation.facts,
                outcome=outcome,
            )
        )
