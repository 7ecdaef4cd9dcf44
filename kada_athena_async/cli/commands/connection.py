"""``test-connection``: log in and look around."""

from __future__ import annotations

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import ConfigFile, Name, Settings, Sites
from kada_athena_async.cli.output import Output


@command
def connect(
    output: Output,
    config: ConfigFile = None,
    name: Name = "athena",
    sites: Sites = None,
    settings: Settings = None,
) -> int:
    """Log in to AWS and look whether Athena answers; nothing is written.

    \b
    Example:
      kada-athena-async test-connection -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.connection import show_connection

    request = RunRequest(
        config=config, name=name, settings=tuple(settings or ()), sites=tuple(sites or ())
    )
    return show_connection(output, request)
