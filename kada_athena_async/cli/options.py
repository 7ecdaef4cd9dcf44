"""The options that several commands share."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Annotated

import typer

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""Settings of every group of commands."""


class Source(str, enum.Enum):
    """Values of ``--metadata-source``."""

    AUTO = "auto"
    SQL = "sql"
    API = "api"


class OnError(str, enum.Enum):
    """Values of ``--on-error``."""

    FAIL = "fail"
    SKIP = "skip"


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Configuration file.  [default: kada_athena_extractor_config.json]",
        show_default=False,
    ),
]
Name = Annotated[
    str,
    typer.Option(
        "--name", "-n", metavar="NAME", help="Name of this collector; begins its files' names."
    ),
]
HwmPath = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="High-water mark file.  [default: <name>_hwm.txt in the working directory]",
        show_default=False,
    ),
]
Days = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Look at the last N days.  [default: all published runs]",
        show_default=False,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Look at the time since, in UTC.  [default: all published runs]",
        show_default=False,
    ),
]
StartHwm = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Read from this time on: YYYY-MM-DD HH:MM:SS in UTC, or 7d (ago)."
    ),
]
EndHwm = Annotated[
    str | None, typer.Option(metavar="TIME", help="Read up to this time.  [default: now]")
]
OutputPath = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Directory of the extracts.  [default: as configured]",
        show_default=False,
    ),
]
InSandbox = Annotated[
    bool, typer.Option("--sandbox", help="Look at what `run --sandbox` has extracted here.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
LogFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Append JSON lines here too: events, warnings, errors.",
        show_default=False,
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show each unit, query and retry.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show only what goes wrong.")]


def _fields(incomplete: str) -> list[str]:
    """The fields that a shell may complete ``--set`` with."""
    from kada_athena_async.config import Config

    return [f"{name}=" for name in Config.model_fields if name.startswith(incomplete)]


Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Any field of the configuration; repeat.",
        autocompletion=_fields,
    ),
]


def _site_names(context: typer.Context, incomplete: str) -> list[str]:
    """The sites that a shell may complete ``--site`` with: those of the file, if it can be read."""
    from kada_athena_async.config import DEFAULT_FILE

    try:
        text = Path(context.params.get("config") or DEFAULT_FILE).read_text(encoding="utf-8")
        names = [str(site["name"]) for site in json.loads(text)["sites"]]
    except (OSError, ValueError, LookupError, TypeError):
        return []

    return [name for name in names if name.startswith(incomplete)]


Sites = Annotated[
    list[str] | None,
    typer.Option(
        "--site",
        metavar="NAME",
        help="Only this site, or those a pattern fits; repeat.",
        autocompletion=_site_names,
    ),
]
