"""Secrets do not show, known ones in any form and unknown ones by their looks."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from kada_athena_async.observers.redact import Redactor

SECRET = "wJalr/XUtnFEMI+K7MDENG=bPxRfi"


@pytest.mark.parametrize(
    "form", [SECRET, quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode()]
)
def test_a_known_secret_is_hidden_in_every_form(form: str) -> None:
    """Plain, URL-encoded, base64."""
    assert Redactor([SECRET])(f"before {form} after") == "before *** after"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("key AKIAIOSFODNN7EXAMPLE was refused", "key *** was refused"),
        ("ASIAIOSFODNN7EXAMPLE", "***"),
        ("aws_secret_access_key = canary1", "aws_secret_access_key = ***"),
        ('{"aws_session_token": "canary1"}', '{"aws_session_token": "***"}'),
        ("secretAccessKey=canary1&x=1", "secretAccessKey=***&x=1"),
        ("X-Amz-Security-Token: canary1", "X-Amz-Security-Token: ***"),
        ("https://h/c?sv=1&sig=canary1%3D&se=2", "https://h/c?sv=1&sig=***&se=2"),
        ("SharedAccessSignature=canary1", "SharedAccessSignature=***"),
        ("AccountName=a;AccountKey=canary1==;X=1", "AccountName=a;AccountKey=***;X=1"),
        ("X-Amz-Signature=canary1&a=b", "X-Amz-Signature=***&a=b"),
        ("Bearer eyJhbGciOiJI.eyJzdWIiOiIx.canary1", "Bearer ***"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, left: str) -> None:
    """Though nobody told us about it; what stands around it stays."""
    assert Redactor()(text) == left


def test_harmless_text_stays_whole() -> None:
    """Words that resemble secrets' names are not damaged, nor any word by a short secret."""
    text = "design=1 signal the secretary about SECRET tables of AKIA at /x?y=1"

    assert Redactor(["a", ""])(text) == text


def test_its_repr_tells_nothing() -> None:
    """A redactor in a traceback or log gives nothing away."""
    assert SECRET not in repr(Redactor([SECRET]))
