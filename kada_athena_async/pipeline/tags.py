"""Extracts the tags of one catalog: each once, of the schemas that are extracted."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from functools import partial

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.codes import WarningCode
from kada_athena_async.concurrency import offload
from kada_athena_async.config import Config
from kada_athena_async.events import Observer, UnitProgress, Warned
from kada_athena_async.hwm.id_set import IdSet
from kada_athena_async.plan import TagsUnit, is_schema_included
from kada_athena_async.records import TagRecord
from kada_athena_async.report import UnitFacts
from kada_athena_async.scopes import ScopeFacts
from kada_athena_async.sinks.interface import RecordSink
from kada_athena_async.sources.lake_formation import LakeFormationTags, Tag

KIND = "metadata_tags"

SOURCE = "lakeformation"


async def extract_tags(
    unit: TagsUnit, *, client: AwsClient, config: Config, sink: RecordSink, notify: Observer
) -> UnitFacts:
    """Write the tags of *unit*: all of them or, after an error, none.

    Raises:
        UnitError: They may not be read, or cannot be read to their end.
    """
    catalog = unit.catalog
    tags = LakeFormationTags(client, catalog.name, catalog.catalog_id)
    rows, seen = 0, IdSet()
    async with sink.part(unit.unit_id, KIND) as part:
        expressions = await tags.expressions()
        for expression in expressions:
            async with aclosing(tags.search(expression)) as batches:
                async for batch in batches:
                    records = await offload(partial(_records, config, catalog.name, batch, seen))
                    if records:
                        await part.write(records)
                        rows += len(records)
                        notify(UnitProgress(unit_id=unit.unit_id, kind=KIND, rows=len(records)))

    scopes: tuple[ScopeFacts, ...] = ()
    warnings: tuple[Warned, ...] = ()
    if tags.unreadable:
        reason = f"some LF-tags are left out, unreadable: {'; '.join(tags.unreadable)}"
        message = f"some tags of catalog {catalog.name} are left out: {tags.unreadable[0]}"
        warnings = (Warned(code=WarningCode.TAGS_MISSING, message=message),)
        name = (catalog.name,)
        scopes = (ScopeFacts(scope="catalog", name=name, outcome="complete", reason=reason),)

    return UnitFacts(
        rows={KIND: rows},
        scopes=scopes,
        reconciliation={"searches": len(expressions)},
        warnings=warnings,
    )


def _records(config: Config, catalog: str, tags: Iterable[Tag], seen: IdSet) -> list[TagRecord]:
    """The records of *tags* but those that were *seen*, to which they are added."""
    records = []
    for tag in tags:
        # No name or value holds NUL.
        place = "\0".join((tag.schema, tag.table or "", tag.column or "", tag.key, tag.value))
        if place in seen or not is_schema_included(config, catalog, tag.schema):
            continue

        seen.add(place)
        records.append(
            TagRecord(
                server=config.server,
                catalog=catalog,
                schema=tag.schema,
                table=tag.table,
                column=tag.column,
                tag_key=tag.key,
                tag_value=tag.value,
                source=SOURCE,
                inherited=tag.is_inherited,
            )
        )

    return records
