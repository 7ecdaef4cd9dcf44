"""Refusals of AWS: who refused a call, in which words, and the remedy; pure.

AWS words a refusal by the policy that made it (IAM User Guide, "Troubleshoot access denied error
messages"); Lake Formation, KMS and IAM Identity Center have words of their own. Allowing the
action to the role helps against none of them but the first.
"""

from __future__ import annotations

import re
from typing import NamedTuple

WORDS_CHARS = 300
"""Characters of the service's own words at most."""


class Refusal(NamedTuple):
    """The party that refused a call.

    Attributes:
        by: Such as ``a service control policy``; empty where it is IAM as usual.
        words: What it said, without names of persons; empty if it says nothing of its own.
        hint: What helps.
    """

    by: str
    words: str
    hint: str


_ROLE = "the role or user of the run"

# The first that is found in the text decides. "{action}" and "{grant}" are filled in.
_REFUSERS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(f"(?i){pattern}"), by, hint)
    for pattern, by, hint in (
        (
            r"lake ?formation",
            "Lake Formation",
            f"grant {{grant}} in Lake Formation to {_ROLE}; a policy of IAM does not help",
        ),
        (
            r"\A(?!.*lambda:InvokeFunction).*lambda ?function",
            "the connector's Lambda function",
            "mend what the role of the connector's Lambda function may do, or exclude its catalog",
        ),
        (
            r"service control polic",
            "a service control policy",
            "ask the administrators of the AWS organization to allow {action}; "
            "a policy of this account does not help",
        ),
        (
            r"resource control polic",
            "a resource control policy",
            "ask the administrators of the AWS organization that owns the resource to allow "
            "{action}",
        ),
        (
            r"vpc ?endpoint polic|vpce polic",
            "a VPC endpoint policy",
            "allow {action} in the policy of the VPC endpoint that the calls of this machine "
            "go through",
        ),
        (
            r"permissions? boundar",
            "a permissions boundary",
            f"allow {{action}} in the permissions boundary of {_ROLE} too",
        ),
        (
            r"session polic",
            "a session policy",
            "make the session without a policy of its own, or with one that allows {action}",
        ),
        (
            r"identity cent(?:er|re)|trusted identity propagation|\bidc\b",
            "IAM Identity Center",
            "such a workgroup serves people who sign in, not roles: name it in "
            "exclude_workgroups, or assign the caller to its Identity Center application",
        ),
        (
            r"\bkms\b|\bkms:",
            "a key of AWS KMS",
            f"allow {{action}} on the key to {_ROLE}, in the policy of the key as well",
        ),
        (
            r"resource-based polic|bucket polic",
            "a resource-based policy",
            "let the owner of the resource allow {action} in its policy: the resource policy of "
            "the Glue catalog, or the policy of the bucket",
        ),
        (
            r"explicit deny",
            "an explicit deny",
            f"take {{action}} out of the deny in a policy of {_ROLE}; allowing it does not help",
        ),
        (
            r"\(service: (?:amazon )?s3\b",
            "S3",
            f"allow s3:GetObject, s3:PutObject and s3:ListBucket to {_ROLE} on the bucket of the "
            "query results, and s3:GetObject on the buckets of the tables",
        ),
    )
)
_GRANT = re.compile(r"Required ([A-Za-z_, ]{3,80}?) on ([^\s;]{1,200})")

# The usual refusal, which says no more than the action and that IAM allows it nowhere.
_USUAL = re.compile(r"(?i)not authorized to perform:? |identity-based polic")

# A database, a role or a workgroup may be named after any of the refusers.
_ARN = re.compile(r"\barn:aws[a-z-]{0,20}:[^\s,;)]{1,2000}")

_PRINCIPAL = re.compile(r"arn:[a-z-]{2,20}:(?:sts|iam)::[0-9*]{0,12}:[^\s,;)]{1,300}")
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}")
_ENCODED = re.compile(r"(?is)encoded authorization failure message:.{0,100000}")


def refusal_of(text: str, *, action: str) -> Refusal:
    """The party that refused *action*, read from the message *text*."""
    words = _warned(text)
    said = _ARN.sub("", text)
    for pattern, by, hint in _REFUSERS:
        if pattern.search(said):
            grant = _GRANT.search(text)
            wanted = f"{grant[1].upper()} on {grant[2]}" if grant else "DESCRIBE"
            return Refusal(by, words, hint.format(action=action, grant=wanted))

    return Refusal("", "" if _USUAL.search(text) else words, f"allow {action} to {_ROLE}")


def _warned(text: str) -> str:
    """*text* as it may be shown: it names persons and holds messages for administrators only."""
    hidden = _MAIL.sub("?", _PRINCIPAL.sub("?", _ENCODED.sub("", text)))
    return " ".join(hidden.split())[:WORDS_CHARS]
