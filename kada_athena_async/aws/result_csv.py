"""Splits the CSV of an Athena result object exactly, as it streams in.

The format, as Athena writes it: every value in double quotes, ``"`` doubled, NULL as nothing
between the commas, so that NULL and the empty string differ; line feeds may stand inside quotes; a
row of one NULL column is an empty line. No reader of the standard library keeps NULL apart, unless
it is marked first.
"""

from __future__ import annotations

import codecs
import csv
import re
from io import StringIO
from typing import TypeAlias

Cells: TypeAlias = "list[list[str | None]]"
"""Rows of a result, column by column: a list for each column, all of one length; None for NULL.
No lists at all if there is no row. A list for each row would keep the garbage collector busy."""

# Stands for NULL while the csv module reads; Athena's own texts hold none, and where one does
# the slow way is taken.
_NULL = "\x01"
_BETWEEN = f",{_NULL},"

_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|)(?:,|$)', re.DOTALL)


class ResultCsv:
    """Push parser: feed it bytes, take rows; the header row comes first, like any row."""

    def __init__(self) -> None:
        # Whoever rewrote the object may have put a byte order mark before it.
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._tail = ""
        self._width = 0

    def feed(self, data: bytes) -> Cells:
        """Rows that *data* completes, in order.

        Raises:
            ValueError: It is no result object.
        """
        text = self._tail + self._decoded(data)
        end = _end_of_rows(text)
        self._tail = text[end:]
        return self._cells(text[:end]) if end else []

    def finish(self) -> Cells:
        """The last row if the object does not end in a line feed.

        Raises:
            ValueError: The object ends in the middle of a value.
        """
        tail = self._tail + self._decoded(b"", is_end=True)
        self._tail = ""
        if not tail:
            return []

        if tail.count('"') % 2:
            raise ValueError("the result object ends in the middle of a value")

        return self._cells(tail + "\n")

    def _decoded(self, data: bytes, *, is_end: bool = False) -> str:
        try:
            return self._decode(data, is_end)
        except UnicodeDecodeError:
            raise ValueError("the result object is not UTF-8") from None

    def _cells(self, text: str) -> Cells:
        """Rows of a text that ends with a whole row."""
        cells = None if _NULL in text else _cells_by_module(text)
        if cells is None:
            rows = _rows_one_by_one(text)
            is_even = len({len(row) for row in rows}) == 1
            cells = [[*column] for column in zip(*rows, strict=False)] if is_even else []

        self._width = self._width or len(cells)
        if not cells or len(cells) != self._width:
            raise ValueError("the rows of the result object differ in length")

        return cells


def _end_of_rows(text: str) -> int:
    """Index of the end of the last whole row of *text*: a line feed outside of quoted values."""
    end = text.rfind("\n") + 1
    quotes = text.count('"', 0, end)
    while quotes % 2:
        before = text.rfind("\n", 0, end - 1) + 1
        quotes -= text.count('"', before, end)
        end = before

    return end


def _cells_by_module(text: str) -> Cells | None:
    """The rows by Python's csv module, twice as fast; None where it cannot read them exactly.

    It takes NULL for an empty string, so that every NULL is given a mark first. A mark may get
    into a value too, where commas follow each other; then there are more marks than NULLs.
    """
    marked = text.replace(",,", _BETWEEN).replace(",,", _BETWEEN)
    marked = marked.replace(",\n", f",{_NULL}\n").replace("\n,", f"\n{_NULL},")
    if marked[0] == ",":
        marked = _NULL + marked

    flat: list[str | None] = []
    width = 0
    try:
        for row in csv.reader(StringIO(marked, newline="\n"), strict=True):
            flat += row
            width = width or len(row)
            if len(row) != width or not row:  # an empty line is NULL in the only column
                return None

    except csv.Error:  # a value longer than the limit that the process has set, for example
        return None

    cells = [flat[at::width] for at in range(width)]
    nulls = [column.count(_NULL) for column in cells]
    if sum(nulls) != marked.count(_NULL):
        return None

    return [
        [None if cell == _NULL else cell for cell in column] if count else column
        for column, count in zip(cells, nulls, strict=True)
    ]


def _rows_one_by_one(text: str) -> list[list[str | None]]:
    rows: list[list[str | None]] = []
    pieces: list[str] = []
    for line in text.split("\n")[:-1]:
        pieces.append(line)
        row = "\n".join(pieces)
        parts = row.split('"')
        # An even number of quotes means that no quoted value is still open.
        if len(parts) % 2:
            rows.append(_row_of(row, parts))
            pieces = []

    return rows


def _row_of(line: str, parts: list[str]) -> list[str | None]:
    """Cells of *line*, given its pieces between the double quotes."""
    if len(parts) == 1:
        return [None] * (len(line) + 1)

    between = parts[2:-1:2]
    if not parts[0] and not parts[-1] and between.count(",") == len(between):
        return [*parts[1::2]]

    if "" in between:
        return _row_with_quotes(line)

    row: list[str | None] = [None] * len(parts[0])
    last = len(parts) - 1
    for index in range(1, last, 2):
        row.append(parts[index])
        commas = len(parts[index + 1])
        row.extend([None] * (commas if index + 1 == last else commas - 1))

    return row


def _row_with_quotes(line: str) -> list[str | None]:
    """Cells of a line in which a value holds a doubled quote: rare, so a pattern will do."""
    row: list[str | None] = []
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
