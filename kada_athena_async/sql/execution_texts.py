"""The texts of executions, masked and named: all that is to be found out about a text, in one go.

What goes in holds literals, what comes out holds none unless nothing is masked. A worker process
can do it, for it needs neither records nor the configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kada_athena_async.sql.fingerprints import fingerprint_of_masked
from kada_athena_async.sql.immediate import immediate_text
from kada_athena_async.sql.masking import SqlText, is_unmaskable, mask_sql, mask_text


class ExecutionText(NamedTuple):
    """The texts of an execution as Athena gives them.

    Attributes:
        is_failed: It did not succeed. One that was cancelled may never have come to the point
            where names are looked up.
        reason: Athena's message.
    """

    sql: str | None
    statement_type: str | None
    substatement_type: str | None
    is_failed: bool
    catalog: str | None
    schema: str | None
    reason: str | None


class MaskedText(NamedTuple):
    """The same, masked if masking is on.

    Attributes:
        inner: The statement that an EXECUTE IMMEDIATE ran, masked, where the mask hides it.
        is_unmaskable: A remark stands for the statement.
    """

    sql: str | None
    fingerprint: str | None
    reason: str | None
    inner: str | None = None
    is_unmaskable: bool = False


def mask_texts(
    texts: Sequence[ExecutionText], mask: bool, keep_s3_locations: bool
) -> list[MaskedText]:
    """Each of *texts* with its fingerprint, and masked if *mask* is true."""
    return [_masked(text, mask, keep_s3_locations) for text in texts]


def _masked(text: ExecutionText, mask: bool, keep_s3_locations: bool) -> MaskedText:
    if text.sql is None:
        return MaskedText(None, None, _reason(text, "") if mask else text.reason)

    sql = SqlText(
        text.sql,
        statement_type=text.statement_type,
        substatement_type=text.substatement_type,
        is_failed=text.is_failed,
    )
    masked = sql.masked()
    fingerprint = fingerprint_of_masked(masked, schema=text.schema)
    if not mask:
        return MaskedText(text.sql, fingerprint, text.reason)

    if keep_s3_locations and "s3" in text.sql:
        masked = sql.masked(keep_s3_locations=True)
    inner = None if text.is_failed else immediate_text(text.sql)
    return MaskedText(
        masked,
        fingerprint,
        _reason(text, masked),
        inner=mask_sql(inner) if inner else None,
        is_unmaskable=is_unmaskable(masked),
    )


def _reason(text: ExecutionText, masked: str) -> str | None:
    """The reason of a failure; names of the statement, and of where it ran, stay in it."""
    if text.reason is None:
        return None

    return mask_text(text.reason, f"{masked} {text.catalog} {text.schema}")
