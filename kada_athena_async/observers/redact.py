"""Secrets taken out of text, after it was put together and before anyone sees it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "***"

# Known secrets shorter than this would blank out innocent words.
_MIN_SECRET_CHARACTERS = 8

# What stands before the value is kept, the value goes.
_VALUE = r"\s*[=:]\s*[\"']?)[^\s\"'&;,)}]+"
_PATTERNS = (
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    re.compile(r"()\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"),
    re.compile(r"(aws_?(?:secret|session)[a-z_]*[\"']?" + _VALUE, re.IGNORECASE),
    re.compile(
        r"(\b(?:secret_?(?:access_?)?key|x-amz-security-token)[\"']?" + _VALUE, re.IGNORECASE
    ),
    re.compile(r"(SharedAccessSignature" + _VALUE, re.IGNORECASE),
    re.compile(r"(AccountKey" + _VALUE, re.IGNORECASE),
    re.compile(r"([?&;\s\"']sig=|^sig=)[^\s\"'&;]+", re.IGNORECASE),
    re.compile(r"(X-Amz-(?:Signature|Credential)=)[^\s\"'&]+", re.IGNORECASE),
    re.compile(r"(\bSignature=)[0-9a-f]{32,}", re.IGNORECASE),
    re.compile(r"()\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
)


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
