"""Requests of a configuration, as far as permissions depend on them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from kada_athena_async.config import Config, references_of
from kada_athena_async.config.landing import S3Place
from kada_athena_async.sources.strategy import asks_system_table, metadata_source, user_source

OWN_CATALOG = "AwsDataCatalog"
"""The account's own Glue catalog, as Athena spells it in ARNs."""

Principal: TypeAlias = Literal["run", "caller", "landing", "hwm_store"]
"""The principal whose policy a permission belongs into: `run` extracts (the role, if there is one),
`caller` assumes the role, `landing` and `hwm_store` write there with identities of their own."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """Needs of a configuration."""

    config: Config

    @property
    def asks_sql(self) -> bool:
        return metadata_source(self.config).asks_sql

    @property
    def asks_api(self) -> bool:
        return metadata_source(self.config).asks_api

    @property
    def asks_trail(self) -> bool:
        """True if CloudTrail is asked who ran the queries."""
        return user_source(self.config).asks_trail

    @property
    def asks_tags(self) -> bool:
        """True if Lake Formation is asked for tags."""
        return self.config.lake_formation_tags and self.reads_glue

    @property
    def asks_system_table(self) -> bool:
        """True if Athena's system table may be asked for executions or principals."""
        return asks_system_table(self.config)

    def reads_secrets(self, kind: str) -> bool | None:
        """True if the configuration refers to a secret of this kind; None if it does not."""
        return any(r.kind == kind for r in references_of(self.config).values()) or None

    @property
    def names_all(self) -> bool:
        return "*" in self.config.catalogs

    @property
    def has_own(self) -> bool:
        """True if the account's own Glue catalog is extracted."""
        return self.names_all or OWN_CATALOG.lower() in map(str.lower, self.config.catalogs)

    @property
    def has_others(self) -> bool:
        """True if a catalog is extracted that is registered with Athena, or nested in Glue."""
        return self.names_all or any(self.others)

    @property
    def others(self) -> tuple[str, ...]:
        """The other catalogs that are named."""
        own = {OWN_CATALOG.lower(), "*"}
        return tuple(name for name in self.config.catalogs if name.lower() not in own)

    @property
    def reads_glue(self) -> bool:
        """True if Glue is read, by the run or by Athena on its behalf."""
        return self.has_own or self.names_all or any("/" in name for name in self.others)

    def place(self, principal: Literal["landing", "hwm_store"]) -> S3Place | None:
        """The landing, or the HWM's place, if it is a bucket."""
        value = self.config.landing if principal == "landing" else self.config.hwm_store
        return value if isinstance(value, S3Place) else None

    @property
    def keeps_marks_in_landing(self) -> bool:
        return self.config.hwm_store == "landing"


def principal_of(place: S3Place, own: Literal["landing", "hwm_store"]) -> Principal:
    """The principal that writes to *place*: the run, unless the place names another."""
    is_own = place.key.get_secret_value() or place.profile or place.role
    return own if is_own else "run"


def assumed_roles(config: Config) -> tuple[str, ...]:
    """Roles that the first identity has to assume, each once.

    A role of the landing is assumed with the run's own first identity, not with its role, unless
    the landing has keys of its own.
    """
    needs = Requirements(config)
    places = (needs.place("landing"), needs.place("hwm_store"))
    roles = [config.role]
    for place in places:
        if place is not None and not place.key.get_secret_value() and not place.profile:
            roles.append(place.role)

    return tuple(dict.fromkeys(filter(None, roles)))
