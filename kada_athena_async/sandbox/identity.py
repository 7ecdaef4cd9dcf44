"""Identities of the sandbox: users with keys, roles, and the sessions of assumed roles."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kada_athena_async.sandbox.policy import Policy
from kada_athena_async.sandbox.wire import AwsError

MIN_SESSION_S = 900
MAX_SESSION_S = 43_200
# A role assumed with another role's session lives an hour at most (IAM User Guide, role chaining).
MAX_CHAINED_SESSION_S = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A user, or a role in a session."""

    arn: str
    account_id: str
    user_id: str
    policy: Policy

    def may(self, action: str, resource: str, *, region: str = "") -> bool:
        context = {"aws:principalarn": self.arn, "aws:requestedregion": region}
        return self.policy.allows(action, resource, context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An access key; a session's has a token and ends."""

    access_key_id: str
    secret: str
    principal: Principal
    token: str | None = None
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Key(access_key_id={self.access_key_id!r}, principal={self.principal.arn!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role that can be assumed.

    Attributes:
        trusted: ARNs of its trust policy; an account's root stands for all of the account.
        external_id: Demanded from whoever assumes it; None demands nothing.
    """

    arn: str
    policy: Policy
    trusted: tuple[str, ...]
    external_id: str | None = None
    max_session_s: int = MAX_SESSION_S


class Directory:
    """Every key, role and session of the sandbox; safe to use from any thread."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._keys: dict[str, Key] = {}
        self._roles: dict[str, Role] = {}
        self._guard = threading.Lock()

    def add_user(self, account_id: str, name: str, policy: Policy) -> Key:
        """A user with one access key."""
        user_id = f"AIDA{secrets.token_hex(8).upper()}"
        principal = Principal(
            arn=f"arn:aws:iam::{account_id}:user/{name}",
            account_id=account_id,
            user_id=user_id,
            policy=policy,
        )
        return self._add_key("AKIA", principal)

    def add_role(self, role: Role) -> None:
        self._roles[role.arn] = role

    def key(self, access_key_id: str) -> Key | None:
        return self._keys.get(access_key_id)

    def is_expired(self, key: Key) -> bool:
        return key.expires_at is not None and self._now() >= key.expires_at

    def expire_sessions(self) -> int:
        """Ends every session now; how many there were."""
        with self._guard:
            sessions = [key for key in self._keys.values() if key.token is not None]
            for key in sessions:
                expired = replace(key, expires_at=self._now() - timedelta(seconds=1))
                self._keys[key.access_key_id] = expired

        return len(sessions)

    def assume(self, caller: Key, parameters: Mapping[str, str]) -> Key:
        """A new session of the role that *parameters* of AssumeRole name.

        Raises:
            AwsError: The role does not exist, does not trust *caller*, or may not live so long.
        """
        arn = parameters.get("RoleArn", "")
        session_name = parameters.get("RoleSessionName", "")
        role = self._roles.get(arn)
        if role is None or not self._trusts(role, caller.principal, parameters.get("ExternalId")):
            raise AwsError(
                "AccessDenied",
                f"User: {caller.principal.arn} is not authorized to perform: sts:AssumeRole "
                f"on resource: {arn}",
                status=403,
            )

        session_s = _session_seconds(role, caller, parameters.get("DurationSeconds"))
        role_name = arn.rpartition("/")[2]
        account_id = arn.split(":")[4]
        principal = Principal(
            arn=f"arn:aws:sts::{account_id}:assumed-role/{role_name}/{session_name}",
            account_id=account_id,
            user_id=f"AROA{secrets.token_hex(8).upper()}:{session_name}",
            policy=role.policy,
        )
        expires_at = self._now() + timedelta(seconds=session_s)
        return self._add_key("ASIA", principal, token=secrets.token_hex(64), expires_at=expires_at)

    def _trusts(self, role: Role, caller: Principal, external_id: str | None) -> bool:
        root = f"arn:aws:iam::{caller.account_id}:root"
        is_trusted = root in role.trusted or caller.arn in role.trusted
        may_ask = caller.may("sts:AssumeRole", role.arn)
        return is_trusted and may_ask and role.external_id in (None, external_id)

    def _add_key(
        self,
        prefix: str,
        principal: Principal,
        *,
        token: str | None = None,
        expires_at: datetime | None = None,
    ) -> Key:
        key = Key(
            access_key_id=prefix + secrets.token_hex(8).upper(),
            secret=secrets.token_urlsafe(30),
            principal=principal,
            token=token,
            expires_at=expires_at,
        )
        with self._guard:
            self._keys[key.access_key_id] = key

        return key


def _session_seconds(role: Role, caller: Key, asked: str | None) -> int:
    session_s = int(asked) if asked and asked.isdigit() else 3_600
    if not MIN_SESSION_S <= session_s <= MAX_SESSION_S:
        raise AwsError(
            "ValidationError",
            f"durationSeconds must be between {MIN_SESSION_S} and {MAX_SESSION_S}",
        )

    if session_s > role.max_session_s:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )

    if caller.token is not None and session_s > MAX_CHAINED_SESSION_S:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed "
            "by role chaining.",
        )

    return session_s
