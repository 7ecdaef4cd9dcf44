"""Outcome of a task in Airflow: figures and links for XCom, and whether to try again."""

from __future__ import annotations

from urllib.parse import quote

from kada_athena_async.config import Config
from kada_athena_async.config.landing import Place, S3Place
from kada_athena_async.errors import (
    AccessDeniedError,
    ConfigError,
    CredentialsError,
    KadaAthenaError,
    StateError,
)
from kada_athena_async.observers.wording import moment
from kada_athena_async.report import RunReport

SHOWN_FAILURES = 5

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-bucket-intro.html
_S3_CONSOLE = "https://console.aws.amazon.com/s3/buckets"


def is_final(error: KadaAthenaError) -> bool:
    """True if another try would end the same way until somebody changes something."""
    return isinstance(error, (ConfigError, StateError, CredentialsError, AccessDeniedError))


def is_final_report(report: RunReport) -> bool:
    """True if another try of a run that committed nothing would end the same way.

    A right that is missing is one; a unit that AWS throttled or broke off beside it changes
    nothing.
    """
    return any(unit.is_denied for unit in report.failed)


def xcom(report: RunReport, config: Config) -> dict[str, object]:
    """A report as plain JSON values, small however large the run was, without secrets.

    Returns:
        ``manifest``, ``manifest_url`` and ``landing`` say where the extracts lie (null where
        there are none); ``window`` and ``rows`` what they hold; ``continued`` is the same for the
        interrupted run that was finished first, or null.
    """
    place = config.landing
    manifest = report.manifest.name if report.manifest else None
    directory = place.url if place else report.output_path.as_uri()
    return {
        "name": report.name,
        "run_id": report.run_id,
        "committed": report.committed,
        "window": {"start": moment(report.start), "end": moment(report.end)},
        "manifest": manifest,
        "manifest_url": f"{directory}/{manifest}" if manifest else None,
        "landing": place.url if place else None,
        "rows": report.rows,
        "size_bytes": sum(file.size_bytes for file in report.files),
        "calls": sum(report.calls.values()),
        "throttles": sum(report.throttles.values()),
        "skipped": len(report.skipped),
        "gaps": list(report.gaps),
        "warnings": len(report.warnings),
        "duration_s": report.duration_s,
        "continued": xcom(report.continued, config) if report.continued else None,
    }


def failure_text(report: RunReport) -> str:
    """Text for a run whose units failed."""
    bad = report.failed
    lines = [f"{unit.unit_id}: {unit.reason}" for unit in bad[:SHOWN_FAILURES]]
    if more := len(bad) - len(lines):
        lines.append(f"and {more} more")

    head = f"{len(bad)} of {len(report.outcomes)} units of work failed, nothing was committed"
    if is_final_report(report):
        lines.append('set on_error to "skip" to leave out what is denied')

    remedy = [f"try: {report.hint}"] if report.hint else []
    return "\n  ".join([f"{head}:", *lines, *remedy])


def console_url(place: Place | None) -> str:
    """The page where a person sees a landing; empty where there is none."""
    if not isinstance(place, S3Place):
        return ""

    prefix = quote(f"{place.prefix}/" if place.prefix else "", safe="/")
    return f"{_S3_CONSOLE}/{place.bucket}?prefix={prefix}"
