"""Inventory of an account and Region: catalogs, schemas and workgroups that exist, without I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from kada_athena_async.errors import UnitError

DEFAULT_CATALOG = "AwsDataCatalog"
"""The account's own Glue catalog: always there, whatever ListDataCatalogs shows."""

_UNUSABLE = re.compile("IN_PROGRESS|FAILED|DELETE", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFacts:
    """A schema as its catalog gives it.

    Attributes:
        link_target: ``catalog.database`` that a resource link of Lake Formation stands for.
    """

    name: str
    description: str | None = None
    location: str | None = None
    created_at: datetime | None = None
    link_target: str | None = None


class SchemaList(NamedTuple):
    """The schemas of a catalog.

    Attributes:
        unreadable: What of the answer could not be read, by path.
        stand_in: Why another source than the preferred one listed them; mostly empty.
    """

    schemas: Sequence[SchemaFacts]
    unreadable: tuple[str, ...] = ()
    stand_in: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogFacts:
    """A catalog.

    Attributes:
        type: GLUE, LAMBDA, HIVE or FEDERATED; None where unknown.
        schemas: In order of name; empty if ``error`` is set.
        error: Why its schemas could not be listed.
        unreadable, stand_in: As in ``SchemaList``.
        catalog_id: By which Glue knows a nested catalog (``account:parent/child``); None where
            Glue's own API does not show it, or needs no id.
    """

    name: str
    type: str | None = None
    catalog_id: str | None = None
    status: str | None = None
    description: str | None = None
    schemas: tuple[SchemaFacts, ...] = ()
    error: UnitError | None = None
    unreadable: tuple[str, ...] = ()
    stand_in: str = ""

    @property
    def is_usable(self) -> bool:
        """False while it is made or deleted, and if that failed; a new status is tried."""
        return not (self.status and _UNUSABLE.search(self.status))

    @property
    def is_own_glue(self) -> bool:
        """True if Glue's own API shows it without a catalog id."""
        return self.name.lower() == DEFAULT_CATALOG.lower()

    @property
    def is_in_glue(self) -> bool:
        """True if Glue's own API shows it: the account's own catalog, or a nested one."""
        return self.is_own_glue or self.catalog_id is not None

    @property
    def has_files(self) -> bool:
        """True if its tables are files with a format; tables of a federated source are not."""
        return self.is_own_glue or self.type in ("GLUE", "HIVE") or "/" in self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkgroupFacts:
    """A workgroup as ListWorkGroups gives it."""

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
class Inventory:
    """Catalogs, schemas and workgroups that were found.

    Attributes:
        workgroups: In order of name.
        workgroups_error: Why workgroups could not be listed; None if they were.
        unreadable: What of the lists of catalogs and workgroups could not be read, by path.
        unlisted: Why nested catalogs were not looked for, though all catalogs were asked for.
    """

    catalogs: tuple[CatalogFacts, ...]
    workgroups: tuple[WorkgroupFacts, ...]
    workgroups_error: UnitError | None = None
    unreadable: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemTableFacts:
    """Athena's own table of finished executions, as it is in this account and Region.

    Attributes:
        columns: Field of ours -> its column, for those that there are.
        earliest: When the first execution in it ended; None if it is empty. One that ran when the
            table was turned on was submitted before.
    """

    columns: Mapping[str, str]
    earliest: datetime | None

    @property
    def names_principals(self) -> bool:
        """True if the table says who ran an execution."""
        return "principal_arn" in self.columns

    def reaches(self, start: datetime) -> bool:
        """True if the table holds all executions that ended from *start* on."""
        return self.earliest is not None and self.earliest <= start
