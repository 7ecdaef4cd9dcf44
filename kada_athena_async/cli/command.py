"""Makes a command of a function: the options that all commands share, a voice and an exit code."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from kada_athena_async.cli.options import AsJson, LogFile, Quiet, Verbose

_SHARED = {"as_json": AsJson, "log_file": LogFile, "verbose": Verbose, "quiet": Quiet}
"""Parameter -> its option, on every command in this order, after the command's own."""

_DEFAULTS: dict[str, object] = {"as_json": False, "log_file": None}


def command(work: Callable[..., int]) -> Callable[..., None]:
    """A command that calls *work* with a ``Output`` first, then with its own options.

    Whatever goes wrong is said in one voice; the exit code is what *work* returns, or that of the
    error. A command that prints a document for machines leaves ``as_json`` out by naming its
    ``Output`` parameter ``document``.
    """
    first, *own = inspect.signature(work).parameters.values()
    # Not get_type_hints: in Python 3.10 it hides the option of a parameter whose default is None.
    hints = inspect.get_annotations(work, eval_str=True)
    shared = {n: o for n, o in _SHARED.items() if n != "as_json" or first.name != "document"}

    @wraps(work)
    def run(**given: Any) -> None:
        from kada_athena_async.cli.outcome import ending
        from kada_athena_async.cli.output import Output

        log_file = given.pop("log_file")
        says = {name: given.pop(name) for name in shared if name != "log_file"}
        output = Output(**says)

        def act() -> int:
            output.log_to(log_file)
            return work(output, **given)

        raise typer.Exit(ending(output, act))

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [p.replace(kind=keyword, annotation=hints[p.name]) for p in own]
    parameters += [
        inspect.Parameter(name, keyword, default=_DEFAULTS.get(name, False), annotation=option)
        for name, option in shared.items()
    ]
    # Typer reads both.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run
