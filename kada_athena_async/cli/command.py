"""A function as a command: the options that all commands share, output and exit code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from kada_athena_async.cli.help_page import GroupedCommands, PageOfCommand
from kada_athena_async.cli.options import AS_JSON, LOG_FILE, QUIET, VERBOSE

if TYPE_CHECKING:
    from kada_athena_async.cli.output import Output as Output
else:
    Output = Any  # which help does not load

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def group(**more: Any) -> typer.Typer:
    """A command that has commands below it; see ``typer.Typer``."""
    settings: dict[str, Any] = {"add_completion": False, "no_args_is_help": True, **more}
    return typer.Typer(
        cls=settings.pop("cls", GroupedCommands),
        context_settings=HELP,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        **settings,
    )


def command(*own: inspect.Parameter) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """A command that calls a function with an ``Output`` first, then with its own options by name.

    Whatever goes wrong is said in one voice; the exit code is what the function returns, or that
    of the error. A command that prints a document for machines leaves ``--json`` out by naming its
    ``Output`` parameter ``document``. Options that may be repeated come as tuples.

    Args:
        own: Options of ``cli.options`` or of the command, in the order of its help; behind them
            stand those that every command has.
    """

    def decorate(work: Callable[..., int]) -> Callable[..., None]:
        is_document = next(iter(inspect.signature(work).parameters)) == "document"
        shared = [*([] if is_document else [AS_JSON]), LOG_FILE, VERBOSE, QUIET]
        options = [*own, *shared]
        repeated = [o.name for o in own if o.annotation.__origin__ == list[str] | None]

        @wraps(work)
        def run(**given: Any) -> None:
            from kada_athena_async.cli.outcome import ending
            from kada_athena_async.cli.output import Output

            given |= {name: tuple(given[name] or ()) for name in repeated}
            paths = [value for value in given.values() if isinstance(value, Path)]
            says = {option.name: given.pop(option.name) for option in shared}
            log_file = says.pop(LOG_FILE.name)
            output = Output(**says)

            def act() -> int:
                _refuse_no_directory()
                _refuse_home_signs(paths)
                output.log_to(log_file)
                return work(output, **given)

            raise typer.Exit(ending(output, act))

        # Typer reads both.
        run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
        run.__annotations__ = {option.name: option.annotation for option in options}
        return run

    return decorate


def page(name: str, work: Callable[..., None]) -> typer.Typer:
    """The command *name* alone, with its page of help."""
    alone = group(no_args_is_help=False)
    alone.command(name, cls=PageOfCommand)(work)
    return alone


def _refuse_no_directory() -> None:
    """Refuse to work in a directory that was removed: relative paths lead nowhere."""
    try:
        Path.cwd()
    except OSError as exc:
        from kada_athena_async.errors import ConfigError, Problem

        remedy = f"{exc.strerror}: change to a directory that is there (`cd`), then run again"
        problem = Problem("working directory", "(gone)", remedy)
        raise ConfigError([problem], source="command") from None


def _refuse_home_signs(paths: Sequence[Path]) -> None:
    """Refuse ``--option=~/x``, which no shell expands: it would make a directory named ``~``."""
    from kada_athena_async.cli.invocation import given_with
    from kada_athena_async.errors import ConfigError, Problem

    problems = [
        Problem(given_with(str(path)), ascii(str(path)), f"write it in full: {path.expanduser()}")
        for path in paths
        if path.parts[:1] == ("~",)
    ]
    if problems:
        raise ConfigError(problems, source="command")
