"""Pages of help: commands in groups, text wrapped between words."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import partial
from textwrap import wrap
from typing import Any, NoReturn

from typer.core import TyperCommand, TyperGroup

from kada_athena_async.codes import exit_code_lines

EXTRACT = "Extract"
LOOK = "Look"
SET_UP = "Set up and check"
TRY = "Try"
_OTHERS = "Other commands"

WELCOME = """Extract AWS Athena metadata and query history into CSV files, for K and similar
platforms.

Start here, without an AWS account: kada-athena-async run --sandbox
"""

EPILOG = f"""\b
Examples:
  kada-athena-async run --sandbox       try it out, without an AWS account
  kada-athena-async config init         write a configuration to fill in
  kada-athena-async config check        check it, without any call
  kada-athena-async doctor              try all that a run needs
  kada-athena-async plan                what a run would read and cost
  kada-athena-async run                 extract all since the last run
  kada-athena-async report              show it as one HTML page

\b
Exit codes:
{exit_code_lines()}

\b
Environment:
  KADA_ATHENA_<FIELD>    a field of the configuration; wins over the file
  AWS_PROFILE, AWS_...   AWS's own credentials, if key and secret are empty
  AWS_ENDPOINT_URL       a local AWS emulator
  NO_COLOR, TERM=dumb    no colours; no progress display

\b
Files:
  kada_athena_extractor_config.json   configuration, in the working directory
  <name>_hwm.txt, <name>_state.json   high-water mark and state, beside it
  <name>_<kind>_<time>.csv.gz         the extracts, in output_path
  <name>_manifest_<time>.json         written last: names complete extracts

Each command has a page of its own: kada-athena-async run --help
"""


_FIRST_COLUMN = re.compile(r"\s*\S.*?\s{2,}(?=\S)|\s*")


class PageOfCommand(TyperCommand):
    """A command whose page breaks no word, and names arguments without their Python type.

    Options that are not given are not converted: typer makes a validator of half a millisecond for
    each that it converts.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        for param in self.params:
            if not param.required and param.callback is None:
                convert: Any = param.process_value
                param.process_value = partial(_converted, convert)  # type: ignore[method-assign]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue

            name, text = record
            if param.param_type_name == "argument":
                sections["Arguments"].append((name.partition(" <")[0], text))
            else:
                sections["Options"].append((name, text))

        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        _fit(formatter)


def _converted(convert: Callable[[Any, Any], Any], context: Any, value: Any) -> Any:
    return None if value is None else convert(context, value)


class GroupedCommands(TyperGroup):
    """Shows the commands under the ``rich_help_panel`` of each, their first sentence in full.

    What is wrong with a command line is said in the voice of all other errors.
    """

    def main(  # type: ignore[override]  # all but what is looked at here is handed on
        self, args: Any = None, *, standalone_mode: bool = True, **more: Any
    ) -> Any:
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **more)

        try:
            code = super().main(args, standalone_mode=False, **more)
        except OSError as error:
            code = _unprinted(error)
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise

            _refuse(error)

        sys.exit(code)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        _fit(formatter)

    # The signature is click's; typer carries a copy of click whose types have no public name.
    def format_commands(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {
            name: [] for name in (EXTRACT, LOOK, SET_UP, TRY, _OTHERS)
        }
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                panel = getattr(command, "rich_help_panel", None)
                group = groups[panel] if panel in groups else groups[_OTHERS]
                group.append((name, " ".join((command.help or "").partition("\n\n")[0].split())))

        is_flat = len(groups[_OTHERS]) == len(self.list_commands(ctx))
        for title, rows in groups.items():
            if rows:
                with formatter.section("Commands" if is_flat else title):
                    formatter.write_dl(rows)


def _fit(formatter: Any) -> None:
    """Wrap lines that are wider than the terminal, under their second column."""
    lines: list[str] = []
    for line in formatter.getvalue().splitlines():
        found = _FIRST_COLUMN.match(line)
        first = found[0] if found else ""
        # To be copied: the terminal may wrap it, we may not.
        is_command = not first.strip() and line.lstrip().startswith("kada-athena-async")
        if len(line) <= formatter.width or is_command:
            lines.append(line)
            continue

        indent = " " * len(first)
        lines += wrap(line, formatter.width, subsequent_indent=indent, break_on_hyphens=False)

    formatter.buffer[:] = [line + "\n" for line in lines]


def _refuse(error: Any) -> NoReturn:
    """Report *error* of click's about the command line, and end."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        sys.exit(error.exit_code)

    from kada_athena_async.cli.outcome import ending
    from kada_athena_async.cli.output import Output
    from kada_athena_async.cli.usage import usage_error

    def fail() -> int:
        raise usage_error(error)

    sys.exit(ending(Output(as_json="--json" in sys.argv), fail))


def _unprinted(error: OSError) -> int:
    """The exit code after stdout refused a page of help or the version."""
    from kada_athena_async.cli.output import Output

    output = Output()
    output.stdout_failed(error)
    return output.verdict(0)
