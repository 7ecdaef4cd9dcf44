"""Text from elsewhere does nothing but show itself."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from kada_athena_async.observers.escaping import escape

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT, st.integers(min_value=3, max_value=50))
def test_whatever_comes_is_shown_as_one_harmless_line(text: str, limit: int) -> None:
    """No control, no bidi control, no line break, no surrogate, and never longer than asked."""
    shown = escape(text, limit=limit)

    assert len(shown) <= limit
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    shown.encode()


def test_other_scripts_stay_as_they_are() -> None:
    """A name in any script is readable."""
    assert escape("продажи 売上 مبيعات é") == "продажи 売上 مبيعات é"


def test_what_was_escaped_can_be_read() -> None:
    """The escapes are those a programmer knows."""
    assert escape("a\x1b[2J\tb\u202e") == r"a\x1b[2J\tb\u202e"
    assert escape("a\nb\x07", keep="\n") == "a\nb\\x07"


def test_long_text_is_cut() -> None:
    """A query of 256 KB does not fill the screen."""
    assert escape("x" * 262_144, limit=10) == "xxxxxxx..."
