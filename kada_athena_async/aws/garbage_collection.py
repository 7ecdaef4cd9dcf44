"""Keeps the garbage collector from walking over the SDK's clients while they are in use.

A full collection walks over every object of the process and holds the event loop meanwhile: 50 ms
with one run, 125 ms with six. Sessions, clients and their models are most of it, and they live as
long as a connection. So they are frozen (``gc.freeze``, which costs nothing) when they are made,
and collections walk over what came since. When the last connection is closed all is given back.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_COUNTING = threading.Lock()


class _Use:
    """The collector belongs to the process, and so does this count.

    Attributes:
        connections: How many are open.
        is_ours: False if the embedding program froze objects itself: when ours are given back,
            they could not be distinguished.
    """

    connections = 0
    is_ours = False


@contextmanager
def frozen_while_open() -> Iterator[Callable[[], None]]:
    """Freeze what lives now, until the last of all who do so is through.

    Yields:
        A function that freezes what was made since.
    """
    with _COUNTING:
        if not _Use.connections:
            _Use.is_ours = gc.get_freeze_count() == 0

        _Use.connections += 1

    _freeze()
    try:
        yield _freeze
    finally:
        with _COUNTING:
            _Use.connections -= 1
            if not _Use.connections and _Use.is_ours:
                gc.unfreeze()


def _freeze() -> None:
    with _COUNTING:
        if _Use.connections and _Use.is_ours:
            gc.freeze()
