"""Tries one call and says what its answer means for a right."""

from __future__ import annotations

from collections.abc import Awaitable

from kada_athena_async.engine.doctor.report import GRANTED, CheckResult
from kada_athena_async.errors import (
    AccessDeniedError,
    NotFoundError,
    RequestError,
    UnitError,
)


async def outcome(call: Awaitable[object]) -> CheckResult:
    """The result of *call* for its right: any answer but a denial means that it is allowed.

    IAM is asked before the service looks at the request, so a service that finds nothing, or
    refuses the request as such, has granted the right.

    Raises:
        CredentialsError: AWS does not accept us.
    """
    try:
        await call
    except AccessDeniedError as exc:
        return CheckResult("denied", exc.message)
    except (NotFoundError, RequestError) as exc:
        return CheckResult("ok", refusal=exc.message)
    except UnitError as exc:
        return CheckResult("problem", exc.message)

    return GRANTED
