"""Lists the schemas of a catalog: by Glue, else by Athena's API, else by SQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import anyio

from kada_athena_async.aws.athena import AthenaQueries
from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.results import Results
from kada_athena_async.codes import WarningCode
from kada_athena_async.concurrency import map_bounded
from kada_athena_async.config import Config
from kada_athena_async.discover import (
    describe_catalogs,
    discover_catalogs,
    discover_schemas,
    schemas_by_athena,
    schemas_by_glue,
)
from kada_athena_async.errors import AccessDeniedError, UnitError
from kada_athena_async.events import Observer, Warned
from kada_athena_async.filters import is_schema_included
from kada_athena_async.inventory import DEFAULT_CATALOG, CatalogFacts, SchemaFacts, SchemaList
from kada_athena_async.sources.glue import GlueTables
from kada_athena_async.sources.information_schema import InformationSchema
from kada_athena_async.sources.listing import all_failed
from kada_athena_async.sources.strategy import metadata_source

SCHEMAS_AHEAD = 10
"""Schemas whose tables are asked for before all schemas are listed: as many calls as go at once."""


class FoundCatalogs(NamedTuple):
    """Catalogs with their schemas, and what of their list is missing or cannot be read."""

    catalogs: tuple[CatalogFacts, ...]
    unlisted: Sequence[str]
    unreadable: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaListing:
    """Lists catalogs and schemas on behalf of one run.

    Args:
        queries: Where statements are run; None if none may be.
        texts: Statement name -> text.
        looks_ahead: True to begin to list tables while schemas are still listed.
    """

    config: Config
    client: AwsClient
    queries: AthenaQueries | None
    texts: Mapping[str, str]
    notify: Observer
    looks_ahead: bool = False

    async def catalogs(self) -> FoundCatalogs:
        """The catalogs that the configuration asks for, with their schemas.

        Raises:
            ConfigError: A catalog does not exist.
            UnitError: All catalogs were asked for and they may not be listed.
        """
        unlisted: list[str] = []
        unreadable: list[str] = []
        catalogs: Sequence[CatalogFacts] = ()
        own: SchemaList | UnitError | None = None
        own_is_known = anyio.Event()

        async def list_own() -> None:
            # The account's own catalog is there, whatever the list of catalogs says.
            nonlocal own
            if self._wants_own_glue:
                try:
                    own = await self.of(CatalogFacts(name=DEFAULT_CATALOG, type="GLUE"))
                except UnitError as exc:
                    own = exc

            own_is_known.set()

        async def schemas_of(catalog: CatalogFacts) -> SchemaList:
            if not catalog.is_own_glue or not self._wants_own_glue:
                return await self.of(catalog)

            await own_is_known.wait()
            if isinstance(own, UnitError):
                raise own

            assert own is not None
            return own

        async def discover() -> None:
            nonlocal catalogs
            named = await discover_catalogs(
                self.client,
                self.config.catalogs,
                may_skip=self.config.on_error == "skip",
                unreadable=unreadable,
                unlisted=unlisted,
            )

            async def describe() -> tuple[CatalogFacts, ...]:
                return await describe_catalogs(self.client, named)

            async def list_all() -> tuple[CatalogFacts, ...]:
                return await discover_schemas(named, schemas_of)

            described, listed = await map_bounded(lambda ask: ask(), [describe, list_all], limit=2)
            catalogs = tuple(
                replace(with_schemas, description=facts.description)
                for facts, with_schemas in zip(described, listed, strict=True)
            )

        await map_bounded(lambda ask: ask(), [list_own, discover], limit=2)
        return FoundCatalogs(tuple(catalogs), unlisted, unreadable)

    async def completed(self, found: FoundCatalogs) -> FoundCatalogs:
        """*found* with another try at the schemas that could not be listed, by SQL too."""

        async def again(catalog: CatalogFacts) -> CatalogFacts:
            if catalog.error is None:
                return catalog

            (listed,) = await discover_schemas([replace(catalog, error=None)], self.of)
            return listed

        return found._replace(catalogs=tuple([await again(each) for each in found.catalogs]))

    @property
    def _wants_own_glue(self) -> bool:
        names = [name.lower() for name in self.config.catalogs]
        wanted = "*" in names or DEFAULT_CATALOG.lower() in names
        return wanted and metadata_source(self.config).asks_api

    async def of(self, catalog: CatalogFacts) -> SchemaList:
        """Schemas by Glue, by Athena's API or by SQL, whichever is allowed and gives most."""
        failed: list[UnitError] = []
        for list_schemas in self._sources(catalog):
            try:
                schemas = await list_schemas()
            except UnitError as exc:
                failed.append(exc)
            else:
                return schemas._replace(stand_in=self._stand_in(catalog, failed))

        raise all_failed(f"the schemas of {catalog.name}", failed)

    def _sources(self, catalog: CatalogFacts) -> Sequence[Callable[[], Awaitable[SchemaList]]]:
        """Sources that can list the schemas of *catalog*, in order of preference."""

        by_api = [lambda: schemas_by_athena(self.client, catalog.name)]
        if catalog.is_in_glue:
            take_first = self._list_ahead if self.looks_ahead and catalog.is_own_glue else None
            by_api.insert(
                0,
                lambda: schemas_by_glue(self.client, catalog.catalog_id, take_first=take_first),
            )

        queries = self.queries
        if queries is None:
            return by_api

        async def by_sql() -> SchemaList:
            information_schema = InformationSchema(
                queries=queries,
                results=Results(self.client, source=self.config.results),
                texts=self.texts,
                catalog=catalog.name,
                unit_id=f"schemata/{catalog.name}",
            )
            return SchemaList([SchemaFacts(name=n) for n in await information_schema.schemata()])

        return metadata_source(self.config).in_order(by_api, by_sql)

    def _list_ahead(self, schemas: Sequence[SchemaFacts]) -> None:
        """Ask for the tables of some of *schemas*, spread so that many units have one of them."""
        glue = GlueTables(self.client)
        included = sorted(
            s.name for s in schemas if is_schema_included(self.config, DEFAULT_CATALOG, s.name)
        )
        step = max(1, len(included) // SCHEMAS_AHEAD)
        for name in included[::step][:SCHEMAS_AHEAD]:
            glue.ask_ahead(DEFAULT_CATALOG, name)

    def _stand_in(self, catalog: CatalogFacts, failed: Sequence[UnitError]) -> str:
        """Warn of the sources that could not list schemas; why another stands in."""
        reasons = []
        for error in failed:
            if not isinstance(error, AccessDeniedError):
                code, lost = WarningCode.STAND_IN, "are listed otherwise"
                reasons.append(error.message)
            elif catalog.is_own_glue:
                code, lost = WarningCode.RIGHT_MISSING, "come without location and time of creation"
            else:
                continue

            message = f"{error.message}: schemas of {catalog.name} {lost}"
            self.notify(Warned(code=code, message=message, hint=error.hint))

        return "; ".join(reasons)
