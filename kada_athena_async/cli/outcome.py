"""End of a command: its exit code, and a sentence instead of a traceback."""

from __future__ import annotations

import signal
from collections.abc import Callable

from kada_athena_async.cli import raised_by_ctrl_c
from kada_athena_async.cli.signals import Interrupted
from kada_athena_async.cli.talk import Talk
from kada_athena_async.codes import ExitCode
from kada_athena_async.errors import KadaAthenaError


def ending(talk: Talk, work: Callable[[], int]) -> int:
    """The exit code of *work*, with whatever went wrong said.

    See ``ExitCode``; 1 also for a bug, 128 + n for the end by signal n.
    """
    try:
        with raised_by_ctrl_c():
            return work()
    except KadaAthenaError as error:
        talk.error(error)
        return error.exit_code
    except Interrupted as interrupted:
        talk.interrupted(str(interrupted))
        return interrupted.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:
        talk.bug(error)
        return ExitCode.FAILED
