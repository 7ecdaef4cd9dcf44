"""S18: the repository holds no secret, nor anything that looks like one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# The ids that AWS's own documentation uses for what is none.
EXAMPLES = {"AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"}

LOOKS_SECRET = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    # A secret access key of AWS has 40 characters, an account key of Azure 88 (with ==).
    r"|(?<![\w/+=.-])(?=[\w/+]*[A-Z])(?=[\w/+]*[a-z])(?=[\w/+]*[0-9])[A-Za-z0-9/+]{40}(?![\w/+=.-])"
    r"|\b[A-Za-z0-9/+]{86}=="
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\beyJ[\w-]{16,}\.[\w-]{16,}\."
    r"|[?&]sig=[\w%]{30,}"
)


def secrets_in(text: str) -> list[str]:
    found = LOOKS_SECRET.findall(text)
    # Paths and addresses have slashes too, but hardly upper case, lower case and digits in 40.
    return [match for match in found if match not in EXAMPLES and "://" not in match]


def test_no_tracked_file_holds_a_secret() -> None:
    """Neither code nor tests, documents or locks."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.split(b"\0")
    found = {}
    for name in filter(None, (part.decode() for part in names)):
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        if secrets := secrets_in(text):
            found[name] = secrets

    assert found == {}


@pytest.mark.parametrize(
    "parts",
    [
        ("AKIA", "Z7XQ4B2MPLQWERTY"),
        ("wJalrXUtnFEMIb7MDENG", "bPxRfiCYzq1Kd0Qw8sTe"),
        ("q" * 40, "Z9+/" * 11 + "ab=="),
        ("-----BEGIN RSA ", "PRIVATE KEY-----"),
        ("?sig=", "a" * 40),
    ],
)
def test_a_secret_would_be_found(parts: tuple[str, ...]) -> None:
    """Here in two parts, so that this file stays clean."""
    secret = "".join(parts)

    assert secrets_in(f'"secret": "{secret}", "more": 1')
    assert not any(secrets_in(part) for part in parts)
