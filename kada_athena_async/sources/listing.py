"""Who lists the tables of a catalog: Glue, Athena's API or SQL, each the next one's stand-in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from kada_athena_async.errors import AccessDeniedError
from kada_athena_async.sources.information_schema import InformationSchema
from kada_athena_async.sources.interface import RawView, TableDetail, TableLister
from kada_athena_async.sources.slices import SchemaPage


class SqlTables:
    """Lists tables by ``information_schema.tables``: names and kinds, nothing more."""

    found_by = "sql"

    def __init__(self, information_schema: InformationSchema) -> None:
        self._information_schema = information_schema

    async def tables(self, catalog: str, schema: str) -> AsyncGenerator[list[TableDetail], None]:
        """Pages of the schema's tables."""
        async with aclosing(self._information_schema.tables((schema,))) as batches:
            async for batch in batches:
                yield [sql_detail(schema, name, is_view=is_view) for _, name, is_view in batch]


def sql_detail(schema: str, name: str, *, is_view: bool) -> TableDetail:
    """All that ``information_schema.tables`` says about a table."""
    return TableDetail(
        schema=schema, name=name, is_view=is_view, view=RawView(text=None) if is_view else None
    )


@dataclass(slots=True, kw_only=True)
class Listing:
    """Lists the schemas of one catalog with the first of its listers that may.

    Args:
        listers: In order of preference.

    Attributes:
        denials: Lister (class name) -> its refusal; such a lister is not asked again unless
            it has answered before, for then only one schema is closed to it.
    """

    catalog: str
    listers: Sequence[TableLister]
    denials: dict[str, AccessDeniedError] = field(default_factory=dict)
    _proven: set[str] = field(default_factory=set)

    async def pages(self, schema: str) -> AsyncGenerator[SchemaPage, None]:
        """The tables of *schema*, closed by an empty last page.

        Raises:
            AccessDeniedError: No lister may list it; names every right that would do.
            UnitError: The catalog does not answer.
        """
        for lister in self.listers:
            name = type(lister).__name__
            if name in self.denials and name not in self._proven:
                continue

            has_begun = False
            try:
                async with aclosing(lister.tables(self.catalog, schema)) as batches:
                    async for batch in batches:
                        self._proven.add(name)
                        has_begun = True
                        yield SchemaPage(
                            schema=schema, tables=batch, is_last=False, found_by=lister.found_by
                        )

            except AccessDeniedError as exc:
                if has_begun:  # another lister would tell the first pages twice
                    raise

                self.denials[name] = exc
                continue

            self._proven.add(name)
            yield SchemaPage(schema=schema, tables=[], is_last=True, found_by=lister.found_by)
            return

        raise all_denied(f"schema {self.catalog}.{schema}", [*self.denials.values()])


def all_denied(scope: str, denials: Sequence[AccessDeniedError]) -> AccessDeniedError:
    """One error for what could have been told in several ways, all of them denied."""
    reason = "; ".join(dict.fromkeys(error.message for error in denials))
    return AccessDeniedError(
        f"nobody may list {scope}: {reason}",
        action=" or ".join(dict.fromkeys(error.action for error in denials)),
        scope=scope,
    )


async def list_by_sql(
    information_schema: InformationSchema, schemas: tuple[str, ...]
) -> AsyncGenerator[SchemaPage, None]:
    """The tables of all *schemas* by one statement; closes each schema with a last page."""
    # SQL knows lower-case names only; the rows come ordered by schema.
    named = {schema.lower(): schema for schema in schemas}
    current = ""
    async with aclosing(information_schema.tables(schemas)) as batches:
        async for batch in batches:
            for key, rows in groupby(batch, key=itemgetter(0)):
                if current and key != current:
                    yield _page(named.pop(current), [], is_last=True)

                current = key
                details = [sql_detail(named[key], name, is_view=view) for _, name, view in rows]
                yield _page(named[key], details, is_last=False)

    for schema in named.values():
        yield _page(schema, [], is_last=True)


def _page(schema: str, tables: list[TableDetail], *, is_last: bool) -> SchemaPage:
    return SchemaPage(schema=schema, tables=tables, is_last=is_last, found_by="sql")
