"""S6: what strangers wrote does nothing to the terminal but show itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("needs a POSIX pseudo-terminal", allow_module_level=True)

from kada_athena_async.sandbox import Sandbox
from tests.acceptance.test_terminal import CURSOR, STYLE, on_terminal
from tests.kit.estates import few_schemas

# Retitles the window, fills the clipboard, clears the screen, reverses text, forges a line.
PAYLOAD = "\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x1b[2J\x9b31m\u202etxet\ncommitted after 1 s"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with few_schemas(scale=0.02) as running:
        running.faults.add(
            "error", "athena:ListQueryExecutions", code="InvalidRequestException", message=PAYLOAD
        )
        yield running


def test_s6_a_message_of_aws_is_harmless_on_a_terminal(
    configure: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    """Shown with its escapes spelt out, in one line; title, clipboard and screen are left alone."""
    configure(metadata_source="api")

    code, seen, _ = on_terminal(["run"], columns=200, cwd=tmp_path, environment=environment)

    text = CURSOR.sub("", STYLE.sub("", seen))
    assert code == 1
    assert r"\x1b]0;owned\x07" in text
    assert not set(text) & set("\x1b\x07\x9b\u202e")
    assert "\x1b[2J" not in seen
    assert not any(line.startswith("committed after") for line in text.splitlines())
