"""What happens to a record between its source and its part: texts are masked, shapes are named."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from kada_athena_async.records import QueryRecord, ViewRecord
from kada_athena_async.sources.interface import RawView
from kada_athena_async.sql import fingerprint, is_unmaskable, mask_sql, mask_text
from kada_athena_async.sql.view_text import decode_view


@dataclass(slots=True)
class Transforms:
    """The transforms of one run; CPU work, to be called in a worker thread.

    Args:
        mask: Whether literals are masked.

    Attributes:
        unmaskable: Kind of text -> how many were replaced by a remark, since no literal in them
            could be told for sure.
    """

    mask: bool
    unmaskable: Counter[str] = field(default_factory=Counter)

    def query(self, record: QueryRecord) -> QueryRecord:
        """The record with its fingerprint, and masked."""
        text = record.query
        if text is None:
            return record._replace(status_reason=self._message(record.status_reason))

        named = record._replace(
            fingerprint=fingerprint(
                text,
                statement_type=record.statement_type,
                substatement_type=record.substatement_type,
            )
        )
        if not self.mask:
            return named

        masked = mask_sql(
            text,
            statement_type=record.statement_type,
            substatement_type=record.substatement_type,
            is_failed=record.status == "FAILED",
        )
        self.unmaskable["query"] += is_unmaskable(masked)
        return named._replace(query=masked, status_reason=self._message(record.status_reason))

    def view(self, record: ViewRecord) -> ViewRecord:
        """The record, masked."""
        if not self.mask or record.definition is None:
            return record

        masked = mask_sql(record.definition, dialect=record.dialect)
        self.unmaskable["view"] += is_unmaskable(masked)
        return record._replace(definition=masked)

    def _message(self, text: str | None) -> str | None:
        return mask_text(text) if self.mask and text is not None else text


def view_of(raw: RawView) -> tuple[str | None, str | None]:
    """Definition and dialect of a view; a Hive view's SQL is its expanded text."""
    if raw.text is None and raw.expanded_text is None:
        return None, None

    if raw.is_plain_sql:
        return raw.text, "athena"

    decoded = decode_view(raw.text)
    if decoded is not None and decoded.dialect == "athena":
        return decoded.definition, decoded.dialect

    if raw.expanded_text and raw.expanded_text.strip():
        return raw.expanded_text, "hive"

    return (decoded.definition, decoded.dialect) if decoded else (None, None)
