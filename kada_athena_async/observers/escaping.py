"""Text from elsewhere, made harmless for a terminal or a log."""

from __future__ import annotations

import re

# C0, DEL and C1 move the cursor, retitle the window or fill the clipboard (CWE-150); the bidi
# controls reorder what a reader sees; the two separators and the surrogates break a line or the
# encoder. https://www.unicode.org/reports/tr36/ and CWE-117 (log forging).
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)

_SHORT = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}


def escape(text: str, *, limit: int = 300, keep: str = "") -> str:
    """*text* as one harmless line.

    Args:
        limit: Characters at most; what is longer ends in ``...``.
        keep: Control characters left as they are, such as the line ends of a traceback.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text  # most texts are names, and there are millions

    shown = _UNSAFE.sub(lambda m: m[0] if m[0] in keep else _escaped(m[0]), text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: max(limit - 3, 0)]}..."


def one_line(text: str, *, limit: int = 300) -> str:
    """*text* as one harmless line, its own line ends and runs of blanks as single blanks."""
    return escape(" ".join(text[: 2 * limit].split()), limit=limit)


def _escaped(character: str) -> str:
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
