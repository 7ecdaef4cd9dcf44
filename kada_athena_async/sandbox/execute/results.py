"""Outcomes as the files that Athena leaves in S3."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kada_athena_async.sandbox.execute.outcome import QueryOutcome


def result_csv(outcome: QueryOutcome) -> bytes:
    """``<id>.csv``: a header row, every value quoted, NULL bare, UTF-8.

    A row of one NULL is an empty line and an empty string is ``""``, as in Athena's files.
    """
    header: Sequence[str | None] = [name for name, _ in outcome.columns]
    return _lines(map(_csv_line, [header, *outcome.rows]))


def result_txt(outcome: QueryOutcome) -> bytes:
    """``<id>.txt``: tab-separated, no header, no quoting, NULL as nothing."""
    return _lines("\t".join(value or "" for value in row) for row in outcome.rows)


def _csv_line(row: Sequence[str | None]) -> str:
    return ",".join("" if v is None else '"' + v.replace('"', '""') + '"' for v in row)


def _lines(lines: Iterable[str]) -> bytes:
    # A lone surrogate cannot be encoded; Athena holds none, a careless test might.
    return "".join(line + "\n" for line in lines).encode("utf-8", "replace")
