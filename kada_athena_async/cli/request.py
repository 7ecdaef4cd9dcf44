"""Options of a run on the command line, and their problems."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kada_athena_async.cli.invocation import suggestion
from kada_athena_async.cli.output import Output
from kada_athena_async.config import (
    SECRET_FIELDS,
    Site,
    check_name,
    config_path,
    config_warnings,
    known_secrets,
    load_sites,
    select_sites,
)
from kada_athena_async.errors import ConfigError, Problem

SANDBOX_FOLDER = Path("kada-sandbox")
"""Where ``run --sandbox`` keeps everything, in the working directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Options of a run.

    Attributes:
        start_hwm, end_hwm: Texts, as typed.
        settings: ``field=value`` texts; ``overrides`` win over them.
        sites: Names of the sites wanted, or patterns for them; all if empty.
        output_path: Directory of the extracts to read; None for the configured one.
        sites_at_once: How many are run side by side; None for the default.
        site_minutes: Minutes that a site may take; None for as long as it takes.
        is_otel: True if spans and metrics are sent as OpenTelemetry's variables say.
    """

    config: Path | None = None
    name: str = "athena"
    hwm_path: Path | None = None
    start_hwm: str | None = None
    end_hwm: str | None = None
    is_fresh: bool = False
    is_again: bool = False
    settings: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    output_path: Path | None = None
    sites_at_once: int | None = None
    site_minutes: float | None = None
    is_otel: bool = False
    overrides: Mapping[str, object] = field(default_factory=dict)


def published(
    *, config: Path | None, output_path: Path | None, is_sandbox: bool, **asked: Any
) -> RunRequest:
    """The extracts that a command reads, by the options that all such commands take.

    Args:
        asked: Other fields of a ``RunRequest``.

    Raises:
        ConfigError: ``--sandbox`` and another place were both asked for.
    """
    if is_sandbox and (output_path or config):
        problem = Problem("--sandbox", "given", "leave out --output-path and --config with it")
        raise ConfigError([problem], source="command")

    if is_sandbox:
        output_path = SANDBOX_FOLDER / "extracts"

    return RunRequest(config=config, output_path=output_path, **asked)


def check_request(request: RunRequest) -> None:
    """Raise ConfigError for what is wrong with the command line itself, all of it at once."""
    check_name(request.name, key="--name")
    given = {"--start-hwm": request.start_hwm, "--end-hwm": request.end_hwm}
    times = {option: text for option, text in given.items() if text is not None}
    if times and (problems := _time_problems(times)):
        raise ConfigError(problems, source="command")


def _time_problems(times: Mapping[str, str]) -> list[Problem]:
    # What it brings along takes longer to load than `config check` takes as a whole.
    from kada_athena_async.hwm.formats import EPOCH_YEAR
    from kada_athena_async.hwm.times import parse_time

    problems = []
    for option, text in times.items():
        try:
            is_early = parse_time(text, now=datetime.now(timezone.utc)).year < EPOCH_YEAR
            remedy = f"give a time of {EPOCH_YEAR} or later" if is_early else ""
        except ValueError as error:
            remedy = str(error)

        if remedy:
            problems.append(Problem(option, ascii(text), remedy))

    return problems


def existing_config(given: Path | None) -> Path | None:
    """The file to read; None if the environment says all.

    Raises:
        ConfigError: There is no file, with how to get one.
    """
    path = config_path(given)
    if path is None or path.exists():
        return path

    name = ("config", "init") if given is None else ("config", "init", str(path))
    raise ConfigError(
        [Problem("config", ascii(str(path)), "no such file; write one or name it with --config")],
        source="command",
        hint=f"{suggestion(*name)}  (writes one to fill in), or without an AWS account: "
        f"{suggestion('run', '--sandbox')}",
    )


def configured_sites(output: Output, request: RunRequest) -> tuple[Site, ...]:
    """The sites that were asked for, their secrets known to *output* and their warnings said.

    A configuration without ``sites`` is one site whose name is empty.

    Raises:
        ConfigError: With every problem of the command line, of all sites, or of ``--site``.
    """
    check_request(request)
    output.know_secrets(known_secrets(None))
    overrides = overrides_of(request)
    path = existing_config(request.config)
    sites = load_sites(path, overrides=overrides)
    secrets = {secret for site in sites for secret in known_secrets(site.config)}
    output.know_secrets(tuple(sorted(secrets)))
    chosen = select_sites(sites, request.sites)
    for warning in dict.fromkeys(w for site in chosen for w in config_warnings(path, site.config)):
        output.warn(warning)

    return chosen


def overrides_of(request: RunRequest) -> dict[str, object]:
    """The configuration fields that the command line sets.

    Raises:
        ConfigError: A ``--set`` is not ``field=value``, or would show a secret to every user of
            the machine, who can list the arguments of processes.
    """
    texts: dict[str, object] = {}
    problems = []
    for setting in request.settings:
        key, equals, value = setting.partition("=")
        if not (key and equals):
            problems.append(Problem("--set", ascii(setting), "write FIELD=VALUE"))
        elif key in SECRET_FIELDS:
            remedy = f"use the variable KADA_ATHENA_{key.upper()}, a profile or a role instead"
            problems.append(Problem(f"--set {key}", "(hidden)", remedy))
        elif key in ("landing", "hwm_store", "sites") and re.search(r"sig=|secret", value):
            remedy = f"use the file or the variable KADA_ATHENA_{key.upper()} instead"
            problems.append(Problem(f"--set {key}", "(hidden)", remedy))
        else:
            texts[key] = value

    if problems:
        raise ConfigError(problems, source="command")

    return {**texts, **{k: v for k, v in request.overrides.items() if v is not None}}
