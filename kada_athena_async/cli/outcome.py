"""End of a command: its exit code, and a sentence instead of a traceback."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from kada_athena_async.cli import Interrupted, end_at_once
from kada_athena_async.cli.invocation import again
from kada_athena_async.cli.output import Output
from kada_athena_async.codes import ExitCode, common_exit_code
from kada_athena_async.errors import KadaAthenaError


def ending(output: Output, work: Callable[[], int]) -> int:
    """Exit code of *work*; whatever goes wrong is reported.

    See ``ExitCode``; 1 also for a bug, 128 + n for the end by signal n.
    """
    try:
        with _raised_by_ctrl_c():
            return output.verdict(work())
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


class _CtrlC(KeyboardInterrupt):
    """Ctrl-C within a command, as a type of our own.

    Where KeyboardInterrupt itself has passed through ``exec`` of a text, as while a dataclass is
    made, ``python -m`` ends by SIGINT, whatever has handled it (CPython: Python/pythonrun.c).
    """


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise _CtrlC


@contextmanager
def _raised_by_ctrl_c() -> Iterator[None]:
    """Raise KeyboardInterrupt at Ctrl-C within the block, so that the work tidies up."""
    before = signal.getsignal(signal.SIGINT)
    if before is not end_at_once:
        yield
        return

    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def one_after_the_other(
    output: Output,
    works: Sequence[tuple[str, Callable[[], None]]],
    *,
    finish: Callable[[], None] = lambda: None,
) -> int:
    """Do the work of each site; the common exit code.

    A site in trouble is named, and the others are done all the same; the only one raises.

    Args:
        works: Name of a site, and its work.
        finish: What is left to do when all are through, before the verdict.
    """
    if len(works) == 1:
        works[0][1]()
        finish()
        return ExitCode.OK

    failed: list[str] = []
    codes: list[int] = []
    hints: dict[str, None] = {}
    for site, work in works:
        try:
            work()
            codes.append(ExitCode.OK)
        except KadaAthenaError as error:
            output.error(error, site=site)
            codes.append(error.exit_code)
            failed.append(site)
            hints |= {error.hint: None} if error.hint else {}

    finish()
    remedies = [*hints] or [again()]
    retry = remedies[0] if len(remedies) == 1 else "what is named above for each of them"
    output.sites_failed(failed, len(works), retry=retry)
    return common_exit_code(codes)
