"""STS: who am I, and sessions of roles; its own, because the front door must know each session."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4
from xml.sax.saxutils import escape

from kada_athena_async.sandbox.identity import Directory, Key, Principal
from kada_athena_async.sandbox.wire import AwsError, Reply, xml_reply

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


def answer(directory: Directory, caller: Key, name: str, parameters: Mapping[str, str]) -> Reply:
    """The reply to the STS operation *name*.

    Raises:
        AwsError: The caller may not, or the operation is not one of the two that exist here.
    """
    if name == "GetCallerIdentity":
        return identity_reply(caller.principal)

    if name == "AssumeRole":
        return session_reply(directory.assume(caller, parameters))

    raise AwsError("InvalidAction", f"the sandbox's STS has no {name}")


def identity_reply(principal: Principal) -> Reply:
    """The reply to GetCallerIdentity."""
    return _reply(
        "GetCallerIdentity",
        f"<UserId>{escape(principal.user_id)}</UserId>"
        f"<Account>{principal.account_id}</Account><Arn>{escape(principal.arn)}</Arn>",
    )


def session_reply(session: Key) -> Reply:
    """The reply to AssumeRole."""
    expires_at = session.expires_at
    stamp = f"{expires_at:%Y-%m-%dT%H:%M:%SZ}" if expires_at else ""
    return _reply(
        "AssumeRole",
        "<Credentials>"
        f"<AccessKeyId>{session.access_key_id}</AccessKeyId>"
        f"<SecretAccessKey>{session.secret}</SecretAccessKey>"
        f"<SessionToken>{session.token}</SessionToken>"
        f"<Expiration>{stamp}</Expiration></Credentials>"
        f"<AssumedRoleUser><AssumedRoleId>{escape(session.principal.user_id)}</AssumedRoleId>"
        f"<Arn>{escape(session.principal.arn)}</Arn></AssumedRoleUser>",
    )


def _reply(name: str, inner: str) -> Reply:
    return xml_reply(
        f'<{name}Response xmlns="{NAMESPACE}"><{name}Result>{inner}</{name}Result>'
        f"<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata></{name}Response>"
    )
