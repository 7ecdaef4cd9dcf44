"""Effects of a fault on a call: an error, a delay, or a connection that breaks."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from kada_athena_async.sandbox.caller import Call
from kada_athena_async.sandbox.faults import Fault
from kada_athena_async.sandbox.server import Broken
from kada_athena_async.sandbox.wire import JSON_SERVICES, AwsError, Reply


def broken_before(faults: Sequence[Fault], stopping: threading.Event) -> Broken | None:
    """Waits where a fault says so; the broken connection where the call never gets through."""
    for fault in faults:
        if fault.kind == "slow":
            stopping.wait(fault.seconds)

        if fault.kind == "hang":
            stopping.wait(fault.seconds or None)

        if fault.kind in ("hang", "reset_before"):
            return Broken()

    return None


def broken_after(reply: Reply, faults: Sequence[Fault]) -> Reply | Broken:
    """*reply* as it reaches the client; the call has taken effect."""
    for fault in faults:
        if fault.kind == "reset_after":
            return Broken()

        if fault.kind == "truncate":
            return Broken(reply=reply, sent_bytes=len(reply.body) // 2)

        if fault.kind == "empty_body":
            return replace(reply, body=b"")

    return reply


def raise_error(call: Call) -> None:
    """Returns if no fault refuses *call*.

    Raises:
        AwsError: One does.
    """
    for fault in call.faults:
        error = _error_of(fault, call)
        if error is not None:
            raise error


def expired_credentials(service: str) -> AwsError:
    """The error of a service for a session that has ended."""
    code = "ExpiredTokenException" if service in JSON_SERVICES else "ExpiredToken"
    message = "The security token included in the request is expired"
    return AwsError(code, message, status=400 if service in (*JSON_SERVICES, "s3") else 403)


def refusal(call: Call, action: str, resource: str) -> AwsError:
    """The error of a service for a missing right."""
    if call.service in JSON_SERVICES:
        return AwsError(
            "AccessDeniedException",
            f"You are not authorized to perform: {action} on the resource. After your AWS "
            f"administrator or you have updated your permissions, please try again. ({resource})",
        )

    if call.service == "s3":
        return AwsError("AccessDenied", f"Access Denied ({action} on {resource})", status=403)

    message = f"User: {call.key.principal.arn} is not authorized to perform: {action}"
    return AwsError("AccessDenied", message, status=403)


def _error_of(fault: Fault, call: Call) -> AwsError | None:
    match fault.kind:
        case "throttle":
            return _throttled(call.service)
        case "server_error":
            return _server_error(call.service, fault)
        case "expired":
            return expired_credentials(call.service)
        case "access_denied":
            return refusal(call, call.operation, "*")
        case "too_many_requests" if call.name != "StartQueryExecution":
            return AwsError("TooManyRequestsException", fault.message or "Rate exceeded")
        case "error":
            code = fault.code or "InternalServerException"
            return AwsError(code, fault.message or "told to fail", status=fault.status)
        case "expired_page_token" if call.parameters.get("NextToken"):
            code = "InvalidInputException" if call.service == "glue" else "InvalidRequestException"
            return AwsError(code, "The NextToken is invalid or has expired")
        case _:
            return None


def _throttled(service: str) -> AwsError:
    if service == "s3":
        return AwsError("SlowDown", "Please reduce your request rate.", status=503)

    code = "ThrottlingException" if service in JSON_SERVICES else "Throttling"
    return AwsError(code, "Rate exceeded")


def _server_error(service: str, fault: Fault) -> AwsError:
    codes = {
        "athena": "InternalServerException",
        "glue": "InternalServiceException",
        "s3": "InternalError",
    }
    status = fault.status if fault.status >= 500 else 500
    message = fault.message or "We encountered an internal error. Please try again."
    return AwsError(fault.code or codes.get(service, "InternalFailure"), message, status=status)
