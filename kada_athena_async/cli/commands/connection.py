"""``test-connection``: log in and look around."""

from __future__ import annotations

import typer

from kada_athena_async.cli.options import AsJson, ConfigFile, Settings, Sites, Verbose


def connect(
    config: ConfigFile = None,
    sites: Sites = None,
    settings: Settings = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Log in to AWS and look whether Athena answers; nothing is written.

    \b
    Example:
      kada-athena-async test-connection -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.actions import show_connection
    from kada_athena_async.cli.outcome import ending
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.talk import Talk

    talk = Talk(as_json=as_json, verbose=verbose)
    request = RunRequest(config=config, settings=tuple(settings or ()), sites=tuple(sites or ()))
    raise typer.Exit(ending(talk, lambda: show_connection(talk, request)))
