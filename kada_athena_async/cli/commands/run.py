"""``run``: extract, commit, deliver, and only then move the HWM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kada_athena_async.choices import MetadataSourceName, OnError
from kada_athena_async.cli.command import Output, command
from kada_athena_async.cli.options import (
    CONFIG,
    END_HWM,
    HWM_PATH,
    NAME,
    SETTINGS,
    SITES,
    START_HWM,
    option,
    switch,
)

# fmt: off
NO_RESUME = switch("is_fresh", "--no-resume", "--fresh",
                   help="Begin anew; do not continue an interrupted run.")
REPROCESS = switch("is_again", "--reprocess", "--again",
                   help="Extract the packages already published for the window once more.")
FROM_SANDBOX = switch("is_sandbox", "--sandbox",
                      help="Extract from an invented AWS on this machine instead of AWS.")
DIRECTORY = option("output_path", Path | None, metavar="DIR", help="Directory for the extracts.")
METADATA_SOURCE = option("metadata_source", MetadataSourceName | None,
                         help="Where metadata comes from.")
ON_ERROR = option("on_error", OnError | None,
                  help="Fail, or skip what cannot be read and commit the rest.")
SITES_AT_ONCE = option("sites_at_once", int | None, metavar="N", min=1,
                       help="Sites extracted at the same time.  [default: 8]")
SITE_MINUTES = option("site_minutes", float | None, metavar="N", min=0.01,
                      help="Time limit of a site in minutes; a site that takes longer fails.")
OTEL = switch("is_otel", "--otel",
              help="Send spans and metrics of OpenTelemetry, as the OTEL_* variables say.")
# fmt: on


@command(CONFIG, NAME, HWM_PATH, START_HWM, END_HWM, NO_RESUME, REPROCESS, FROM_SANDBOX, DIRECTORY,
         METADATA_SOURCE, ON_ERROR, SITES, SITES_AT_ONCE, SITE_MINUTES, OTEL, SETTINGS)  # fmt: skip
def run(
    output: Output,
    *,
    is_sandbox: bool,
    output_path: Path | None,
    metadata_source: MetadataSourceName | None,
    on_error: OnError | None,
    **asked: Any,
) -> int:
    """Extract everything since the last run, then move the high-water mark.

    Safe to repeat after any failure: nothing is lost and nothing is published twice.

    \b
    Examples:
      kada-athena-async run --sandbox
      kada-athena-async run -c kada_athena_extractor_config.json
      kada-athena-async run --start-hwm "2026-11-01 00:00:00" --reprocess
      kada-athena-async run --site prod_au --site 'test_*'
      kada-athena-async run --set mask=false --set 'include_schemas=*.sales_*' --json
    """
    from kada_athena_async.cli import loading

    loading.keep_gaps_small()
    loading.load_at_least()
    from kada_athena_async.cli.request import RunRequest

    overrides = {
        "output_path": str(output_path.absolute()) if output_path else None,
        "metadata_source": metadata_source,
        "on_error": on_error,
    }
    request = RunRequest(overrides=overrides, **asked)
    if is_sandbox:
        from kada_athena_async.cli.work.sandbox import run_demo

        return run_demo(output, request)

    from kada_athena_async.aws.network import make_context

    loading.beside(make_context)
    from kada_athena_async.cli.work.run import run_extraction

    return run_extraction(output, request)
