"""``sandbox``: serve an invented AWS on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from kada_athena_async.cli.command import Output, command
from kada_athena_async.cli.options import option

# fmt: off
PORT = option("port", int, default=0, show_default=True, metavar="PORT", min=0, max=65535,
              help="Port on 127.0.0.1; 0 takes a free one.")
SEED = option("seed", int, default=7, show_default=True, metavar="N",
              help="Seed of the invented data: the same seed gives the same data.")
SCALE = option("scale", float, default=1.0, show_default=True, metavar="X", min=0.01, max=100.0,
               help="Size of the invented data, as a factor.")
POLICY = option("policy", Literal["admin", "seed"], default="admin", show_default=True,
                help="Rights of the collector: all, or those of the vendor's documented policy.")
WRITE_CONFIG = option("write_config", Path | None, metavar="FILE",
                      help="Also write the configuration to this file.")
# fmt: on


@command(PORT, SEED, SCALE, POLICY, WRITE_CONFIG)
def sandbox(output: Output, *, write_config: Path | None, **settings: Any) -> int:
    """Serve an invented AWS on this machine until Ctrl-C, and print a configuration for it.

    \b
    Example:
      kada-athena-async sandbox --write-config sandbox.json
      kada-athena-async run -c sandbox.json      (in another terminal)
    """
    from kada_athena_async.cli.work.sandbox import serve_sandbox

    return serve_sandbox(output, write_config, **settings)
