"""Lines of the moving part after the window became narrower: they wrap, so more are wiped."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from rich.control import Control
from rich.segment import ControlType


def wrapped_rows(widths: Sequence[int], width: int) -> int:
    """Rows that lines of these *widths* take beyond one each, in a window of *width* columns."""
    return sum(max(1, ceil(cells / width)) - 1 for cells in widths)


def wiping(rows: int) -> Control:
    """Wipes the last *rows* rows, the cursor being in the last of them, and moves above them.

    rich wipes as many rows as it drew; these are the others.
    """
    one = [(ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)]
    return Control(ControlType.CARRIAGE_RETURN, *(one * rows))
