"""What exists: catalogs, schemas and workgroups, as far as we may see them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.concurrency import map_bounded
from kada_athena_async.errors import (
    AccessDeniedError,
    ConfigError,
    NotFoundError,
    Problem,
    RequestError,
    UnitError,
)

DEFAULT_CATALOG = "AwsDataCatalog"
"""The account's own Glue catalog: always there, whatever ListDataCatalogs shows."""

CATALOGS_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFacts:
    """A schema as its catalog tells it."""

    name: str
    description: str | None = None
    location: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogFacts:
    """A catalog.

    Attributes:
        type: GLUE, LAMBDA, HIVE or FEDERATED; None where nobody says.
        schemas: In order of name; empty if ``error`` is set.
        error: Why its schemas could not be listed.
    """

    name: str
    type: str | None = None
    status: str | None = None
    description: str | None = None
    schemas: tuple[SchemaFacts, ...] = ()
    error: UnitError | None = None

    @property
    def is_own_glue(self) -> bool:
        """Whether Glue's own API shows it without a catalog id."""
        return self.name.lower() == DEFAULT_CATALOG.lower()

    @property
    def has_files(self) -> bool:
        """Whether its tables are files with a format; a federated source's are not."""
        return self.is_own_glue or self.type in ("GLUE", "HIVE") or "/" in self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkgroupFacts:
    """A workgroup as ListWorkGroups tells it."""

    name: str
    state: str | None = None
    engine_version: str | None = None
    description: str | None = None
    created_at: datetime | None = None

    @property
    def is_spark(self) -> bool:
        """Spark workgroups hold sessions and calculations, no SQL executions."""
        return "spark" in (self.engine_version or "").lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """What was found.

    Attributes:
        workgroups: In order of name.
        workgroups_error: Why workgroups could not be listed; None if they were.
    """

    catalogs: tuple[CatalogFacts, ...]
    workgroups: tuple[WorkgroupFacts, ...]
    workgroups_error: UnitError | None = None


ListSchemas = Callable[[CatalogFacts], Awaitable[Sequence[SchemaFacts]]]


async def discover_catalogs(client: AwsClient, names: Sequence[str]) -> tuple[CatalogFacts, ...]:
    """The catalogs named, or all that are shown for ``["*"]``, without their schemas.

    Raises:
        ConfigError: A catalog does not exist.
        UnitError: ``["*"]`` was asked and catalogs may not be listed.
    """
    try:
        shown = {facts.name.lower(): facts async for facts in _list_catalogs(client)}
    except AccessDeniedError:
        if "*" in names:
            raise

        shown = {}

    own = CatalogFacts(name=DEFAULT_CATALOG, type="GLUE")
    shown.setdefault(DEFAULT_CATALOG.lower(), own)
    if "*" in names:
        return tuple(sorted(shown.values(), key=lambda facts: facts.name))

    problems, found = [], {}
    for name in names:
        facts = shown.get(name.lower())
        # Nested Glue catalogs (s3tablescatalog/bucket) are not registered with Athena, and where
        # catalogs may not be listed nobody can tell: their schemas will.
        if facts is None and ("/" in name or len(shown) == 1):
            facts = CatalogFacts(name=name)

        if facts is None:
            known = ", ".join(sorted(facts.name for facts in shown.values()))
            problems.append(Problem("catalogs", repr(name), f"Athena shows only: {known}"))
        else:
            found[facts.name] = facts

    if problems:
        raise ConfigError(problems)

    return tuple(found.values())


async def _list_catalogs(client: AwsClient) -> AsyncGenerator[CatalogFacts, None]:
    async with aclosing(_paged(client, "ListDataCatalogs", "DataCatalogsSummary")) as items:
        async for item in items:
            yield CatalogFacts(
                name=item["CatalogName"], type=item.get("Type"), status=item.get("Status")
            )


async def describe_catalogs(
    client: AwsClient, catalogs: Sequence[CatalogFacts]
) -> tuple[CatalogFacts, ...]:
    """The catalogs with their descriptions, if GetDataCatalog is allowed; asked once if not."""
    described = []
    may_ask = True
    for facts in catalogs:
        description = None
        if may_ask:
            try:
                answer = await client.call("athena", "GetDataCatalog", Name=facts.name)
                description = answer.get("DataCatalog", {}).get("Description")
            except AccessDeniedError:
                may_ask = False
            except (NotFoundError, RequestError):
                pass  # nested catalogs are unknown to Athena

        described.append(
            CatalogFacts(
                name=facts.name,
                type=facts.type,
                status=facts.status,
                description=description,
            )
        )

    return tuple(described)


async def discover_schemas(
    catalogs: Sequence[CatalogFacts], list_schemas: ListSchemas
) -> tuple[CatalogFacts, ...]:
    """The catalogs with their schemas; one that is denied or broken carries its error instead."""

    async def fill(facts: CatalogFacts) -> CatalogFacts:
        if facts.status not in (None, "CREATE_COMPLETE"):
            error = RequestError(f"catalog {facts.name} is {facts.status}", code="NotReady")
            return _with(facts, (), error)

        try:
            schemas = await list_schemas(facts)
        except UnitError as exc:
            return _with(facts, (), exc)

        return _with(facts, tuple(sorted(schemas, key=lambda schema: schema.name)), None)

    return tuple(await map_bounded(fill, catalogs, limit=CATALOGS_AT_ONCE))


def _with(
    facts: CatalogFacts, schemas: tuple[SchemaFacts, ...], error: UnitError | None
) -> CatalogFacts:
    return CatalogFacts(
        name=facts.name,
        type=facts.type,
        status=facts.status,
        description=facts.description,
        schemas=schemas,
        error=error,
    )


async def schemas_by_glue(client: AwsClient) -> list[SchemaFacts]:
    """Schemas of the own account's Glue catalog, with places and times; 100 a page."""
    schemas = []
    pages = _paged(client, "GetDatabases", "DatabaseList", service="glue", page_size=100)
    async with aclosing(pages) as items:
        async for item in items:
            schemas.append(
                SchemaFacts(
                    name=item["Name"],
                    description=item.get("Description"),
                    location=item.get("LocationUri"),
                    created_at=item.get("CreateTime"),
                )
            )

    return schemas


async def schemas_by_athena(client: AwsClient, catalog: str) -> list[SchemaFacts]:
    """Schemas of any catalog by ListDatabases; 50 a page."""
    schemas = []
    pages = _paged(client, "ListDatabases", "DatabaseList", CatalogName=catalog)
    async with aclosing(pages) as items:
        async for item in items:
            schemas.append(SchemaFacts(name=item["Name"], description=item.get("Description")))

    return schemas


async def discover_workgroups(client: AwsClient) -> tuple[WorkgroupFacts, ...]:
    """All workgroups, in order of name; disabled ones too, for they have a history.

    Raises:
        UnitError: They may not be listed.
    """
    found = []
    async with aclosing(_paged(client, "ListWorkGroups", "WorkGroups")) as items:
        async for item in items:
            found.append(
                WorkgroupFacts(
                    name=item["Name"],
                    state=item.get("State"),
                    engine_version=item.get("EngineVersion", {}).get("EffectiveEngineVersion"),
                    description=item.get("Description") or None,
                    created_at=item.get("CreationTime"),
                )
            )

    return tuple(sorted(found, key=lambda workgroup: workgroup.name))


async def _paged(
    client: AwsClient,
    operation: str,
    key: str,
    *,
    service: str = "athena",
    page_size: int = 50,
    **parameters: str,
) -> AsyncGenerator[Mapping[str, Any], None]:
    """Items of all pages; a short or empty page is not the last one, a missing token is."""
    token: str | None = None
    while True:
        more = {"NextToken": token} if token else {}
        answer = await client.call(service, operation, MaxResults=page_size, **parameters, **more)
        for item in answer.get(key) or ():
            yield item

        token = answer.get("NextToken")
        if not token:
            return
