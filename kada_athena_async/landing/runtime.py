"""Services of the run that a landing uses."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from kada_athena_async.aws.session import Identity
from kada_athena_async.concurrency import Clock
from kada_athena_async.events import Observer
from kada_athena_async.files import Files

# A part of 8 MiB over 1 Mbit/s takes 67 seconds, and four are on their way at a time.
UPLOAD_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Services of the run that a landing uses.

    Attributes:
        identity: Who the run is to AWS: stands in for what a landing in S3 leaves open.
        endpoint_url: The run's stand-in for AWS, if any.
    """

    identity: Identity
    endpoint_url: str | None
    files: Files
    clock: Clock
    rng: Random
    notify: Observer
