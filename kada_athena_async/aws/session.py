"""The SDK session of a site: its identity, with credentials that renew themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

import anyio
from aiobotocore.credentials import (
    AioAssumeRoleCredentialFetcher,
    AioDeferredRefreshableCredentials,
)
from aiobotocore.session import AioSession
from botocore.exceptions import ConfigParseError, ProfileNotFound

from kada_athena_async.aws.credentials_error import credentials_error
from kada_athena_async.aws.decode import JsonAnswerParserFactory
from kada_athena_async.aws.error_map import CREDENTIALS_HINT, map_error
from kada_athena_async.aws.http_session import HttpSettings
from kada_athena_async.aws.network import Contact
from kada_athena_async.aws.sdk_models import SdkModels
from kada_athena_async.aws.sdk_session import SdkSession
from kada_athena_async.config import check_aws_endpoint_files
from kada_athena_async.errors import (
    AbortError,
    ConfigError,
    CredentialsError,
    KadaAthenaError,
    NetworkError,
    Problem,
)
from kada_athena_async.redact import hide_secrets

# A session of 15 minutes or less would be renewed at every call: aiobotocore renews 15 minutes
# ahead. One hour is also the most that role chaining allows.
ROLE_SESSION_S = 3600

# A credential_process may wait for somebody who logs in at a browser.
LOGIN_S = 120.0

PROFILES_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Credentials, or the way to them; secrets are left out of the repr.

    Attributes:
        key, secret: Static keys; both empty for the default credential chain.
        role: ARN to assume with them; empty for none.
    """

    region: str
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    profile: str = ""
    role: str = ""
    external_id: str = ""
    session_name: str = "kada_athena_async"


def _bare_session(sdk: AioSession) -> Any:
    """aioboto3's session without its helpers for S3 and DynamoDB: 2 MB that nobody calls.

    Raises:
        ImportError: There is no aioboto3.
    """
    from aioboto3 import Session  # noqa: PLC0415 - it loads for longer than a client is made

    class Bare(Session):  # type: ignore[misc]  # aioboto3 ships no types
        def _register_default_handlers(self) -> None:
            pass

    return Bare(botocore_session=sdk)


def _words(exc: Exception) -> str:
    """The SDK's sentence where it names the file alone; any other may quote what stands there."""
    return str(exc) if isinstance(exc, ConfigParseError) else type(exc).__name__


def _no_profile(name: str) -> CredentialsError:
    known = AioSession().available_profiles
    near = get_close_matches(name, known, n=3)
    there = ", ".join([*near, *sorted(set(known) - set(near))][:PROFILES_SHOWN]) or "none"
    return CredentialsError(
        f"there is no AWS profile {hide_secrets(name)!a}; there are: {there}",
        hint="correct `profile` or AWS_PROFILE: aws configure list-profiles",
    )


class AwsSession:
    """Makes clients that share credentials; a role is assumed once however many ask at once.

    Args:
        models: Shared with other sessions; None for its own.

    Raises:
        ConfigError: The region is not one of AWS's, the AWS configuration files name an endpoint
            that may not be talked to, or the trusted certificates cannot be read.
        CredentialsError: The profile does not exist, or cannot be used.
    """

    def __init__(
        self, identity: Identity, *, endpoint_url: str | None, models: SdkModels | None = None
    ) -> None:
        self.region = identity.region
        self.endpoint_url = endpoint_url
        self._identity = identity
        self._models = models or SdkModels()
        self._role_cache: dict[str, Any] = {}
        self._renewing = anyio.Lock()
        self.renewals = 0
        self._sdk = self._sdk_session(identity)
        # A role is assumed with the caller's own credentials, so by a session that keeps them.
        self._source = self._sdk_session(identity, self._sdk.http) if identity.role else self._sdk
        self._check_region()
        self._check_endpoints()
        self._of_s3: Any = None

    def client(self, service: str, config: object) -> Any:
        """An async context manager that gives the SDK's client of *service*."""
        make = self._sdk.create_client if service != "s3" else self._client_of_s3()
        return make(service, region_name=self.region, endpoint_url=self.endpoint_url, config=config)

    def _client_of_s3(self) -> Any:
        """The function that makes a client of S3; without aioboto3 the SDK's own does as well."""
        if self._of_s3 is None:
            try:
                self._of_s3 = _bare_session(self._sdk)
            except ImportError:
                return self._sdk.create_client

        return self._of_s3.client

    @property
    def contact(self) -> Contact:
        """Record that AWS was reached at least once."""
        return self._sdk.contact

    def is_own(self, url: str) -> bool:
        """True if *url* is an endpoint of AWS itself, or the one that is configured."""
        loader = self._sdk.get_component("data_loader")
        outputs = [p["outputs"] for p in loader.load_data("partitions")["partitions"]]
        suffixes = [o[key] for o in outputs for key in ("dnsSuffix", "dualStackDnsSuffix")]
        host = urlsplit(url).hostname or ""
        return url == self.endpoint_url or host.endswith(tuple(f".{s}" for s in suffixes))

    def warm(self, service: str) -> None:
        """Read what the SDK needs for a client of *service*; blocking, so call it in a thread.

        Left to itself it reads models of megabytes when a client is made, on the event loop: a
        service beside us would stand still for a tenth of a second.
        """
        loader = self._sdk.get_component("data_loader")
        for kind in ("service-2", "endpoint-rule-set-1"):
            # Spelt as the SDK does, or its cache takes it for another question.
            loader.load_service_model(service, kind, api_version=None)

        for name in ("partitions", "sdk-default-configuration", "_retry"):
            loader.load_data(name)

        if service == "s3":
            self._client_of_s3()

    async def prepare(self) -> None:
        """Find credentials, and get ready to assume the role if there is one.

        Raises:
            CredentialsError: There are none.
        """
        identity = self._identity
        try:
            with anyio.fail_after(LOGIN_S):
                credentials = await self._sdk.get_credentials()
        except Exception as exc:
            raise self._login_error(exc) from exc

        if credentials is None:
            raise CredentialsError(
                "no AWS credentials were found",
                hint="set key and secret in the configuration, or AWS_PROFILE, or run where an "
                "instance, task or web-identity role is at hand",
            )

        if identity.role:
            self._assume(identity, credentials)

    def login_error(self, exc: Exception) -> CredentialsError | None:
        """The error that *exc* means for the credentials; None if it is about something else."""
        return credentials_error(
            exc,
            profile=self._sdk.profile_name,
            region=self.region,
            profiles=self._sdk.full_config["profiles"],
        )

    def _login_error(self, exc: Exception) -> KadaAthenaError:
        """The error for credentials that could not even be looked for."""
        if isinstance(exc, TimeoutError):
            return CredentialsError(
                f"profile {self._sdk.profile_name} gave no credentials within {LOGIN_S:g} s",
                hint="see what it waits for: aws configure export-credentials "
                f"--profile {self._sdk.profile_name}",
            )

        error = self.login_error(exc) or map_error(exc, operation="sts:GetCredentials")
        if isinstance(error, AbortError):
            return error

        return CredentialsError(
            f"the credentials cannot be loaded: {error.message}", hint=CREDENTIALS_HINT
        )

    def _assume(self, identity: Identity, source_credentials: object) -> None:
        def make_client(service: str, **settings: Any) -> Any:
            # Naming the region keeps away from the one global STS endpoint.
            return self._source.create_client(
                service, region_name=self.region, endpoint_url=self.endpoint_url, **settings
            )

        extra: dict[str, Any] = {
            "RoleSessionName": identity.session_name,
            "DurationSeconds": ROLE_SESSION_S,
        }
        if identity.external_id:
            extra["ExternalId"] = identity.external_id

        fetcher = AioAssumeRoleCredentialFetcher(
            client_creator=make_client,
            source_credentials=source_credentials,
            role_arn=identity.role,
            extra_args=extra,
            cache=self._role_cache,
        )
        self._sdk._credentials = AioDeferredRefreshableCredentials(
            refresh_using=fetcher.fetch_credentials, method="assume-role"
        )

    async def renew(self, seen: int) -> bool:
        """Renew credentials that AWS no longer accepts; False if they cannot be renewed.

        Args:
            seen: ``renewals`` when the refused call began: if somebody renewed since, that
                was enough.
        """
        async with self._renewing:
            if self.renewals != seen:
                return True

            credentials = await self._sdk.get_credentials()
            refresh = getattr(credentials, "_protected_refresh", None)
            if refresh is None:
                return False

            self._role_cache.clear()
            try:
                await refresh(is_mandatory=True)
            except NetworkError:
                raise
            except Exception as exc:
                error = self.login_error(exc) or map_error(exc, operation="sts:AssumeRole")
                if isinstance(error, CredentialsError):
                    raise error from None

                raise CredentialsError(
                    f"the credentials ran out and could not be renewed: {type(exc).__name__}",
                    hint="run again with fresh credentials; finished parts are kept",
                ) from None

            self.renewals += 1
            return True

    def _sdk_session(self, identity: Identity, http: HttpSettings | None = None) -> SdkSession:
        try:
            session = SdkSession(
                self._models, region=identity.region, profile=identity.profile, http=http
            )
        except (ConfigError, CredentialsError):
            raise
        except ProfileNotFound as exc:
            raise _no_profile(str(exc.kwargs.get("profile", ""))) from exc
        except Exception as exc:
            raise CredentialsError(
                f"the AWS configuration files cannot be read: {_words(exc)}",
                hint="check ~/.aws/config, ~/.aws/credentials, AWS_PROFILE and `profile`",
            ) from exc

        if identity.key:
            session.set_credentials(identity.key, identity.secret)

        session.register_component("response_parser_factory", JsonAnswerParserFactory())
        return session

    def _check_endpoints(self) -> None:
        """The SDK obeys endpoints of its own configuration files; ours stand above them."""
        if self.endpoint_url is None:
            problems = check_aws_endpoint_files(
                self._sdk.get_scoped_config(), self._sdk.full_config
            )
            if problems:
                raise ConfigError(problems, source="AWS configuration files")

    def _check_region(self) -> None:
        """AWS's partitions know a pattern for their regions, so that new regions pass."""
        loader = self._sdk.get_component("data_loader")
        partitions: list[Mapping[str, Any]] = loader.load_data("endpoints")["partitions"]
        for partition in partitions:
            if self.region in partition["regions"]:
                return

        # A region opened after this SDK was built: the pattern fits and the number is plausible.
        near = sorted(r for p in partitions for r in p["regions"] if r[:4] == self.region[:4])
        if near and any(re.fullmatch(p["regionRegex"], self.region) for p in partitions):
            prefixes = {r.rsplit("-", 1)[0] for p in partitions for r in p["regions"]}
            if self.region.rsplit("-", 1)[0] in prefixes:
                return

        known = f", such as {', '.join(near[:3])}" if near else ""
        problem = Problem("region", repr(self.region), f"name an AWS region{known}")
        raise ConfigError([problem])
