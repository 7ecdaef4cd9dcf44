"""Failures to log in to AWS: one sentence and one remedy for each way to log in."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from traceback import walk_tb
from typing import Any
from urllib.parse import urlsplit

from botocore import exceptions as sdk

from kada_athena_async.errors import CredentialsError
from kada_athena_async.redact import hide_secrets

TOLD_CHARACTERS = 300
"""Of what a process or a service says, at most."""

# https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html
_SSO_ENDED = frozenset(
    {
        "UnauthorizedException",
        "InvalidGrantException",
        "ExpiredTokenException",
        "InvalidClientException",
    }
)
_SSO_OPERATIONS = frozenset({"GetRoleCredentials", "CreateToken"})

# The profile, and not what it leads to, is at fault; the SDK's words say which setting.
_UNUSABLE_PROFILE = (
    sdk.InvalidConfigError,
    sdk.InfiniteLoopConfigError,
    sdk.PartialCredentialsError,
    sdk.ConfigParseError,
)

# A variable AWS_... or a line of the AWS configuration files that no client can be made with.
_UNUSABLE_SETTINGS = (
    sdk.InvalidRetryConfigurationError,
    sdk.InvalidSTSRegionalEndpointsConfigError,
    sdk.InvalidS3UsEast1RegionalEndpointConfigError,
    sdk.InvalidS3AddressingStyleError,
    sdk.InvalidChecksumConfigError,
    sdk.InvalidProxiesConfigError,
    sdk.DataNotFoundError,  # api_versions names one that the SDK does not have
)

# Settings that have indented lines below them: the SDK takes a value there for a dictionary.
_SECTIONS = ("api_versions", "s3")

# Modules that find, renew or sign with credentials.
_CREDENTIAL_MODULES = frozenset(
    {
        "aiobotocore.credentials",
        "aiobotocore.tokens",
        "botocore.auth",
        "botocore.credentials",
        "botocore.tokens",
    }
)
_PACKAGE = __name__.partition(".")[0]

_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"})
# "Signature expired: 20261101T000000Z is now earlier than ...", "Signature not yet current: ...".
_SKEWED_SIGNATURE = re.compile(r"(?i)\bsignature (expired|not yet current)")


def credentials_error(
    exc: Exception, *, profile: str, region: str, profiles: Mapping[str, Mapping[str, Any]]
) -> CredentialsError | None:
    """The error that explains *exc* to the user; None if it has nothing to do with credentials.

    Args:
        profile: The AWS profile in use.
        profiles: The profiles of the AWS configuration files.
    """
    if isinstance(exc, sdk.ClientError):
        return _refused(exc, profile, region)

    if isinstance(exc, (sdk.SSOError, sdk.TokenRetrievalError)):
        return _sso_ended(profile)

    if isinstance(exc, sdk.RefreshWithMFAUnsupportedError):
        return mfa_error(profile, "the session that an MFA code opened has ended")

    if isinstance(exc, (sdk.MetadataRetrievalError, sdk.CredentialRetrievalError)):
        return _not_retrieved(exc, profile)

    if isinstance(exc, OSError) and exc.filename:
        return _file_missing(exc, profile, profiles)

    if _is_of_settings(exc):
        return _unusable(exc, profile)

    if isinstance(exc, sdk.ParamValidationError) and "WebIdentityToken" in str(exc):
        return _token_empty(profile, profiles)

    # What the SDK raises over unfit credentials has no class of its own.
    unfit = (ValueError, AttributeError, LookupError, TypeError, RuntimeError)
    if not isinstance(exc, unfit) or not _is_of_credentials(exc):
        return None

    has_sso = profiles.get(profile, {}).keys() & {"sso_session", "sso_start_url"}
    if has_sso and not isinstance(exc, RuntimeError):
        return _sso_ended(profile)

    return _process_unusable(exc, profile, profiles)


def check_sections(settings: Mapping[str, Any], *, profile: str, file: str) -> None:
    """Refuse a profile with a value where the SDK expects a section.

    Args:
        settings: The profile's.
        file: The AWS configuration file.

    Raises:
        CredentialsError: It has one.
    """
    for name in _SECTIONS:
        if not isinstance(settings.get(name, {}), Mapping):
            raise CredentialsError(
                f"profile {profile} of {file} cannot be used: `{name}` has a value, "
                "where settings must follow",
                hint=f"indent the settings on lines below `{name} =`, or remove the line",
            )


def _unusable(exc: Exception, profile: str) -> CredentialsError:
    if isinstance(exc, _UNUSABLE_PROFILE):
        return CredentialsError(
            f"profile {profile} cannot be used: {_shown(str(exc))}",
            hint=f"aws configure list --profile {shlex.quote(profile)}",
        )

    return CredentialsError(
        f"the AWS settings of this machine cannot be used: {_shown(str(exc))}",
        hint="correct the variable AWS_... (env | grep ^AWS_) or the line of ~/.aws/config",
    )


def _is_of_settings(exc: Exception) -> bool:
    """True if *exc* says that a profile cannot be used, or a setting cannot be read."""
    is_unread = isinstance(exc, ValueError) and _modules(exc)[-1:] == ["botocore.configprovider"]
    return is_unread or isinstance(exc, (*_UNUSABLE_PROFILE, *_UNUSABLE_SETTINGS))


def _is_of_credentials(exc: Exception) -> bool:
    """True if *exc* comes from the SDK's code for credentials, and not from ours that it calls."""
    modules = _modules(exc)
    places = [place for place, name in enumerate(modules) if name in _CREDENTIAL_MODULES]
    inner = modules[places[-1] :] if places else []
    return bool(inner) and not any(name.partition(".")[0] == _PACKAGE for name in inner)


def _modules(exc: Exception) -> list[str]:
    """The modules through which *exc* came, where it was raised last."""
    frames = (frame for frame, _ in walk_tb(exc.__traceback__))
    return [str(frame.f_globals.get("__name__", "")) for frame in frames]


def _process_unusable(
    exc: Exception, profile: str, profiles: Mapping[str, Mapping[str, Any]]
) -> CredentialsError | None:
    """The error for a ``credential_process`` whose command or output is unfit."""
    process = _process_of(profile, profiles)
    if not process:
        return None

    if isinstance(exc, RuntimeError):
        is_expired = "credentials" in str(exc)
        why = "the credentials that it gives have expired"
        return _process_failed(profile, why) if is_expired else None

    try:
        shlex.split(process)
    except ValueError as unreadable:
        return _process_failed(profile, f"its command line cannot be read: {unreadable}")

    return _process_failed(profile, "its output is not the JSON that AWS asks for")


def _token_empty(profile: str, profiles: Mapping[str, Mapping[str, Any]]) -> CredentialsError:
    named = "AWS_WEB_IDENTITY_TOKEN_FILE"
    path = os.environ.get(named) or profiles.get(profile, {}).get("web_identity_token_file", "")
    return CredentialsError(
        f"the web identity token is empty: {named} = {path}",
        hint=f"write the token there (see kubectl describe pod), or: unset {named}",
    )


def mfa_error(profile: str, why: str) -> CredentialsError:
    """The error for an MFA code that is asked for where nobody can type it."""
    return CredentialsError(
        f"profile {profile} needs an MFA code: {why}",
        hint="get a session first, where you can type the code: "
        f'eval "$(aws configure export-credentials --profile {shlex.quote(profile)} --format env)"'
        ", then run without `profile`",
    )


def _sso_ended(profile: str) -> CredentialsError:
    return CredentialsError(
        f"the SSO session of profile {profile} has ended, or was never begun",
        hint=f"aws sso login --profile {shlex.quote(profile)}",
    )


def _refused(exc: sdk.ClientError, profile: str, region: str) -> CredentialsError | None:
    error = exc.response.get("Error", {})
    code, text = str(error.get("Code", "")), _shown(str(error.get("Message", "")))
    if exc.operation_name in _SSO_OPERATIONS and code in _SSO_ENDED:
        return _sso_ended(profile)

    if exc.operation_name in _SSO_OPERATIONS and code == "ForbiddenException":
        return CredentialsError(
            f"SSO gives profile {profile} no access to its account and role: {text or code}",
            hint=f"check sso_account_id and sso_role_name: aws configure list --profile {profile}",
        )

    if code in _SKEWED or _SKEWED_SIGNATURE.search(text):
        return CredentialsError(
            f"the clock of this machine and AWS's are too far apart ({code})",
            hint="set the clock: sudo timedatectl set-ntp true",
        )

    if code == "OptInRequired":
        return CredentialsError(
            f"the account has not opted in to region {region} or to the service ({code})",
            hint=f"aws account enable-region --region-name {region}",
        )

    if code == "SubscriptionRequiredException":
        return CredentialsError(
            f"the account is not signed up for the service ({code})",
            hint="let its owner open the service once in the AWS console; "
            "`aws sts get-caller-identity` shows which account it is",
        )

    if exc.operation_name == "AssumeRoleWithWebIdentity" and code:
        return CredentialsError(
            f"the web identity token is not accepted: {text or code}",
            hint="check the role's trust policy and AWS_ROLE_ARN: aws iam get-role",
        )

    return None


def _not_retrieved(
    exc: sdk.MetadataRetrievalError | sdk.CredentialRetrievalError, profile: str
) -> CredentialsError:
    provider, said = exc.kwargs.get("provider", ""), str(exc.kwargs.get("error_msg", ""))
    if provider == "custom-process":
        return _process_failed(profile, _shown(said) or "it ended with an error and said nothing")

    url = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    relative = os.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")
    if url or relative:
        host = urlsplit(url).netloc.rpartition("@")[2] or "169.254.170.2"
        call = '"$AWS_CONTAINER_CREDENTIALS_FULL_URI"'
        if relative:
            call = '"http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"'

        return CredentialsError(
            f"the credentials of the container cannot be fetched from {host}: {_shown(said)}",
            hint=f"curl -i {call}",
        )

    return CredentialsError(
        f"the credentials cannot be fetched: {_shown(said)}",
        hint=f"aws sts get-caller-identity --profile {shlex.quote(profile)}",
    )


def _file_missing(
    exc: OSError, profile: str, profiles: Mapping[str, Mapping[str, Any]]
) -> CredentialsError:
    path, reason = os.fspath(exc.filename), exc.strerror
    process = _process_of(profile, profiles)
    if process and shlex.split(process)[:1] == [path]:
        return _process_failed(profile, f"{path} cannot be started: {reason}")

    named = "AWS_WEB_IDENTITY_TOKEN_FILE"
    if path == os.environ.get(named):
        return CredentialsError(
            f"the web identity token cannot be read: {named} = {path}: {reason}",
            hint=f"mount the token there (see kubectl describe pod), or: unset {named}",
        )

    return CredentialsError(
        f"{path}, which the AWS settings of this machine name, cannot be read: {reason}",
        hint=f"aws configure list --profile {shlex.quote(profile)}",
    )


def _process_failed(profile: str, why: str) -> CredentialsError:
    return CredentialsError(
        f"credential_process of profile {profile} failed: {why}",
        hint=f"see what it says: aws configure export-credentials --profile {shlex.quote(profile)}",
    )


def _process_of(profile: str, profiles: Mapping[str, Mapping[str, Any]]) -> str:
    """The ``credential_process`` of a profile, or of one that it takes its credentials from."""
    seen: set[str] = set()
    while profile in profiles and profile not in seen:
        seen.add(profile)
        settings = profiles[profile]
        if process := str(settings.get("credential_process", "")):
            return process

        profile = str(settings.get("source_profile", ""))

    return ""


def _shown(text: str) -> str:
    """A text of another program on one line, without secrets."""
    line = hide_secrets(" ".join(text.split()))
    return line if len(line) <= TOLD_CHARACTERS else f"{line[: TOLD_CHARACTERS - 3]}..."
