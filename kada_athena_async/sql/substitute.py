"""Substitution in long texts that lets other threads take their turn."""

from __future__ import annotations

import re
from collections.abc import Iterator

SHORT_CHARS = 8_192
"""A text of so many characters takes the pattern engine less than ten milliseconds."""


def substitute(pattern: re.Pattern[str], template: str, text: str) -> str:
    """Return ``pattern.sub(template, text)``.

    A single call of the pattern engine keeps the interpreter's lock to its end, and the event loop
    waits. In a long text each match is replaced by Python code, between which the lock is free.
    """
    if len(text) <= SHORT_CHARS:
        return pattern.sub(template, text)

    if "\\" not in template:
        return pattern.sub(lambda _: template, text)

    return pattern.sub(lambda match: match.expand(template), text)


def split_at(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    """Yield what lies before each match, and the match; at the end the rest, and nothing."""
    done = 0
    for match in pattern.finditer(text):
        yield text[done : match.start()], match.group()
        done = match.end()

    yield text[done:], ""
