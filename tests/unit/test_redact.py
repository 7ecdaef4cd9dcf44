"""Secrets do not show, known ones in any form and unknown ones by their looks."""

from __future__ import annotations

import base64
import random
import string
from urllib.parse import quote

import pytest

from kada_athena_async.redact import HIDDEN, Redactor, hide_secrets
from tests.kit.growth import MAX_GROWTH, cpu_growth

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


@pytest.mark.parametrize(
    "text",
    [
        "/home/DataPlatform/Extracts2/Athena_prod_EU/2026-11-28/run",
        "s3://aws-athena-query-results-123456789012-us-east-1/Unsaved/2026/11/28/0a1b2c3d-e4f5-6789",
        "arn:aws:iam::123456789012:role/AWSReservedSSO_AdministratorAccess_0123456789abcdef",
        "20261128T061311Z-0a1b2c3d of run 3f786850e387550fdab836ed7e6dc881de23001b",
        "AwsDataCatalog.SalesReportingDatabase2026.CustomerOrderLineItemsSnapshot",
        "sv=2024-11-04 stays, and so does https://example.com:8443/a@b",
    ],
)
def test_names_paths_and_hashes_are_no_secrets(text: str) -> None:
    """A name that a message has to give is not taken for a key, however long."""
    assert hide_secrets(text) == text


def test_of_a_thousand_random_keys_hardly_one_is_taken_for_a_name() -> None:
    """Keys of AWS (40 characters of base64) and of Azure (88), drawn by a known seed."""
    rng = random.Random(7)
    alphabet = string.ascii_letters + string.digits + "+/"
    for length, end, at_most in ((40, "", 3), (86, "==", 1)):
        keys = ["".join(rng.choices(alphabet, k=length)) + end for _ in range(1000)]
        shown = [
            key
            for key in keys
            if hide_secrets(f"region = {key}: write") != f"region = {HIDDEN}: write"
        ]
        assert len(shown) <= at_most, (length, shown)


@pytest.mark.parametrize("piece", ["a://b:c", "aws_secret", "eyJabcdefgh-", '"', "sig=", "Ab1/"])
def test_cost_grows_with_the_length_of_a_text(piece: str) -> None:
    """A page of a proxy that a message quotes holds nobody up, whatever it is made of."""
    assert cpu_growth(hide_secrets, lambda n: piece * (n // len(piece)), 20_000) < MAX_GROWTH
