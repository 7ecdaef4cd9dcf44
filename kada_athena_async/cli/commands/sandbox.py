"""``sandbox``: serve an invented AWS on this machine."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.output import Output


class SandboxPolicy(str, enum.Enum):
    """Values of ``--policy``."""

    ADMIN = "admin"
    SEED = "seed"


@command
def sandbox(
    output: Output,
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one."
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed, another invention.")] = 7,
    scale: Annotated[
        float, typer.Option(metavar="X", min=0.01, help="Size of the estate, as a factor.")
    ] = 1.0,
    policy: Annotated[
        SandboxPolicy, typer.Option(help="Rights: all, or those of the documented policy.")
    ] = SandboxPolicy.ADMIN,
    write_config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the configuration here.", show_default=False),
    ] = None,
) -> int:
    """Serve an invented AWS on this machine until Ctrl-C; prints a configuration for it.

    \b
    Example:
      kada-athena-async sandbox --write-config sandbox.json
      kada-athena-async run -c sandbox.json      (in another terminal)
    """
    from kada_athena_async.cli.work.sandbox import SandboxRequest, serve_sandbox

    request = SandboxRequest(
        port=port, seed=seed, scale=scale, policy=policy.value, write_config=write_config
    )
    return serve_sandbox(output, request)
