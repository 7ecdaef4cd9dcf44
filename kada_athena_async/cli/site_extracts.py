"""Published extracts that a command looks at: where they lie, and which part of their time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from kada_athena_async.cli.invocation import options, suggestion
from kada_athena_async.cli.outcome import one_after_the_other
from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import (
    RunRequest,
    check_request,
    configured_sites,
    existing_config,
    overrides_of,
)
from kada_athena_async.config.load import read_layers
from kada_athena_async.config.problems import field_problems
from kada_athena_async.errors import ConfigError, Problem, StateError
from kada_athena_async.extracts.runs import Runs, select_runs
from kada_athena_async.files import Files
from kada_athena_async.manifest import manifest_paths

_PRICES = ("usd_per_tb", "usd_per_dpu_hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteExtracts:
    """Extracts of one collector.

    Attributes:
        name: The collector's, with which its files' names begin.
        site: Empty where the configuration has no ``sites``.
        usd_per_tb, usd_per_dpu_hour: As configured now; None to take those of the manifest.
    """

    output_path: Path
    name: str
    site: str = ""
    usd_per_tb: float | None = None
    usd_per_dpu_hour: float | None = None

    def runs(self, *, days: int | None, since: datetime | None) -> Runs:
        """The published runs: all, of the last *days*, or *since* a time.

        Raises:
            StateError: There is none, or a manifest is damaged.
        """
        return select_runs(
            self.output_path,
            self.name,
            Files(),
            days=days,
            since=since,
            usd_per_tb=self.usd_per_tb,
            usd_per_dpu_hour=self.usd_per_dpu_hour,
        )


def site_extracts(output: Output, request: RunRequest) -> list[SiteExtracts]:
    """The directory that *request* names, else the place of each site that was asked for.

    Raises:
        ConfigError: With every problem of the configuration, as far as it is needed.
    """
    check_request(request)
    if request.output_path is not None:
        usd_per_tb, usd_per_dpu_hour = _given_prices(request)
        return [
            SiteExtracts(
                output_path=request.output_path.absolute(),
                name=request.name,
                usd_per_tb=usd_per_tb,
                usd_per_dpu_hour=usd_per_dpu_hour,
            )
        ]

    return [
        SiteExtracts(
            output_path=site.config.output_path.absolute(),
            name=site.instance(request.name),
            site=site.name,
            usd_per_tb=site.config.usd_per_tb,
            usd_per_dpu_hour=site.config.usd_per_dpu_hour,
        )
        for site in configured_sites(output, request)
    ]


def _given_prices(request: RunRequest) -> tuple[float | None, ...]:
    """The prices of the file, the environment and the command line, which need not say more."""
    path = existing_config(request.config) if request.config else None
    layers = read_layers(path, os.environ, overrides_of(request))
    values = {**layers.top, **layers.command}
    given = {name: values.get(name) for name in _PRICES}
    problems = [p for p in layers.problems if p.key.lower().endswith(_PRICES)]
    problems += [p for p in field_problems(given) if p.key in _PRICES]
    if problems:
        raise ConfigError(problems)

    return tuple(None if value is None else float(str(value)) for value in given.values())


def each_site_extracts(
    output: Output,
    found: Sequence[SiteExtracts],
    show: Callable[[SiteExtracts], None],
    *,
    finish: Callable[[], None] = lambda: None,
) -> int:
    """Call *show* for each place; the exit code of all together.

    A site in trouble is reported, and the others are shown all the same; the only one raises.

    Args:
        finish: Called when all were shown, before the verdict.
    """

    def shown(place: SiteExtracts) -> Callable[[], None]:
        def work() -> None:
            try:
                show(place)
            except StateError as error:
                raise _of_site(error, place) from error

        return work

    works = [(place.site, shown(place)) for place in found]
    return one_after_the_other(output, works, finish=finish)


def _of_site(error: StateError, place: SiteExtracts) -> StateError:
    """*error*, with a remedy for a site where it has nothing published."""
    if not place.site or manifest_paths(place.output_path, place.name, Files()):
        return error

    first = suggestion("run", *options("-c", "--config", "-n", "--name"), "--site", place.site)
    return StateError(error.message, hint=f"{first}   (extracts it first)")


def time_since(days: int | None, since: str | None) -> datetime | None:
    """The time that ``--since`` names; None if it is not given.

    Raises:
        ConfigError: It is no time, or *days* are given too.
    """
    if since is None:
        return None

    if days is not None:
        raise ConfigError(
            [Problem("--days", ascii(days), "leave it out, or --since")], source="command"
        )

    from kada_athena_async.hwm.times import parse_time

    try:
        return parse_time(since, now=datetime.now(timezone.utc))
    except ValueError as error:
        problem = Problem("--since", ascii(since), str(error))
        raise ConfigError([problem], source="command") from None
