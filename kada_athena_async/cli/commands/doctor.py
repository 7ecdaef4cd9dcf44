"""``doctor``: everything that a run needs, tried once."""

from __future__ import annotations

from typing import Annotated

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import (
    ConfigFile,
    HwmPath,
    Name,
    Settings,
    Sites,
)
from kada_athena_async.cli.output import Output


@command
def doctor(
    output: Output,
    config: ConfigFile = None,
    name: Name = "athena",
    hwm_path: HwmPath = None,
    query: Annotated[
        bool,
        typer.Option("--query", help="Also run one statement; its result stays in the bucket."),
    ] = False,
    sites: Sites = None,
    settings: Settings = None,
) -> int:
    """Try everything that a run needs: permissions, buckets, catalogs, clock, disk, lock.

    Changes nothing and leaves nothing behind. Says what is lost without what is missing, and the
    policy that grants it. Exit code: 0 all that is needed is there, 1 something is missing,
    2 the configuration names what does not exist, 3 AWS does not accept the credentials.

    \b
    Examples:
      kada-athena-async doctor -c kada_athena_extractor_config.json
      kada-athena-async doctor --json | jq '.findings[] | select(.state == "denied")'
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.doctor import examine_sites

    request = RunRequest(
        config=config,
        name=name,
        hwm_path=hwm_path,
        settings=tuple(settings or ()),
        sites=tuple(sites or ()),
    )
    return examine_sites(output, request, runs_query=query)
