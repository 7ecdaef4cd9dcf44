"""Names by OpenLineage's naming rules, so that other tools' lineage joins ours.

https://openlineage.io/docs/spec/naming
"""

from __future__ import annotations

from typing import Any, TypeAlias
from urllib.parse import urlsplit

from kada_athena_async.config.region import partition_of
from kada_athena_async.export.history import History
from kada_athena_async.records import EventRecord
from kada_athena_async.sql.names import TableName

GLUE_CATALOG = "awsdatacatalog"
"""The catalog of the account itself, in lower case: the one whose account the extracts know."""

Json: TypeAlias = "dict[str, Any]"


def namespace(region: str) -> str:
    """The namespace of all datasets and jobs of Athena in *region*."""
    return f"awsathena://athena.{region}.amazonaws.com"


def dataset_name(table: TableName) -> str:
    """The name of a table or view in the namespace."""
    return ".".join(table)


def table_of(event: EventRecord) -> TableName | None:
    """The table or view of an event; None for a place in S3, or a name that was not resolved."""
    if not event.catalog or not event.schema:
        return None

    return TableName(event.catalog, event.schema, event.table)


def place_of(url: str | None) -> tuple[str, str] | None:
    """Namespace and name of a place in S3; None for any other text, and for a masked one."""
    parts = urlsplit(url or "")
    if parts.scheme not in ("s3", "s3a", "s3n") or not parts.netloc or "?" in (url or ""):
        return None

    return f"s3://{parts.netloc}", parts.path.strip("/") or "/"


def symlinks(history: History, table: TableName, location: str | None) -> list[Json]:
    """The other names of a table: in Glue, and the place of its data."""
    found = []
    if table.catalog.lower() == GLUE_CATALOG and history.account_id:
        glue = f"arn:{partition_of(history.region)}:glue:{history.region}:{history.account_id}"
        name = f"table/{table.schema}/{table.table}"
        found.append({"namespace": glue, "name": name, "type": "TABLE"})

    place = place_of(location)
    if place:
        found.append({"namespace": place[0], "name": place[1], "type": "LOCATION"})

    return found
