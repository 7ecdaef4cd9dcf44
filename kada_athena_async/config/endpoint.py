"""Rules for endpoint URLs, to which queries and their results are sent."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from kada_athena_async.errors import Problem
from kada_athena_async.redact import hide_secrets

# The SDK reads these by itself, this one and one for each service behind an underscore; they are
# checked here because they redirect the same traffic.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
_VARIABLE = "AWS_ENDPOINT_URL"

# The IPv6 address of the instance metadata service, which hands out the machine's credentials.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
_METADATA_V6 = ipaddress.IPv6Address("fd00:ec2::254")

_EXAMPLE = "https://athena.example.com"


def check_endpoint(url: str, *, key: str = "endpoint_url") -> Problem | None:
    """The problem of *url* as an AWS endpoint, or None.

    Args:
        key: The name that the problem carries: the configuration key or environment variable.
    """
    found = _parsed(url)
    remedy = _remedy(found) if found else f"write a URL such as {_EXAMPLE}"
    return Problem(key, shown_url(url), remedy) if remedy else None


def webhook_remedy(url: str) -> str:
    """Remedy for a *url* that is no address of a webhook; empty if it is one."""
    example = "write a URL such as https://hooks.example.com/services/..."
    parts = _parsed(url)
    if not parts or parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        return example

    if parts.username is not None:
        return "leave user and password out of the URL"

    return _remedy(parts._replace(query="", fragment="")).replace("an AWS endpoint", "a host")


def check_aws_endpoint_variables(environment: Mapping[str, str]) -> list[Problem]:
    """Problems of the standard endpoint variables that the SDK would obey."""
    if environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return []

    problems = (
        check_endpoint(url, key=name)
        for name, url in sorted(environment.items())
        if url and (name == _VARIABLE or name.startswith(f"{_VARIABLE}_"))
    )
    return [problem for problem in problems if problem]


def check_aws_endpoint_files(
    profile: Mapping[str, object], files: Mapping[str, object]
) -> list[Problem]:
    """Problems of the endpoints in the AWS configuration files that the SDK would obey.

    Args:
        profile: The settings of the profile in use.
        files: All sections; those below ``services`` hold endpoints that a profile can refer to.
    """
    if str(profile.get("ignore_configured_endpoint_urls", "")).lower() == "true":
        return []

    services = _section(_section(files, "services"), str(profile.get("services", "")))
    found = {"endpoint_url": profile.get("endpoint_url")}
    found |= {
        f"{name}.endpoint_url": _section(services, name).get("endpoint_url") for name in services
    }
    problems = (check_endpoint(str(url), key=key) for key, url in found.items() if url)
    return [problem for problem in problems if problem]


def _section(settings: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = settings.get(name)
    return found if isinstance(found, Mapping) else {}


def _parsed(url: str) -> SplitResult | None:
    """The parts of *url*; None if it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # which is checked when it is looked at
    except ValueError:
        return None

    return parts


def _remedy(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if parts.port == 0:
        return "write a port between 1 and 65535"

    if parts.scheme not in ("http", "https") or not host:
        return f"write a URL such as {_EXAMPLE}"

    if parts.username is not None or parts.query or parts.fragment:
        return "write scheme, host and port only; no user, password, query or fragment"

    address = _address(host)
    if _hands_out_credentials(address, host):
        return "link-local and metadata addresses are refused; name an AWS endpoint"

    if parts.scheme == "http" and not _is_loopback(address, host):
        return "write https://; plain http is for loopback addresses only"

    return ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that *host* spells, in any of the spellings a resolver understands."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        # Resolvers also read 2852039166, 0xa9fea9fe and 169.254.43518 as addresses.
        if not re.fullmatch(r"[0-9a-fx]+(\.[0-9a-fx]+){0,3}", host) or not host[0].isdigit():
            return None

        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except OSError:
            return None

    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped

    return address


def _hands_out_credentials(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, host: str
) -> bool:
    if address is None:
        return host.rstrip(".") in ("instance-data", "instance-data.ec2.internal")

    return address.is_link_local or address.is_unspecified or address == _METADATA_V6


def _is_loopback(address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, host: str) -> bool:
    if address is None:
        return host == "localhost" or host.endswith(".localhost")

    return address.is_loopback


def shown_url(url: str) -> str:
    """*url* without what may be secret in it: user, password, query, fragment."""
    # Up to the last @: a password may hold a slash.
    shown = re.sub(r"(?s)([?#]).*", r"\1***", url)
    shown = re.sub(r"(?s)//.*@", "//***@", shown)
    return ascii(hide_secrets(shown)[:120])
