"""``push``: bring to the landing what waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import CONFIG, NAME, SETTINGS, SITES, switch

if TYPE_CHECKING:
    from kada_athena_async.cli.output import Output

ALL = switch("sends_all", "--all", help="Send also what another landing has.")


@command(CONFIG, NAME, SITES, SETTINGS, ALL)
def push(output: Output, *, sends_all: bool, **asked: Any) -> int:
    """Bring what was extracted and not yet delivered to the landing, oldest first.

    A run with a landing does so by itself. Safe to repeat: nothing is sent twice. What
    another landing has, as after a change of the landing, is sent with --all.

    \b
    Example:
      kada-athena-async push -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.push import push_extracts

    return push_extracts(output, RunRequest(**asked), sends_all=sends_all)
