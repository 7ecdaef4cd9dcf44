"""``push``: bring to the landing what waits for it."""

from __future__ import annotations

import typer

from kada_athena_async.cli.options import (
    AsJson,
    ConfigFile,
    LogFile,
    Name,
    Quiet,
    Settings,
    Sites,
    Verbose,
)


def push(
    config: ConfigFile = None,
    name: Name = "athena",
    sites: Sites = None,
    settings: Settings = None,
    as_json: AsJson = False,
    log_file: LogFile = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Bring what was extracted and not yet delivered to the landing, oldest first.

    A run with a landing does so by itself. Safe to repeat: nothing is sent twice.

    \b
    Example:
      kada-athena-async push -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.actions import push_extracts
    from kada_athena_async.cli.outcome import ending
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.talk import Talk

    talk = Talk(as_json=as_json, verbose=verbose, quiet=quiet)
    request = RunRequest(
        config=config, name=name, settings=tuple(settings or ()), sites=tuple(sites or ())
    )

    def act() -> int:
        talk.log_to(log_file)
        return push_extracts(talk, request)

    raise typer.Exit(ending(talk, act))
