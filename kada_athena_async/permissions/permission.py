"""A permission that a configuration has a use for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kada_athena_async.permissions.requirements import Principal


class Target(Enum):
    """Kind of resource that a permission is granted on."""

    EVERYTHING = "account"
    OWN_WORKGROUP = "own workgroup"
    HISTORY = "history"
    CATALOGS = "catalogs"
    GLUE_DATABASES = "Glue databases"
    GLUE_TABLES = "Glue tables"
    RESULTS_BUCKET = "results bucket"
    RESULTS = "results"
    LANDING_BUCKET = "landing bucket"
    LANDING = "landing"
    LANDING_KEY = "KMS key of the landing"
    MARKS_BUCKET = "bucket of the HWM"
    MARKS = "HWM"
    SYSTEM_TABLE = "Athena's system table"
    ROLES = "roles"
    SECRETS = "secrets"
    PARAMETERS = "parameters"


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission that a configuration has a use for.

    Attributes:
        action: Such as ``athena:ListWorkGroups``.
        used_for: What is done with it.
        lost: What a run is without it, as the end of a sentence.
        is_needed: False if its absence only costs something.
        principal: Whose policy it belongs into.
    """

    action: str
    target: Target
    used_for: str
    lost: str
    is_needed: bool = True
    principal: Principal = "run"
