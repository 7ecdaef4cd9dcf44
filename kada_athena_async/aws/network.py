"""The way to AWS: whose certificates are trusted, where requests may go, and what went wrong."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from botocore.exceptions import EndpointConnectionError
from botocore.httpsession import ProxyConfiguration, get_cert_path
from botocore.utils import get_environ_proxies

from kada_athena_async.config import shown_url
from kada_athena_async.errors import ConfigError, NetworkError, Problem, UnreachableError

CA_VARIABLES = ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""Environment variables that name a file (or directory) of trusted certificates, first one wins."""

# Unique local addresses of the metadata services of EC2, ECS and EKS.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
_METADATA_V6 = ipaddress.IPv6Network("fd00:ec2::/32")

# Numbers of OpenSSL's X509_V_ERR_*.
# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_CERTIFICATE_PROBLEMS: Mapping[int, tuple[str, str]] = {
    7: ("is signed by an authority that is not trusted here", ""),
    9: ("is not valid yet", "check the clock of this machine"),
    10: ("has expired", "check the clock of this machine, and what stands between it and AWS"),
    18: ("is self-signed", ""),
    19: ("is signed by an authority that is not trusted here", ""),
    20: ("is signed by an authority that is not trusted here", ""),
    21: ("is signed by an authority that is not trusted here", ""),
    62: ("is for another host", "check endpoint_url, the proxy and the DNS"),
    64: ("is for another host", "check endpoint_url, the proxy and the DNS"),
}
_TRUST_HINT = (
    "if a proxy of your company inspects TLS, name its authority's file in AWS_CA_BUNDLE; "
    "otherwise check endpoint_url, the proxy and the DNS"
)


class NotConnectedError(EndpointConnectionError):  # type: ignore[misc]  # botocore ships no types
    """Raised when no connection came about; the SDK's credential chain takes it for its own.

    Args:
        url: The endpoint, without path.
        reason: Such as ``connection refused``.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(endpoint_url=url, error=reason)
        self.url = url
        self.reason = reason


@dataclass(slots=True)
class Contact:
    """Record that AWS was reached at least once.

    Attributes:
        is_made: True once a connection, TLS included, came about.
    """

    is_made: bool = False


UNREACHED_KEPT_S = 60.0
"""Time for which it counts that nobody reached a host: the network may come back meanwhile."""


@dataclass(slots=True)
class UnreachedHosts:
    """Endpoints to which no connection came about; clients that share it wait for them once."""

    _found: dict[str, tuple[str, str, float]] = field(default_factory=dict)

    def note(self, endpoint_url: str, url: str, reason: str, *, now_s: float) -> None:
        """Note that nobody reached *url*, a host of the service at *endpoint_url*.

        Args:
            now_s: A monotonic time.
        """
        self._found[origin(endpoint_url)] = (url, reason, now_s)

    def error(self, endpoint_url: str, *, now_s: float) -> UnreachableError | None:
        """The error for *endpoint_url* if it was found unreachable lately; None if not."""
        url, reason, at_s = self._found.get(origin(endpoint_url), ("", "", 0.0))
        if not url or now_s - at_s > UNREACHED_KEPT_S:
            return None

        return unreachable_error(url, reason)


def ca_bundle(environment: Mapping[str, str], of_profile: str | None) -> tuple[str, str]:
    """Path of the trusted certificates, and the setting that names it; empty if none does.

    Args:
        of_profile: ``ca_bundle`` of the AWS configuration files.
    """
    settings = [(name, environment.get(name, "")) for name in CA_VARIABLES]
    settings.insert(1, ("ca_bundle", of_profile or ""))
    for name, path in settings:
        if path:
            return path, name

    return str(get_cert_path(True)), ""


def make_context(of_profile: str | None = None) -> ssl.SSLContext:
    """Blocks. A context that checks certificates and host names, with or without a proxy.

    The SDK's own leaves host names unchecked, and through a proxy everything. It is the same as
    before while the file of trusted certificates is: reading one takes 20 ms, for each site.

    Raises:
        ConfigError: The file of trusted certificates cannot be read.
    """
    path, source = ca_bundle(os.environ, of_profile)
    try:
        found = Path(path).stat()
        return _context(path, found.st_mtime_ns, found.st_size, found.st_ino)
    except OSError as exc:
        why = "holds no certificate" if isinstance(exc, ssl.SSLError) else exc.strerror
        remedy = f"{why}; name a file of trusted certificates (PEM), or remove the setting"
        raise ConfigError(
            [Problem(source or "certifi", repr(path), remedy)], source="network settings"
        ) from exc


@lru_cache(maxsize=8)
def _context(path: str, *_version: int) -> ssl.SSLContext:
    """The context of the certificates in a file or directory, which are read once a version."""
    is_directory = Path(path).is_dir()
    context = ssl.create_default_context(
        cafile=None if is_directory else path, capath=path if is_directory else None
    )
    # Python 3.13 asks for more than the authorities of many companies' proxies have.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for *url*; None for a direct connection.

    Plain http goes to this machine and to the metadata services only, so it has no business with
    a proxy, nor has anything else for them: it would show credentials to it.
    """
    host = urlsplit(url).hostname or ""
    if not url.startswith("https:") or is_near(host):
        return None

    proxy: str | None = ProxyConfiguration(proxies=get_environ_proxies(url)).proxy_url_for(url)
    return proxy


def is_near(host: str) -> bool:
    """True if *host* is this machine, or an address that no router passes on."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")

    is_metadata = isinstance(address, ipaddress.IPv6Address) and address in _METADATA_V6
    return address.is_loopback or address.is_link_local or is_metadata


def origin(url: str) -> str:
    """Scheme, host and port of *url*: what a message may show."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def reason_of(error: BaseException) -> str:
    """The reason why a connection failed, in words."""
    cause: BaseException = getattr(error, "os_error", error)
    if isinstance(cause, socket.gaierror):
        return "unknown host"

    if isinstance(cause, (ConnectionResetError, ssl.SSLError)):
        return "the connection was closed before it stood"

    number = getattr(cause, "errno", None)
    if number == errno.ECONNREFUSED:
        return "connection refused"

    # What asyncio says of several addresses carries no number.
    if number is None and "Connect call failed" in str(cause):
        return "connection refused"

    text = os.strerror(number).lower() if number else type(cause).__name__
    return "timed out" if number == errno.ETIMEDOUT else text


def tls_error(url: str, cause: BaseException, proxy: str | None) -> NetworkError:
    """The error for a TLS failure of the host of *url*."""
    host = urlsplit(url).hostname or ""
    way = f" (through the proxy {_shown(proxy)})" if proxy else ""
    if isinstance(cause, ssl.SSLCertVerificationError):
        problem, hint = _CERTIFICATE_PROBLEMS.get(
            cause.verify_code, (f"cannot be verified: {cause.verify_message}", "")
        )
        return NetworkError(
            f"the certificate of {host}{way} {problem}: nothing was sent", hint=hint or _TRUST_HINT
        )

    reason = getattr(cause, "reason", None) or type(cause).__name__
    return NetworkError(
        f"{host}{way} does not speak TLS as it should ({reason}): nothing was sent",
        hint="check endpoint_url, the proxy, and what stands between this machine and AWS",
    )


def redirect_error(url: str, status: int, location: str) -> NetworkError:
    """An answer that sends us elsewhere."""
    target = f" to {origin(location)}" if "//" in location else ""
    return NetworkError(
        f"{origin(url)} answered {status}, a redirect{target}: redirects are not followed",
        hint="AWS sends none; check endpoint_url, the proxy, and whether this network asks for a "
        "login",
    )


def proxy_error(url: str, proxy: str, status: int) -> NetworkError:
    """A proxy that refuses to connect us."""
    if status == 407:
        remedy = "put user and password into HTTPS_PROXY, as in http://user:password@proxy:3128"
        why = "asks for a login (407)"
    else:
        remedy = f"let the proxy pass {urlsplit(url).hostname}:443, or name the host in NO_PROXY"
        why = f"refuses to connect to {origin(url)} ({status})"

    return NetworkError(f"the proxy {_shown(proxy)} {why}", hint=remedy)


def unreachable_error(url: str, reason: str) -> UnreachableError:
    """An endpoint that was never reached."""
    return UnreachableError(
        f"{url} cannot be reached: {reason}",
        hint="check region, HTTPS_PROXY and NO_PROXY, and that the network has a way there: a "
        "route to the internet or a VPC endpoint of the service",
    )


def not_connected(url: str, proxy: str | None, reason: str, *, is_proxy: bool) -> NotConnectedError:
    """No connection to the host of *url*, or to the proxy before it."""
    if proxy and is_proxy:
        reason = f"the proxy {_shown(proxy)}: {reason}"
    elif proxy:
        reason = f"{reason} (through the proxy {_shown(proxy)})"

    return NotConnectedError(origin(url), reason)


def _shown(proxy: str | None) -> str:
    return shown_url(proxy or "").strip("'")
