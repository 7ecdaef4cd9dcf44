"""``push``: bring to the landing what waits for it."""

from __future__ import annotations

from typing import Annotated

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import (
    ConfigFile,
    Name,
    Settings,
    Sites,
)
from kada_athena_async.cli.output import Output


@command
def push(
    output: Output,
    config: ConfigFile = None,
    name: Name = "athena",
    sites: Sites = None,
    settings: Settings = None,
    sends_all: Annotated[
        bool, typer.Option("--all", help="Send also what another landing has.")
    ] = False,
) -> int:
    """Bring what was extracted and not yet delivered to the landing, oldest first.

    A run with a landing does so by itself. Safe to repeat: nothing is sent twice. What
    another landing has, as after a change of the landing, is sent with --all.

    \b
    Example:
      kada-athena-async push -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.push import push_extracts

    request = RunRequest(
        config=config, name=name, settings=tuple(settings or ()), sites=tuple(sites or ())
    )
    return push_extracts(output, request, sends_all=sends_all)
