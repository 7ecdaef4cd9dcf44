"""Changes to a record between source and part: texts are masked, shapes are named."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from kada_athena_async.records import ImmediateRecord, QueryRecord, ViewRecord
from kada_athena_async.sources.interface import RawView
from kada_athena_async.sources.reconcile import DecodedView
from kada_athena_async.sql import (
    SqlText,
    fingerprint_of_masked,
    is_unmaskable,
    mask_sql,
    mask_text,
)
from kada_athena_async.sql.immediate import immediate_text
from kada_athena_async.sql.view_text import decode_view, is_encoded


@dataclass(slots=True)
class Transforms:
    """The transforms of one run; CPU work, to be called in a worker thread.

    Args:
        mask: True if literals are masked.
        keep_s3_locations: True if S3 locations are not.

    Attributes:
        unmaskable: Kind of text -> how many were replaced by a remark, since no literal in them
            is known for sure.
    """

    mask: bool
    keep_s3_locations: bool = False
    unmaskable: Counter[str] = field(default_factory=Counter)

    def query(self, record: QueryRecord) -> QueryRecord:
        """The record with its fingerprint, and masked."""
        text = record.query
        if text is None:
            return record._replace(status_reason=self._reason(record, ""))

        sql = SqlText(
            text,
            statement_type=record.statement_type,
            substatement_type=record.substatement_type,
            # One that was cancelled may never have come to the point where names are looked up.
            is_failed=record.status != "SUCCEEDED",
        )
        masked = sql.masked()
        named = record._replace(fingerprint=fingerprint_of_masked(masked, schema=record.schema))
        if not self.mask:
            return named

        if self.keep_s3_locations:
            masked = sql.masked(keep_s3_locations=True)
        self.unmaskable["query"] += is_unmaskable(masked)
        return named._replace(query=masked, status_reason=self._reason(record, masked))

    def immediate(self, record: QueryRecord) -> ImmediateRecord | None:
        """The statement that an EXECUTE IMMEDIATE ran, masked; None if *record* is no such thing.

        Args:
            record: As it came, not yet masked.
        """
        if not self.mask or not record.query or record.status != "SUCCEEDED":
            return None

        inner = immediate_text(record.query)
        return ImmediateRecord(record.query_id, mask_sql(inner)) if inner else None

    def view(self, record: ViewRecord) -> ViewRecord:
        """The record, masked."""
        if not self.mask or record.definition is None:
            return record

        masked = mask_sql(record.definition, dialect=record.dialect)
        self.unmaskable["view"] += is_unmaskable(masked)
        return record._replace(definition=masked)

    def _reason(self, record: QueryRecord, masked: str) -> str | None:
        """The reason of a failure; names of the statement, and of where it ran, stay in it."""
        reason = record.status_reason
        if not self.mask or reason is None:
            return reason

        return mask_text(reason, f"{masked} {record.catalog} {record.schema}")


def view_of(raw: RawView) -> DecodedView:
    """A view as its author wrote it; a Hive view's SQL is its expanded text."""
    if raw.text is None and raw.expanded_text is None:
        return DecodedView()

    if raw.is_plain_sql:
        return DecodedView(raw.text, "athena")

    decoded = decode_view(raw.text)
    if decoded is not None and decoded.dialect == "athena":
        return DecodedView(decoded.definition, "athena", decoded.catalog, decoded.schema)

    definition = decoded.definition if decoded else None
    expanded = raw.expanded_text
    if raw.dialect is None and expanded and expanded.strip() and not is_encoded(expanded):
        definition = expanded

    # What bears Athena's mark and cannot be read is no text of another dialect.
    if definition is None or is_encoded(raw.text or ""):
        return DecodedView(is_unreadable=bool((raw.text or "").strip()))

    return DecodedView(definition, raw.dialect or "hive")
