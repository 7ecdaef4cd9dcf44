"""The SDK's session, with our HTTP session under every client and every fetcher of credentials."""

from __future__ import annotations

import getpass
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from subprocess import CompletedProcess
from typing import Any

import anyio
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

from kada_athena_async.aws.credentials_error import check_sections, credentials_error, mfa_error
from kada_athena_async.aws.http_session import HttpSession, HttpSettings
from kada_athena_async.aws.network import Contact, make_context
from kada_athena_async.aws.sdk_models import SdkModels

# A lost first packet is sent again after 1 s and after 3 s.
CONNECT_TIMEOUT_S = 4
READ_TIMEOUT_S = 30
POOL_CONNECTIONS = 64

# ListObjects and GetObject of a bucket elsewhere answer with its region; the SDK asks there.
_REDIRECTED_SERVICE = "s3"


class _CompletedProcess(CompletedProcess[bytes]):
    """A process that has ended, where the SDK expects one that runs."""

    async def communicate(self) -> tuple[bytes, bytes]:
        return self.stdout, self.stderr


async def _run_process(*command: str, **_: Any) -> _CompletedProcess:
    """Run a ``credential_process`` to its end; kill and reap it if nobody waits any longer."""
    outputs: dict[str, bytes] = {}

    async def read(name: str) -> None:
        outputs[name] = b"".join([chunk async for chunk in getattr(process, name)])

    # Cancelled while it starts one, asyncio kills the process and leaves it unreaped.
    with anyio.CancelScope(shield=True):
        process = await anyio.open_process(command, stdin=None)

    async with process, anyio.create_task_group() as tasks:
        tasks.start_soon(read, "stdout")
        tasks.start_soon(read, "stderr")
        code = await process.wait()

    return _CompletedProcess(command, code, **outputs)


class SdkSession(AioSession):  # type: ignore[misc]  # aiobotocore ships no types
    """An ``AioSession`` that talks to verified hosts only; blocks while it is made.

    Clients that the credential chain makes (STS, SSO, OIDC) are its own too: they neither retry
    nor wait longer than ours do.

    Args:
        region: Of the clients; its partition's hosts are the only ones that redirects may name.
        http: Settings of another session, to share; None to read the trusted certificates anew.

    Attributes:
        contact: True if AWS was ever reached.

    Raises:
        ConfigError: The file of trusted certificates cannot be read.
        CredentialsError: The profile has a value where a section belongs.
        botocore.exceptions.ProfileNotFound: There is no such profile.
    """

    def __init__(
        self,
        models: SdkModels,
        *,
        region: str,
        profile: str = "",
        http: HttpSettings | None = None,
    ) -> None:
        super().__init__(profile=profile or None)
        # Read now: a missing profile would otherwise show up anywhere later.
        settings, file = self.get_scoped_config(), str(self.get_config_variable("config_file"))
        check_sections(settings, profile=self.profile_name, file=file)
        models.describe(self)
        # "auto" would ask the instance metadata for the region, and set what we set ourselves.
        self.set_config_variable("defaults_mode", "legacy")
        self.http = http or self._settings(region)
        self.contact = self.http.contact

    def _settings(self, region: str) -> HttpSettings:
        partition = self._partition(region)
        outputs = partition["outputs"]
        return HttpSettings(
            context=make_context(self.get_config_variable("ca_bundle")),
            contact=Contact(),
            suffixes=(outputs["dnsSuffix"], outputs["dualStackDnsSuffix"]),
            region_pattern=partition["regionRegex"],
            connect_timeout_s=CONNECT_TIMEOUT_S,
            read_timeout_s=READ_TIMEOUT_S,
            connections=POOL_CONNECTIONS,
        )

    def _partition(self, region: str) -> Mapping[str, Any]:
        partitions: list[Mapping[str, Any]] = self.get_component("data_loader").load_data(
            "partitions"
        )["partitions"]
        found = (p for p in partitions if region in p["regions"])
        near = (p for p in partitions if re.fullmatch(p["regionRegex"], region))
        return next(found, None) or next(near, None) or partitions[0]

    async def _create_client(
        self, service_name: str, *args: Any, config: AioConfig | None = None, **kwargs: Any
    ) -> Any:
        own = AioConfig(retries={"total_max_attempts": 1})
        try:
            client = await super()._create_client(
                service_name, *args, config=own.merge(config) if config else own, **kwargs
            )
        except Exception as exc:
            region, profiles = str(kwargs.get("region_name")), self.full_config["profiles"]
            error = credentials_error(
                exc, profile=self.profile_name, region=region, profiles=profiles
            )
            if error:
                raise error from exc

            raise

        client._endpoint.http_session = HttpSession(
            self.http,
            endpoint_url=client.meta.endpoint_url,
            region_redirects=service_name == _REDIRECTED_SERVICE,
        )
        return client

    def _create_credential_resolver(self) -> Any:
        """The SDK's chain, which would open connections and leave processes of its own."""
        resolver = super()._create_credential_resolver()
        for provider in resolver.providers:
            self._own_processes(provider)
            if hasattr(provider, "_prompter"):
                provider._prompter = self._ask_code

            for name in ("_fetcher", "_role_fetcher"):
                fetcher: Any = getattr(provider, name, None)
                if hasattr(fetcher, "_session"):
                    fetcher._session = self._metadata_session(fetcher)

        return resolver

    def _own_processes(self, provider: Any) -> None:
        """Have *provider*, and the profiles that it leads to, run processes by us."""
        if hasattr(provider, "_popen"):
            provider._popen = _run_process

        builder = getattr(provider, "_profile_provider_builder", None)
        if builder is not None:
            make = builder._create_process_provider

            def make_own(profile_name: str) -> Any:
                process = make(profile_name)
                process._popen = _run_process
                return process

            builder._create_process_provider = make_own

    @property
    def profile_name(self) -> str:
        """The AWS profile in use."""
        return self.get_config_variable("profile") or "default"

    def _ask_code(self, prompt: str) -> str:
        """The code of an MFA device, typed at the terminal.

        Raises:
            CredentialsError: There is no terminal.
        """
        if not (sys.stdin and sys.stdin.isatty()):
            raise mfa_error(self.profile_name, "there is no terminal to type it")

        return getpass.getpass(prompt)

    def _metadata_session(self, fetcher: Any) -> HttpSession:
        wait_s = getattr(fetcher, "_timeout", None) or fetcher.TIMEOUT_SECONDS
        # Of its own contact: that a machine knows its role does not mean that AWS is reached.
        settings = replace(
            self.http, contact=Contact(), connect_timeout_s=wait_s, read_timeout_s=wait_s
        )
        return HttpSession(settings, endpoint_url=None)
