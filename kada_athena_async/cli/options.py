"""Declarations of options: each one once, so that it is the same on every command that takes it."""

from __future__ import annotations

from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer


def option(name: str, kind: Any, *flags: str, default: object = None, **more: Any) -> Parameter:
    """An option, for ``command``.

    Args:
        name: Of the parameter that receives it; also of the flag where *flags* names none.
        kind: Type of the value, with None where that is the default.
        default: ``Parameter.empty`` for none: it must be given.
        more: See ``typer.Option``.
    """
    declared = typer.Option(*flags, **{"show_default": False, **more})
    return Parameter(
        name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, declared]
    )


def switch(name: str, *flags: str, help: str) -> Parameter:  # as typer calls it
    """An option without a value, for ``command``."""
    return option(name, bool, *flags, default=False, help=help)


def argument(name: str, kind: Any, *, default: object = None, **more: Any) -> Parameter:
    """A word without a flag, for ``command``; see ``option``."""
    declared = typer.Argument(**{"show_default": False, **more})
    return Parameter(
        name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, declared]
    )


def _fields(incomplete: str) -> list[str]:
    """The fields that a shell may complete ``--set`` with."""
    from kada_athena_async.config import Config

    return [f"{name}=" for name in Config.model_fields if name.startswith(incomplete)]


def _site_names(context: typer.Context, incomplete: str) -> list[str]:
    """The sites that a shell may complete ``--site`` with: those of the file, if it can be read."""
    import json

    from kada_athena_async.config import DEFAULT_FILE

    try:
        text = Path(context.params.get("config") or DEFAULT_FILE).read_text(encoding="utf-8")
        names = [str(site["name"]) for site in json.loads(text)["sites"]]
    except (OSError, ValueError, LookupError, TypeError):
        return []

    return [name for name in names if name.startswith(incomplete)]


# fmt: off
CONFIG = option("config", Path | None, "--config", "-c", metavar="FILE",
                help="Configuration file.  [default: kada_athena_extractor_config.json]")
NAME = option("name", str, "--name", "-n", default="athena", show_default=True, metavar="NAME",
              help="Name of this collector; the names of its files begin with it.")
HWM_PATH = option("hwm_path", Path | None, metavar="FILE",
                  help="High-water mark file.  [default: <name>_hwm.txt in the working directory]")
START_HWM = option("start_hwm", str | None, metavar="TIME",
                   help="Start of the window: YYYY-MM-DD HH:MM:SS in UTC, or 7d (ago).")
END_HWM = option("end_hwm", str | None, metavar="TIME",
                 help="End of the window.  [default: now, less settle_seconds]")
DAYS = option("days", int | None, metavar="N", min=1,
              help="Only the last N days.  [default: all published runs]")
SINCE = option("since", str | None, metavar="TIME",
               help="Only since this time, in UTC, or 7d (ago).  [default: all published runs]")
OUTPUT_PATH = option("output_path", Path | None, metavar="DIR",
                     help="Directory of the extracts.  [default: as configured]")
IN_SANDBOX = switch("is_sandbox", "--sandbox", help="Read what `run --sandbox` has extracted here.")
SITES = option("sites", list[str] | None, "--site", metavar="NAME",
               help="Only this site, or those that match a pattern; may be repeated.",
               autocompletion=_site_names)
SETTINGS = option("settings", list[str] | None, "--set", metavar="FIELD=VALUE",
                  help="Set a field of the configuration; may be repeated.", autocompletion=_fields)
AS_JSON = switch("as_json", "--json", help="Write JSON to stdout, one object a line.")
LOG_FILE = option("log_file", Path | None, metavar="FILE",
                  help="Also append events, warnings and errors to this file, as JSON lines.")
VERBOSE = switch("verbose", "--verbose", "-v", help="Show each unit, query and retry.")
QUIET = switch("quiet", "--quiet", "-q", help="Show only problems.")
# fmt: on
