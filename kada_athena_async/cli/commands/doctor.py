"""``doctor``: everything that a run needs, tried once."""

from __future__ import annotations

from typing import Any

from kada_athena_async.cli.command import Output, command
from kada_athena_async.cli.options import CONFIG, HWM_PATH, NAME, SETTINGS, SITES, switch

QUERY = switch(
    "runs_query", "--query", help="Also run one statement; its result stays in the bucket."
)


@command(CONFIG, NAME, HWM_PATH, QUERY, SITES, SETTINGS)
def doctor(output: Output, *, runs_query: bool, **asked: Any) -> int:
    """Try everything that a run needs: permissions, buckets, catalogs, clock, disk, lock.

    Changes nothing and leaves nothing behind. For all that is missing it says what a run loses
    without it, and prints the policy that grants it. Exit code: 0 all that is needed is there,
    1 something is missing, 2 the configuration names what does not exist, 3 AWS does not accept
    the credentials.

    \b
    Examples:
      kada-athena-async doctor -c kada_athena_extractor_config.json
      kada-athena-async doctor --json | jq '.findings[] | select(.state == "denied")'
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.doctor import examine_sites

    return examine_sites(output, RunRequest(**asked), runs_query=runs_query)
