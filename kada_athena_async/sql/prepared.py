"""Text of a prepared statement at the time of an execution."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from kada_athena_async.sql.names import split_name
from kada_athena_async.sql.tokens import Engine, significant_tokens

MAX_CHARS = 4_000_000
"""Of all texts of a workgroup together; when they are more, nothing is known of any of them."""

_CHANGE_CHARS = 200
"""Cost of a change beside its text."""


class _Change(NamedTuple):
    at: datetime
    name: str
    text: str | None


class PreparedStatements:
    """The PREPARE and DEALLOCATE PREPARE statements of a window, by workgroup and name.

    A name is known in its workgroup (Athena user guide, "Querying with prepared statements").
    """

    def __init__(self) -> None:
        self._changes: dict[tuple[str, str], list[_Change]] = {}
        self._texts: dict[str, str] = {}
        self._chars = 0

    def note(self, workgroup: str, sql: str, at: datetime | None) -> None:
        """Take note of a statement that succeeded, if it prepares or deallocates.

        Args:
            at: When it had its effect; one without a time is not noted.
        """
        if at is None or self._chars > MAX_CHARS:
            return

        if (change := _change(sql)) is None:
            return

        name, text = change
        self._chars += _CHANGE_CHARS
        if text is not None and text not in self._texts:  # many programs prepare the same anew
            self._texts[text] = text
            self._chars += len(text)
        kept = None if text is None else self._texts[text]
        self._changes.setdefault((workgroup, name.lower()), []).append(_Change(at, name, kept))
        if self._chars > MAX_CHARS:
            self._changes.clear()
            self._texts.clear()

    def in_force(self, workgroup: str, name: str, at: datetime | None) -> str | None:
        """The text of the statement *name* at a time; None if it is not known.

        Nobody says whether names that differ only in case are two. Where that makes a difference,
        nothing is known.
        """
        changes = self._changes.get((workgroup, name.lower()))
        if not changes or at is None:
            return None

        changes.sort(key=itemgetter(0))
        earlier = changes[: bisect_right(changes, at, key=itemgetter(0))]
        spelled = [change for change in earlier if change.name == name]
        newest = {change[-1].text for change in (earlier, spelled) if change}
        return newest.pop() if len(newest) == 1 else None


def _change(sql: str) -> tuple[str, str | None] | None:
    """The name and the text of the statement that PREPARE makes; no text if it is dropped."""
    tokens = significant_tokens(sql, Engine.TRINO)
    first = list(islice(tokens, 3))
    if len(first) < 3:
        return None

    verb, second, third = (sql[token.start : token.end] for token in first)
    words = verb.lower(), second.lower(), third.lower()
    if words[:2] == ("deallocate", "prepare"):
        return _name(third)

    if words[0] != "prepare" or words[2] != "from":
        return None

    named = _name(second)
    return named and (named[0], sql[first[2].end :].strip())


def _name(text: str) -> tuple[str, None] | None:
    parts = split_name(text, keeps_case=True)
    return (parts[0], None) if parts else None
