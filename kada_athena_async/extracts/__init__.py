"""Published extracts, read again: what a manifest names, whole or not at all.

All that reads rows raises ``StateError`` if an extract is missing, or not what its manifest says.
"""

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
