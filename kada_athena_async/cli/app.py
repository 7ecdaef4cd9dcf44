"""The commands, in the order in which the help shows them; each is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.main import get_command

from kada_athena_async.cli.command import group, page
from kada_athena_async.cli.help_page import (
    EPILOG,
    EXTRACT,
    LOOK,
    SET_UP,
    TRY,
    WELCOME,
    GroupedCommands,
)

PROGRAM = "kada-athena-async"

_PANELS = {
    "run": EXTRACT,
    "plan": EXTRACT,
    "push": EXTRACT,
    "show": LOOK,
    "report": LOOK,
    "export": LOOK,
    "test-connection": SET_UP,
    "doctor": SET_UP,
    "iam-policy": SET_UP,
    "sandbox": TRY,
    "hwm": LOOK,
    "schema": LOOK,
    "config": SET_UP,
}
"""Command -> the part of the help it stands in; it is what the module of its name calls so."""


class _Commands(Mapping[str, Any]):
    """Name of a command -> the command, made from its module on demand."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            panel = _PANELS[name]
            word = name.replace("-", "_")
            found = getattr(import_module(f"{__package__}.commands.{word}"), word)
            is_group = isinstance(found, typer.Typer)
            self._made[name] = get_command(found if is_group else page(name, found))
            self._made[name].name = name
            self._made[name].rich_help_panel = panel

        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_PANELS)

    def __len__(self) -> int:
        return len(_PANELS)


class _Root(GroupedCommands):
    """The root command."""

    def __init__(self, *_: Any, **settings: Any) -> None:
        super().__init__(**{**settings, "commands": _Commands()})


app = group(cls=_Root, help=WELCOME, epilog=EPILOG, add_completion=True)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        from kada_athena_async.version import __version__

        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """See ``WELCOME``."""
