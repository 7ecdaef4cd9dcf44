"""End of a command: its exit code, and a sentence instead of a traceback."""

from __future__ import annotations

import signal
from collections.abc import Callable

from kada_athena_async.cli import raised_by_ctrl_c
from kada_athena_async.cli.output import Output
from kada_athena_async.cli.signals import Interrupted
from kada_athena_async.codes import ExitCode
from kada_athena_async.errors import KadaAthenaError


def ending(output: Output, work: Callable[[], int]) -> int:
    """The exit code of *work*, with whatever went wrong said.

    See ``ExitCode``; 1 also for a bug, 128 + n for the end by signal n.
    """
    try:
        with raised_by_ctrl_c():
            return work()
    except KadaAthenaError as error:
        output.error(error)
        return error.exit_code
    except Interrupted as interrupted:
        output.interrupted(str(interrupted))
        return interrupted.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:
        output.bug(error)
        return ExitCode.FAILED
