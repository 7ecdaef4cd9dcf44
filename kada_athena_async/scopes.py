"""Completeness of each catalog, schema and workgroup, as the manifest has it.

Apart from ``report``, which who only reads published extracts need not load.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Completeness: TypeAlias = Literal["complete", "partial", "skipped", "denied", "excluded"]
Scope: TypeAlias = Literal["catalog", "schema", "workgroup"]

SPARK = "a Spark workgroup: it holds sessions and calculations, no SQL"
"""Reason of a workgroup that was skipped and lacks nothing."""


class ScopeFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Completeness of the extract of one catalog, schema or workgroup, also in the manifest.

    A failure must never look like a deletion.

    Attributes:
        scope: ``catalog``, ``schema`` or ``workgroup``.
        name: Such as ``("AwsDataCatalog", "sales")`` or ``("primary",)``.
        outcome: ``complete``, ``partial``, ``skipped``, ``denied``, or ``excluded`` by the filters.
        counts: Such as ``{"tables": 12, "columns": 340}``.
        reason: Reason why it is not complete, or a remark; empty if there is none.
    """

    scope: Scope
    name: tuple[str, ...]
    outcome: Completeness
    counts: dict[str, int] = {}
    reason: str = ""


class WorkgroupLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of the bytes that one query may scan, also in the manifest.

    Attributes:
        cutoff_bytes: Workgroup -> its limit (GetWorkGroup, BytesScannedCutoffPerQuery), or null
            where it has none; workgroups whose limit is not known are missing.
        unknown: Reason why workgroups are missing; empty if none is.
    """

    cutoff_bytes: dict[str, int | None] = {}
    unknown: str = ""
