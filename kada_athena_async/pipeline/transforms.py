"""Changes to a record between source and part: texts are masked, shapes are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kada_athena_async.records import QueryRecord, ViewRecord
from kada_athena_async.sources.interface import RawView
from kada_athena_async.sources.reconcile import DecodedView
from kada_athena_async.sql.execution_texts import ExecutionText, MaskedText
from kada_athena_async.sql.masking import is_unmaskable, mask_sql
from kada_athena_async.sql.view_text import decode_view, is_encoded
from kada_athena_async.staged_records import ImmediateRecord


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

    def queries(
        self, records: Sequence[QueryRecord], texts: Sequence[MaskedText]
    ) -> tuple[list[QueryRecord], list[ImmediateRecord]]:
        """The records with their fingerprints, and masked; and what EXECUTE IMMEDIATE ran.

        Args:
            texts: What ``mask_texts`` makes of ``texts_of`` *records*.
        """
        self.unmaskable["query"] += sum(text.is_unmaskable for text in texts)
        pairs = list(zip(records, texts, strict=True))
        return [
            record._replace(query=text.sql, fingerprint=text.fingerprint, status_reason=text.reason)
            for record, text in pairs
        ], [
            ImmediateRecord(record.query_id, text.inner)
            for record, text in pairs
            if text.inner is not None
        ]

    def view(self, record: ViewRecord) -> ViewRecord:
        """The record, masked."""
        if not self.mask or record.definition is None:
            return record

        masked = mask_sql(record.definition, dialect=record.dialect)
        self.unmaskable["view"] += is_unmaskable(masked)
        return record._replace(definition=masked)


def texts_of(records: Iterable[QueryRecord]) -> list[ExecutionText]:
    """The texts of *records*, which are not masked yet."""
    return [
        ExecutionText(
            record.query,
            record.statement_type,
            record.substatement_type,
            record.status != "SUCCEEDED",
            record.catalog,
            record.schema,
            record.status_reason,
        )
        for record in records
    ]


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
