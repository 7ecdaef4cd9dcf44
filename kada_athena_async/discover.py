"""Lists the catalogs, schemas and workgroups that exist, as far as the run may see them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED
from kada_athena_async.aws.pages import (
    GET_CATALOGS,
    GET_DATABASES,
    LIST_CATALOGS,
    LIST_DATABASES,
    LIST_WORKGROUPS,
    Page,
    pages,
)
from kada_athena_async.aws.wire import Database, moment, without_nulls
from kada_athena_async.concurrency import map_bounded
from kada_athena_async.errors import (
    AccessDeniedError,
    ConfigError,
    Problem,
    RequestError,
    UnitError,
    nearest_first,
)
from kada_athena_async.inventory import (
    DEFAULT_CATALOG,
    CatalogFacts,
    SchemaFacts,
    SchemaList,
    WorkgroupFacts,
)

CATALOGS_AT_ONCE = 8

S3_TABLES = "s3tablescatalog"
"""The catalog below which Glue shows each bucket of S3 Tables as one (Amazon S3 User Guide)."""


ListSchemas = Callable[[CatalogFacts], Awaitable[SchemaList]]


async def discover_catalogs(
    client: AwsClient,
    names: Sequence[str],
    *,
    may_skip: bool = False,
    unreadable: list[str] | None = None,
    unlisted: list[str] | None = None,
) -> tuple[CatalogFacts, ...]:
    """The catalogs named, or all that are shown for ``["*"]``, without their schemas.

    ``["*"]`` includes Glue's nested catalogs where these may be listed, each catalog once.

    Args:
        may_skip: Go on with what was listed, and AwsDataCatalog, if they cannot be listed.
        unreadable: Takes what of the list cannot be read, by path, and why it ended early.
        unlisted: Takes why nested catalogs are not listed.

    Raises:
        ConfigError: A catalog does not exist.
        UnitError: They cannot be listed; of named ones a denial is no obstacle.
    """
    notes: list[str] = []
    shown, is_whole = await _shown(client, names, notes, may_skip=may_skip)
    if unreadable is not None:
        unreadable += notes

    own = CatalogFacts(name=DEFAULT_CATALOG, type="GLUE")
    shown.setdefault(DEFAULT_CATALOG.lower(), own)
    if "*" in names:
        for nested in await _unregistered(client, [*shown.values()], unlisted):
            shown.setdefault(nested.name.lower(), nested)

        return tuple(sorted(shown.values(), key=lambda facts: facts.name))

    problems, found = [], {}
    for name in names:
        facts = shown.get(name.lower())
        # Nested Glue catalogs (s3tablescatalog/bucket) are not registered with Athena, and where
        # the list is denied or cannot be read to its end it is unknown: their schemas show it.
        if facts is None and ("/" in name or notes or not is_whole):
            facts = CatalogFacts(name=name)

        if facts is None:
            known = nearest_first(name, [facts.name for facts in shown.values()])
            problems.append(Problem("catalogs", repr(name), f"Athena shows only: {known}"))
        else:
            found[facts.name] = facts

    if problems:
        raise ConfigError(problems)

    return tuple(found.values())


async def _shown(
    client: AwsClient, names: Sequence[str], notes: list[str], *, may_skip: bool
) -> tuple[dict[str, CatalogFacts], bool]:
    """The catalogs that are listed, by lower-case name, and if that is all of them."""
    shown: dict[str, CatalogFacts] = {}
    try:
        async with aclosing(pages(client, LIST_CATALOGS)) as found:
            async for page in found:
                notes += page.unreadable
                for item in page.items:
                    name = item.catalog_name
                    facts = CatalogFacts(name=name, type=item.type, status=item.status)
                    shown[name.lower()] = facts
    except UnitError as exc:
        if "*" not in names and isinstance(exc, AccessDeniedError):
            return {}, False

        if not may_skip:
            raise

        notes.append(f"others than AwsDataCatalog may be missing, {exc.message}")
        return shown, False

    return shown, True


async def _unregistered(
    client: AwsClient, registered: Sequence[CatalogFacts], unlisted: list[str] | None
) -> Sequence[CatalogFacts]:
    """Nested catalogs that Athena does not show under a name of their own."""
    try:
        nested = await nested_catalogs(client)
    except UnitError as exc:
        if unlisted is not None:
            unlisted.append(f"nested and S3 Tables catalogs are not looked for: {exc.message}")

        return ()

    known: set[str] = set()
    for facts in registered if nested else ():
        if facts.type == "GLUE" and not facts.is_own_glue:
            with suppress(UnitError):
                answer = await client.call("athena", "GetDataCatalog", Name=facts.name)
                parameters = without_nulls(answer[DECODED].data_catalog.parameters)
                known.add(parameters.get("catalog-id", ""))

    return [facts for facts in nested if facts.catalog_id not in known]


async def describe_catalogs(
    client: AwsClient, catalogs: Sequence[CatalogFacts]
) -> tuple[CatalogFacts, ...]:
    """The catalogs with their descriptions, as far as GetDataCatalog gives them."""
    described = []
    for facts in catalogs:
        description = None
        # Each is asked for: a right may be missing for one catalog and not for the next, and
        # nested catalogs are unknown to Athena.
        with suppress(UnitError):
            answer = await client.call("athena", "GetDataCatalog", Name=facts.name)
            description = answer[DECODED].data_catalog.description

        described.append(replace(facts, description=description or facts.description))

    return tuple(described)


async def discover_schemas(
    catalogs: Sequence[CatalogFacts], list_schemas: ListSchemas
) -> tuple[CatalogFacts, ...]:
    """The catalogs with their schemas; one that is denied or broken carries its error instead."""

    async def fill(facts: CatalogFacts) -> CatalogFacts:
        if not facts.is_usable:
            error = RequestError(f"catalog {facts.name} is {facts.status}", code="NotReady")
            return replace(facts, error=error)

        try:
            listed = await list_schemas(facts)
        except UnitError as exc:
            return replace(facts, error=exc)

        return replace(
            facts,
            schemas=tuple(sorted(listed.schemas, key=lambda schema: schema.name)),
            unreadable=listed.unreadable,
            stand_in=listed.stand_in,
        )

    return tuple(await map_bounded(fill, catalogs, limit=CATALOGS_AT_ONCE))


async def nested_catalogs(client: AwsClient) -> tuple[CatalogFacts, ...]:
    """Glue's catalogs below the account's own: S3 Tables, Redshift, federated ones.

    ListDataCatalogs does not show them; Athena takes their path (``s3tablescatalog/bucket``) as a
    name. A parent that only holds catalogs is not one of them.

    Raises:
        UnitError: They may not be listed.
    """
    paths: dict[str, CatalogFacts] = {}
    async with aclosing(pages(client, GET_CATALOGS, Recursive=True)) as listing:
        async for page in listing:
            for item in page.items:
                _, _, path = (item.catalog_id or "").partition(":")
                if path:
                    paths[path] = CatalogFacts(
                        name=path,
                        type="GLUE",
                        description=item.description,
                        catalog_id=item.catalog_id,
                    )

    # The parent of all buckets is there before the first of them.
    parents = {S3_TABLES, *(path.rpartition("/")[0] for path in paths)}
    return tuple(facts for path, facts in sorted(paths.items()) if path not in parents)


async def schemas_by_glue(
    client: AwsClient,
    catalog_id: str | None = None,
    *,
    take_first: Callable[[Sequence[SchemaFacts]], None] | None = None,
) -> SchemaList:
    """Schemas of a catalog of Glue's, with places and times; 100 a page.

    Args:
        catalog_id: None for the account's own.
        take_first: Is given the schemas of the first page before the others are asked for.
    """
    named: dict[str, Any] = {"CatalogId": catalog_id} if catalog_id else {}
    return await _schemas(pages(client, GET_DATABASES, **named), take_first)


async def schemas_by_athena(client: AwsClient, catalog: str) -> SchemaList:
    """Schemas of any catalog by ListDatabases; 50 a page."""
    return await _schemas(
        pages(client, LIST_DATABASES, scope=f"catalog {catalog}", CatalogName=catalog)
    )


async def _schemas(
    listing: AsyncGenerator[Page[Database], None],
    take_first: Callable[[Sequence[SchemaFacts]], None] | None = None,
) -> SchemaList:
    schemas: list[SchemaFacts] = []
    unreadable: list[str] = []
    async with aclosing(listing) as found:
        async for page in found:
            unreadable += page.unreadable
            schemas += [
                SchemaFacts(
                    name=item.name,
                    description=item.description,
                    location=item.location_uri,
                    created_at=moment(item.create_time),
                    link_target=str(item.target_database or "") or None,
                )
                for item in page.items
            ]
            if take_first is not None:
                take_first(schemas)
                take_first = None

    return SchemaList(schemas, tuple(unreadable))


async def discover_workgroups(
    client: AwsClient, *, unreadable: list[str] | None = None
) -> tuple[WorkgroupFacts, ...]:
    """All workgroups, in order of name; disabled ones too, for they have a history.

    Args:
        unreadable: Takes what of the list cannot be read, by path.

    Raises:
        UnitError: They may not be listed.
    """
    found = []
    async with aclosing(pages(client, LIST_WORKGROUPS)) as listing:
        async for page in listing:
            if unreadable is not None:
                unreadable += page.unreadable

            for item in page.items:
                engine = item.engine_version
                found.append(
                    WorkgroupFacts(
                        name=item.name,
                        state=item.state,
                        engine_version=engine.effective_engine_version if engine else None,
                        description=item.description or None,
                        created_at=moment(item.creation_time),
                    )
                )

    return tuple(sorted(found, key=lambda workgroup: workgroup.name))
