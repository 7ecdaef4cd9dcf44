"""``push``: deliver what waits for its delivery."""

from __future__ import annotations

from typing import Any

from kada_athena_async.cli.command import Output, command
from kada_athena_async.cli.options import CONFIG, NAME, SETTINGS, SITES, switch

ALL = switch("sends_all", "--all", help="Also send what was delivered to another landing.")


@command(CONFIG, NAME, SITES, SETTINGS, ALL)
def push(output: Output, *, sends_all: bool, **asked: Any) -> int:
    """Deliver to the landing what was extracted and not yet delivered, oldest first.

    A run with a landing does this by itself. Safe to repeat: nothing is sent twice. After a
    change of the landing, --all also sends what the old one has.

    \b
    Example:
      kada-athena-async push -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.push import push_extracts

    return push_extracts(output, RunRequest(**asked), sends_all=sends_all)
