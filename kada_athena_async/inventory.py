"""Inventory of an account and Region: facts without any I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemTableFacts:
    """Athena's own table of finished executions, as it is in this account and Region.

    Attributes:
        columns: Field of ours -> its column, for those that there are.
        earliest: When the oldest execution in it was submitted; None if it is empty.
    """

    columns: Mapping[str, str]
    earliest: datetime | None

    @property
    def names_principals(self) -> bool:
        """True if the table says who ran an execution."""
        return "principal_arn" in self.columns
