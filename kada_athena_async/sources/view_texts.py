"""View texts of a catalog by SQL, asked for by many schemas at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import anyio

from kada_athena_async.concurrency import batches
from kada_athena_async.errors import QueryFailedError
from kada_athena_async.sources.compressed_tables import ListedTable, key_of
from kada_athena_async.sources.information_schema import InformationSchema, TableKey
from kada_athena_async.sources.statement_texts import PREFIX_MAX

KEPT_CHARS = 8_000_000
"""Characters of texts that wait for their tables; what exceeds them is asked for by name."""


@dataclass(slots=True)
class _Group:
    schemas: tuple[str, ...]
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    is_asked: bool = False
    is_whole: bool = False


@dataclass(slots=True)
class ViewTexts:
    """Texts of the views of a catalog, shared by its units.

    A statement takes a second or two of its slot beside its rows, and views are few: so the first
    batch that needs a text asks for those of a hundred schemas, or of a giant one, and the others
    find theirs.

    Args:
        schemas: Those that are extracted, in plan order.
    """

    information_schema: InformationSchema
    schemas: Sequence[str]
    _kept: dict[TableKey, str | None] = field(default_factory=dict)
    _kept_chars: int = 0
    _groups: dict[str, _Group] = field(init=False)

    def __post_init__(self) -> None:
        self._groups = {}
        for batch in batches(self.schemas, PREFIX_MAX):
            group = _Group(tuple(batch))
            self._groups |= dict.fromkeys(group.schemas, group)

    async def take(
        self, views: Sequence[ListedTable]
    ) -> tuple[dict[TableKey, str | None], list[ListedTable]]:
        """The texts of *views*, which are kept no more, and the views to ask for by name.

        Raises:
            UnitError: SQL is refused as such.
        """
        found: dict[TableKey, str | None] = {}
        left: list[ListedTable] = []
        for view in views:
            group = self._groups[view.schema]
            async with group.lock:
                if not group.is_asked:
                    group.is_whole = await self._ask(group)
                    group.is_asked = True

            key = key_of(view)
            if key in self._kept:
                found[key] = text = self._kept.pop(key)
                self._kept_chars -= len(text or "")
            elif not group.is_whole:
                left.append(view)

        return found, left

    async def _ask(self, group: _Group) -> bool:
        """Keep the texts of a group; False if some are not."""
        try:
            async with aclosing(self.information_schema.views(group.schemas)) as batches:
                async for batch in batches:
                    if self._kept_chars > KEPT_CHARS:
                        return False

                    self._kept |= batch
                    self._kept_chars += sum(len(text or "") for text in batch.values())

        except QueryFailedError:
            return False  # one view breaks the statement: the others are asked for in smaller ones

        return True
