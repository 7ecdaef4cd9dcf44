"""Text of a prepared statement at the time of an execution."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from operator import itemgetter

from kada_athena_async.sql.statement import deallocated_name, prepared_text

MAX_CHARS = 4_000_000
"""Of all texts of a workgroup together; when they are more, nothing is known of any of them."""

_CHANGE_CHARS = 200
"""What a change costs beside its text."""


class PreparedStatements:
    """The PREPARE and DEALLOCATE PREPARE statements of a window, by workgroup and name.

    A name is known in its workgroup (Athena user guide, "Querying with prepared statements").
    """

    def __init__(self) -> None:
        self._changes: dict[tuple[str, str], list[tuple[datetime, str | None]]] = {}
        self._chars = 0

    def note(self, workgroup: str, text: str, at: datetime | None) -> None:
        """Take note of a statement that succeeded, if it prepares or deallocates.

        Args:
            text: Masked, without comments.
            at: When it had its effect; one without a time is not noted.
        """
        if at is None or self._chars > MAX_CHARS:
            return

        prepared = prepared_text(text)
        name, changed = prepared or (deallocated_name(text), None)
        if name:
            self._chars += len(changed or "") + _CHANGE_CHARS
            self._changes.setdefault((workgroup, name), []).append((at, changed))
            if self._chars > MAX_CHARS:
                self._changes.clear()

    def in_force(self, workgroup: str, name: str, at: datetime | None) -> str | None:
        """The text of the statement *name* at a time; None if it is not known."""
        changes = self._changes.get((workgroup, name))
        if not changes or at is None:
            return None

        changes.sort(key=itemgetter(0))
        place = bisect_right(changes, at, key=itemgetter(0))
        return changes[place - 1][1] if place else None
