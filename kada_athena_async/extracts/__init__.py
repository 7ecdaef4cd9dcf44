"""Published extracts, read again: what a manifest names, whole or not at all."""

from __future__ import annotations

from kada_athena_async.extracts.changes import Changes, changes_between, comparable_schemas
from kada_athena_async.extracts.package import Package, newest_packages, packages

__all__ = [
    "Changes",
    "Package",
    "changes_between",
    "comparable_schemas",
    "newest_packages",
    "packages",
]
