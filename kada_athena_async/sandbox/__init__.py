"""A local AWS with an invented estate: Athena that runs SQL, Glue, S3 and STS on loopback."""

from __future__ import annotations

from kada_athena_async.sandbox.behaviour import Behaviour
from kada_athena_async.sandbox.faults import Fault, FaultKind
from kada_athena_async.sandbox.sandbox import Sandbox, SiteHandle

__all__ = ["Behaviour", "Fault", "FaultKind", "Sandbox", "SiteHandle"]
