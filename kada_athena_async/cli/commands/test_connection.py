"""``test-connection``: log in and see what answers."""

from __future__ import annotations

from typing import Any

from kada_athena_async.cli.command import Output, command
from kada_athena_async.cli.options import CONFIG, NAME, SETTINGS, SITES


@command(CONFIG, NAME, SITES, SETTINGS)
def test_connection(output: Output, **asked: Any) -> int:
    """Log in to AWS and check that Athena answers; nothing is written.

    \b
    Example:
      kada-athena-async test-connection -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.connection import show_connection

    return show_connection(output, RunRequest(**asked))
