"""Delivery of committed packages to the landing, in which high-water marks may be kept too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from typing_extensions import assert_never

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.pacing import Pacer
from kada_athena_async.aws.session import AwsSession, Identity
from kada_athena_async.concurrency import offload
from kada_athena_async.config.landing import AzurePlace, LocalPlace, Place, S3Place
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.landing.delivery import deliver
from kada_athena_async.landing.delivery_report import DeliveryReport, joined
from kada_athena_async.landing.interface import UPLOAD_TIMEOUT_S, Landing, Runtime
from kada_athena_async.landing.local import LocalLanding
from kada_athena_async.landing.waiting_packages import Waiting, packages_waiting

__all__ = [
    "DeliveryReport",
    "Landing",
    "Runtime",
    "Waiting",
    "deliver",
    "joined",
    "open_client",
    "open_landing",
    "packages_waiting",
]


@asynccontextmanager
async def open_landing(place: Place, around: Runtime) -> AsyncIterator[Landing]:
    """The landing at *place*, connected; closes it in any case. Nothing is called yet.

    Raises:
        ConfigError: The region is not AWS's, or an extra package is not installed.
        CredentialsError: There are no credentials.
    """
    match place:
        case LocalPlace():
            yield LocalLanding(place.path, around.files)
        case S3Place():
            from kada_athena_async.landing.s3 import S3Landing

            async with open_client(place, around) as client:
                yield S3Landing(client, around.files, place)
        case AzurePlace():
            try:
                from kada_athena_async.landing.azure import open_azure
            except ImportError:
                problem = Problem(
                    "landing", place.url, 'run: pip install "kada-athena-async[azure]"'
                )
                raise ConfigError([problem]) from None

            async with open_azure(place, around) as landing:
                yield landing
        case _:
            assert_never(place)


@asynccontextmanager
async def open_client(place: S3Place, around: Runtime) -> AsyncIterator[AwsClient]:
    """A client of S3 as the identity that writes to *place*; closed in any case. It calls nothing.

    Raises:
        ConfigError: The region is not AWS's.
        CredentialsError: There are no credentials.
    """
    identity = _identity(place, around.identity)
    endpoint_url = place.endpoint_url or around.endpoint_url
    # The SDK reads files for a tenth of a second: not on the event loop.
    session = await offload(lambda: AwsSession(identity, endpoint_url=endpoint_url))
    client = AwsClient(
        session,
        pacer=Pacer(quota_share=1.0, clock=around.clock),
        clock=around.clock,
        rng=around.rng,
        notify=around.notify,
        attempt_timeout_s=UPLOAD_TIMEOUT_S,
    )
    async with client:
        yield client


def _identity(place: S3Place, own: Identity) -> Identity:
    """Identity for the landing: the one that it names, else the run's own."""
    at = replace(own, region=place.region or own.region)
    if place.key.get_secret_value() or place.profile:
        return replace(
            at,
            key=place.key.get_secret_value(),
            secret=place.secret.get_secret_value(),
            profile=place.profile,
            role=place.role,
            external_id=place.external_id,
        )

    # K may have admitted the collector's own role; a role of the landing's is assumed in its place.
    return replace(at, role=place.role, external_id=place.external_id) if place.role else at
