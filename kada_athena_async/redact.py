"""Secrets taken out of text, after it was put together and before anyone sees it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "***"

# Known secrets shorter than this would blank out innocent words.
_MIN_SECRET_CHARACTERS = 8

# What stands before the value is kept, the value goes, unless a message hides it already. What is
# tried from many places is bounded: the cost is in proportion to the text.
_VALUE = r"\s*[=:]\s*[\"']?)(?!\(hidden\))[^\s\"'&;,)}]+"
_PATTERNS = (
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    re.compile(r"()\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"),
    re.compile(r"(aws_?(?:secret(?!smanager)|session)[a-z_]{0,40}[\"']?" + _VALUE, re.IGNORECASE),
    re.compile(
        r"(\b(?:secret_?(?:access_?)?key|x-amz-security-token)[\"']?" + _VALUE, re.IGNORECASE
    ),
    re.compile(r"(SharedAccessSignature" + _VALUE, re.IGNORECASE),
    re.compile(r"(AccountKey" + _VALUE, re.IGNORECASE),
    re.compile(r"([?&;\s\"']sig=|^sig=)[^\s\"'&;]+", re.IGNORECASE),
    re.compile(r"(X-Amz-(?:Signature|Credential)=)[^\s\"'&]+", re.IGNORECASE),
    re.compile(r"(\bSignature=)[0-9a-f]{32,}", re.IGNORECASE),
    re.compile(r"()\beyJ[\w-]{8,1000}\.[\w-]{8,}\.[\w-]*"),
    # An account key of Azure.
    re.compile(r"()[A-Za-z0-9+/]{86}=="),
    re.compile(r"([\"'](?:secret|password|sas_token)[\"']" + _VALUE, re.IGNORECASE),
    # The user's part of a URL, up to its last @: a password may hold a slash.
    re.compile(r"(\w://)[^\s/@\"':]*:(?!\d*/)[^\s\"']{0,500}(?=@)"),
)

# A secret access key of AWS is 40 characters of base64, here also as the end of a path; an account
# key of Azure is 88.
_SECRET_KEY = re.compile(r"(?<![A-Za-z0-9+])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])")
_RUN = re.compile(r"[A-Za-z0-9+/=_%-]{32,}")
_CASE_CHANGE = re.compile(r"(?=[a-z][A-Z]|[A-Z][a-z])")
_DIGIT_CHANGE = re.compile(r"(?=[A-Za-z][0-9]|[0-9][A-Za-z])")


def hide_secrets(text: str) -> str:
    """*text* without anything that looks like a secret, for messages that quote what was written.

    Stricter than `Redactor` without known secrets: long runs of characters that look drawn at
    random go too. Names and paths change between upper case, lower case and digits far less often
    than base64 does.
    """
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\1{HIDDEN}", text)

    text = _SECRET_KEY.sub(lambda run: HIDDEN if _looks_random(run[0], 4, 1) else run[0], text)
    # Of random base64 a third and a quarter of all neighbours change between these.
    return _RUN.sub(
        lambda run: (
            HIDDEN if _looks_random(run[0], 0.15 * len(run[0]), 0.1 * len(run[0])) else run[0]
        ),
        text,
    )


def _looks_random(run: str, case_changes: float, digit_changes: float) -> bool:
    return (
        len(_CASE_CHANGE.findall(run)) >= case_changes
        and len(_DIGIT_CHANGE.findall(run)) >= digit_changes
    )


_READ_LATER: set[str] = set()


def hide_from_now_on(secrets: Iterable[str]) -> None:
    """Let every Redactor of this process hide *secrets* that were read while it ran."""
    _READ_LATER.update(form for secret in secrets for form in _forms(secret))


class Redactor:
    """Takes known secrets and whatever looks like one out of text.

    Args:
        secrets: The values known to be secret; also found URL-encoded and in base64.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {form for secret in secrets for form in _forms(secret)}
        # The longest first: a secret may contain another.
        alternatives = "|".join(re.escape(form) for form in sorted(known, key=len, reverse=True))
        self._known = re.compile(alternatives) if known else None

    def __call__(self, text: str) -> str:
        if self._known:
            text = self._known.sub(HIDDEN, text)

        for form in sorted(_READ_LATER, key=len, reverse=True):
            text = text.replace(form, HIDDEN)

        for pattern in _PATTERNS:
            text = pattern.sub(rf"\1{HIDDEN}", text)

        return text

    def __repr__(self) -> str:
        return "Redactor()"


def _forms(secret: str) -> list[str]:
    if len(secret) < _MIN_SECRET_CHARACTERS:
        return []

    encoded = base64.b64encode(secret.encode()).decode()
    return [secret, quote(secret, safe=""), encoded, encoded.rstrip("=")]
