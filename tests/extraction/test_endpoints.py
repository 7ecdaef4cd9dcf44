"""S5: where calls go is what we were told, or it is said, or it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.errors import ConfigError
from kada_athena_async.events import Warned
from kada_athena_async.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("sandbox")


async def test_an_endpoint_of_the_environment_is_announced(
    sandbox: Sandbox, extractor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is used, and said once, with a landing too; our own configuration's needs no warning."""
    said: list[object] = []
    await extractor(observers=[said.append]).test_connection()
    assert not any(isinstance(event, Warned) for event in said)

    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.endpoint_url)
    sandbox.create_bucket("landing")
    made = extractor(endpoint_url=None, observers=[said.append], landing={"bucket": "landing"})
    await made.test_connection()

    (warning,) = (event for event in said if isinstance(event, Warned))
    assert warning.code == "endpoint"
    assert sandbox.endpoint_url in warning.message


@pytest.mark.parametrize(
    "lines",
    [
        "[default]\nendpoint_url = http://evil.example\n",
        "[default]\nservices = x\n[services x]\nsts =\n  endpoint_url = https://169.254.169.254\n",
    ],
    ids=["profile", "service"],
)
async def test_an_endpoint_of_the_aws_files_is_held_to_the_rules(
    extractor: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lines: str
) -> None:
    """Plain http to another machine, or the metadata service: refused before any call."""
    (tmp_path / "aws-config").write_text(lines)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))

    with pytest.raises(ConfigError, match=r"endpoint_url = '.*': (write https|link-local)"):
        await extractor(endpoint_url=None).test_connection()
