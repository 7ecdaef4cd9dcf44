"""A table without lines that fits its terminal, or one field a line where it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kada_athena_async.observers.escaping import escape

CELL_CHARS = 400
_FIELD_CHARS = 2_000
_GAP = 2

_NARROWEST = {"": 20, "<": 20, "~": 28}
"""Sign of a column -> the cells that it needs at least, if it has that much; others need all."""


@dataclass(frozen=True, slots=True)
class _Column:
    """
    Attributes:
        sign: ``>`` for numbers, ``<`` for names that differ at their end and are cut at their
            beginning, ``~`` for sentences that are wrapped, ``=`` for what is of no use when cut.
        place: In a row.
    """

    sign: str
    name: str
    place: int


@dataclass(slots=True)
class Grid:
    """Rows of texts, which may come from elsewhere, under *names*; what is empty throughout is
    left out.

    Attributes:
        names: Each may begin with a sign: see ``_Column``.
        is_headless: True if the names are not shown.
        rows: Texts, and a style of rich's.
    """

    names: Sequence[str]
    is_headless: bool = False
    rows: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    def add_row(self, *texts: str, style: str = "") -> None:
        self.rows.append((texts, style))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = self._columns()
        widths = self._widths(columns, options.max_width)
        if widths is None:
            yield from self._blocks(columns)
        else:
            yield self._table(columns, widths)

    def _columns(self) -> list[_Column]:
        columns = []
        for place, name in enumerate(self.names):
            sign = name[0] if name[:1] in (">", "<", "~", "=") else ""
            if not self.rows or any(texts[place] for texts, _ in self.rows):
                columns.append(_Column(sign, name.removeprefix(sign), place))

        return columns

    def _widths(self, columns: Sequence[_Column], width: int) -> list[int] | None:
        """Cells of each column; None if the terminal has too few."""
        wanted = [
            max(cell_len(text) for text in (column.name, *self._texts(column)))
            for column in columns
        ]
        floors = [
            min(cells, _NARROWEST.get(column.sign, cells))
            for column, cells in zip(columns, wanted, strict=True)
        ]
        left = width - _GAP * (len(columns) - 1)
        if sum(floors) > left and not self.is_headless:
            return None

        while sum(wanted) > left and wanted != floors:
            spare = [
                cells if cells > floor else 0 for cells, floor in zip(wanted, floors, strict=True)
            ]
            wanted[spare.index(max(spare))] -= 1

        return wanted

    def _texts(self, column: _Column) -> list[str]:
        return [escape(texts[column.place], limit=CELL_CHARS) for texts, _ in self.rows]

    def _table(self, columns: Sequence[_Column], widths: Sequence[int]) -> Table:
        table = Table(
            box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=not self.is_headless
        )
        for column, width in zip(columns, widths, strict=True):
            justify = "right" if column.sign == ">" else "left"
            table.add_column(
                Text(column.name, no_wrap=True),
                justify=justify,  # type: ignore[arg-type]
                width=width,
                header_style="bold",
            )

        for texts, style in self.rows:
            cells = zip(columns, widths, strict=True)
            table.add_row(
                *(_cell(texts[c.place], c.sign, width) for c, width in cells), style=style
            )

        return table

    def _blocks(self, columns: Sequence[_Column]) -> RenderResult:
        """A row after the other: its first name, then a field a line."""
        first = next((column for column in columns if column.sign in ("", "<")), columns[0])
        for texts, _ in self.rows:
            yield Text(escape(texts[first.place], limit=CELL_CHARS), "bold")
            block = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=False)
            for column in columns:
                if column is not first and texts[column.place]:
                    text = escape(texts[column.place], limit=_FIELD_CHARS)
                    block.add_row(Text(column.name, no_wrap=True), Text(text, overflow="fold"))

            yield Padding(block, (0, 0, 0, _GAP))


def _cell(text: str, sign: str, width: int) -> Text:
    shown = escape(text, limit=CELL_CHARS)
    if sign == "~":
        return Text(shown, overflow="fold")

    if sign == "<" and cell_len(shown) > width:
        while cell_len(shown) > width - 1:
            shown = shown[1:]

        shown = set_cell_size(f"…{shown}", width)

    return Text(shown, no_wrap=True, overflow="ellipsis")
