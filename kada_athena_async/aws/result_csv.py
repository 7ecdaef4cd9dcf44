"""Splits the CSV of an Athena result object exactly, as it streams in.

The format, as Athena writes it: every value in double quotes, ``"`` doubled, NULL as nothing
between the commas, so that NULL and the empty string differ; line feeds may stand inside quotes; a
row of one NULL column is an empty line. No reader of the standard library keeps NULL apart.
"""

from __future__ import annotations

import codecs
import re

Row = list[str | None]

_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|)(?:,|$)', re.DOTALL)


class ResultCsv:
    """Push parser: feed it bytes, take rows; the header row comes first, like any row.

    Args:
        columns: Number of columns; 1 makes an empty line a row with one NULL.
    """

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._tail = ""

    def feed(self, data: bytes) -> list[Row]:
        """Rows that *data* completes, in order."""
        lines = (self._tail + self._decode(data)).split("\n")
        self._tail = lines.pop()
        rows: list[Row] = []
        pending: str | None = None
        for line in lines:
            text = line if pending is None else f"{pending}\n{line}"
            parts = text.split('"')
            # An even number of quotes means that no quoted value is still open.
            if len(parts) % 2:
                rows.append(_row_of(text, parts))
                pending = None
            else:
                pending = text

        if pending is not None:
            self._tail = f"{pending}\n{self._tail}"

        return rows

    def finish(self) -> list[Row]:
        """The last row if the object does not end in a line feed.

        Raises:
            ValueError: The object ends in the middle of a value.
        """
        tail = self._tail + self._decode(b"", True)
        self._tail = ""
        if not tail:
            return []

        parts = tail.split('"')
        if len(parts) % 2 == 0:
            raise ValueError("the result object ends in the middle of a value")

        return [_row_of(tail, parts)]


def _row_of(line: str, parts: list[str]) -> Row:
    """Cells of *line*, given its pieces between the double quotes."""
    if len(parts) == 1:
        return [None] * (len(line) + 1)

    between = parts[2:-1:2]
    if not parts[0] and not parts[-1] and between.count(",") == len(between):
        return [*parts[1::2]]

    if "" in between:
        return _row_with_quotes(line)

    row: Row = [None] * len(parts[0])
    last = len(parts) - 1
    for index in range(1, last, 2):
        row.append(parts[index])
        commas = len(parts[index + 1])
        row.extend([None] * (commas if index + 1 == last else commas - 1))

    return row


def _row_with_quotes(line: str) -> Row:
    """Cells of a line in which a value holds a doubled quote: rare, so a pattern will do."""
    row: Row = []
    position = 0
    while True:
        match = _FIELD.match(line, position)
        if match is None:
            raise ValueError("not a line of an Athena result object")

        value = match[1]
        row.append(None if value is None else value.replace('""', '"'))
        position = match.end()
        if position >= len(line):
            if match[0].endswith(","):
                row.append(None)

            return row
