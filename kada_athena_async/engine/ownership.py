"""Refuses what belongs to another site or instance."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
import msgspec

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.codes import WarningCode
from kada_athena_async.config import Config
from kada_athena_async.errors import CredentialsError, StateError, UnitError, UnreachableError
from kada_athena_async.events import Observer, Warned
from kada_athena_async.hwm import Origin
from kada_athena_async.hwm.store import FileHwmStore
from kada_athena_async.sinks.journal import RunIntent
from kada_athena_async.version import __version__

if TYPE_CHECKING:
    from kada_athena_async.engine.connection import Connection

ACCOUNT_DEADLINE_S = 10.0
"""Without a way to STS the account stays unknown, without a wait through all retries."""

_ACCOUNT_ID = re.compile("[0-9]{12}")

_WORDS = {"server": "server", "region": "Region", "account_id": "account", "instance": "instance"}


@dataclass(slots=True)
class Owner:
    """The site and instance that runs, with its AWS account once something names one.

    Args:
        ask: Returns the id of the account that the credentials belong to, empty if it cannot be
            learned; awaited once at most.

    Attributes:
        account_id: What it returned; None before.
    """

    origin: Origin
    ask: Callable[[], Awaitable[str]]
    account_id: str | None = None

    async def check(self, other: Origin | None, what: str) -> None:
        """Refuse *what* if it is another's; see ``check_owner``.

        Raises:
            StateError: It is.
            CredentialsError: AWS does not accept us.
        """
        names_account = other is not None and other.account_id
        if names_account and not self.origin.account_id and self.account_id is None:
            self.account_id = await self.ask()
            self.origin = msgspec.structs.replace(self.origin, account_id=self.account_id)

        check_owner(self.origin, other, what)


def origin_of(config: Config, name: str, account_id: str = "") -> Origin:
    """The site and instance that *config* and *name* say.

    Args:
        account_id: Empty for that of the role, if the configuration names one.
    """
    return Origin(
        server=config.server,
        region=config.region,
        account_id=account_id or account_of_role(config),
        instance=name,
    )


def account_of_role(config: Config) -> str:
    """The account in the role's ARN; empty without a role."""
    return config.role.split(":")[4] if config.role else ""


async def ask_account(client: AwsClient, notify: Observer) -> str:
    """The id of the account that the credentials belong to; empty, and said, if unknown.

    STS needs no permission for that (STS API reference, GetCallerIdentity).

    Raises:
        CredentialsError: AWS does not accept us.
    """
    try:
        with anyio.fail_after(ACCOUNT_DEADLINE_S):
            caller = await client.call("sts", "GetCallerIdentity")
    except (TimeoutError, UnitError, UnreachableError) as exc:
        reason = "no answer" if isinstance(exc, TimeoutError) else exc.message
        notify(account_unknown(f"sts:GetCallerIdentity: {reason}"))
        return ""

    account_id = str(caller.get("Account") or "").strip()
    if not _ACCOUNT_ID.fullmatch(account_id):
        notify(account_unknown("sts:GetCallerIdentity: an answer without its twelve digits"))
        return ""

    return account_id


async def learn_account(
    open_connection: Callable[[Observer], AbstractAsyncContextManager[Connection]],
    notify: Observer,
    *,
    needs_it: bool = True,
) -> str:
    """The account that the credentials belong to; empty if it cannot be learned.

    Args:
        needs_it: False if it may stay unknown where AWS does not accept us.

    Raises:
        CredentialsError: AWS does not accept us.
    """
    try:
        async with open_connection(notify) as connection:
            return await connection.learn_account()
    except CredentialsError as exc:
        if needs_it:
            raise

        notify(account_unknown(exc.message))
        return ""


def account_unknown(reason: str) -> Warned:
    """A warning that accounts are not compared."""
    return Warned(
        code=WarningCode.ACCOUNT_UNKNOWN,
        message=f"the AWS account is not known ({reason}), so only server and Region are compared "
        "with those of earlier runs",
        hint="let this machine reach STS, or name a role, whose ARN holds the account",
    )


def check_owner(own: Origin, other: Origin | None, what: str) -> None:
    """Refuse *what* if *other*, whose it is, is not *own*; unknown parts are not compared.

    Args:
        other: None if nothing says whose it is.

    Raises:
        StateError: They differ; the sentence names how.
    """
    if problem := difference(own, other):
        raise StateError(
            f"{what} belongs to {problem}",
            hint="undo that change of the configuration; or give this one a name of its own "
            "with `name=...`, and its history begins anew",
        )


def check_output_path(store: FileHwmStore, other: str) -> None:
    """Refuse the high-water mark of runs that publish elsewhere, where they can meet by accident.

    Args:
        other: Where they publish; empty if unknown.

    Raises:
        StateError: It is another directory.
    """
    if store.is_chosen or other in ("", store.output_path):
        return

    raise StateError(
        f"the high-water mark {store.hwm_path} belongs to runs with output_path {other}, not "
        f"{store.output_path}: two configurations would share it",
        hint="give this one a name of its own with `name=...`; if output_path was moved, move what "
        f"was published there along, or type once `hwm_path=...` {store.hwm_path} "
        f'(with sites: set hwm_store to "{store.hwm_path.parent.as_uri()}")',
    )


def difference(own: Origin, other: Origin | None) -> str:
    """The fields of *other* that are not those of *own*, in words; empty if there are none.

    A field that is not known on both sides is not compared.
    """
    pairs = [(name, getattr(other, name, ""), getattr(own, name)) for name in _WORDS]
    return ", ".join(
        f"{_WORDS[name]} {theirs}, not {ours}"
        for name, theirs, ours in pairs
        if theirs and ours and theirs != ours
    )


def why_not_continued(intent: RunIntent, own: Origin, statements_digest: str) -> str:
    """Reason why this run must not continue an interrupted one; empty if it may.

    Args:
        statements_digest: Of the statements that are overwritten now.
    """
    if problem := difference(own, intent.origin):
        return f"it belongs to {problem}"

    if intent.version and intent.version != __version__:
        return f"version {intent.version} began it, this is {__version__}"

    if intent.version and intent.statements_digest != statements_digest:
        return "its statements were others"

    return ""
