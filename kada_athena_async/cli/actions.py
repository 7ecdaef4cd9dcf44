"""Actions of the commands: run, and test the connection."""

from __future__ import annotations

import gc

from kada_athena_async.cli.invocation import NO_RESUME, again, options, suggestion
from kada_athena_async.cli.request import RunRequest, check_request, configured_sites
from kada_athena_async.cli.signals import run_until_signalled
from kada_athena_async.cli.sites import connect_sites, push_sites, run_sites
from kada_athena_async.cli.talk import Talk
from kada_athena_async.cli.telemetry import telemetry
from kada_athena_async.codes import ExitCode
from kada_athena_async.config import Config
from kada_athena_async.engine import ConnectionReport, Extractor
from kada_athena_async.landing import DeliveryReport
from kada_athena_async.report import RunReport

_SHOWN_HINTS = 3


def run_extraction(talk: Talk, request: RunRequest) -> int:
    """Extract as configured; the exit code."""
    check_request(request)
    sites = configured_sites(talk, request)
    _calm_collector()
    if sites[0].name:
        return run_sites(talk, sites, request)

    return extract(talk, sites[0].config, request).exit_code


def _calm_collector() -> None:
    """Let the garbage collector leave alone what is loaded, and come less often.

    The process is ours: the engine itself never changes the settings of a process that embeds it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def extract(talk: Talk, config: Config, request: RunRequest) -> RunReport:
    """Run the engine, show it working, and say what to do next if it could not commit."""
    with telemetry(is_wanted=request.is_otel) as exporters, talk.observers() as observers:

        async def work() -> RunReport:
            extractor = Extractor(
                config,
                observers=[*observers, *exporters],
                name=request.name,
                hwm_path=request.hwm_path,
            )
            async with extractor:
                return await extractor.run(
                    start_hwm=request.start_hwm,
                    end_hwm=request.end_hwm,
                    fresh=request.is_fresh,
                    again=request.is_again,
                    manage_hwm=True,
                )

        report = run_until_signalled(
            work, on_signal=lambda: talk.say("stopping; once more to stop at once")
        )

    talk.data(report.to_dict(), kind="report", lines=[])

    for line in what_next(report):
        if report.exit_code:
            talk.remedy(line)
        else:
            talk.say(f"  try: {line}")

    return report


def show_connection(talk: Talk, request: RunRequest) -> int:
    """Log in and show the identity and what answers; the exit code."""
    sites = configured_sites(talk, request)
    if sites[0].name:
        return connect_sites(talk, sites, request)

    config = sites[0].config
    if config.endpoint_url:
        talk.say(f"talking to {config.endpoint_url}")

    with talk.observers() as observers:

        async def work() -> ConnectionReport:
            async with Extractor(config, observers=observers) as extractor:
                return await extractor.test_connection()

        report = run_until_signalled(work, on_signal=lambda: None)

    facts = report.to_dict()
    lines = [f"{key.replace('_', ' ')}: {_in_words(value)}" for key, value in facts.items()]
    talk.data(facts, kind="connection", lines=lines)
    return ExitCode.FAILED if report.missing else ExitCode.OK


def push_extracts(talk: Talk, request: RunRequest, *, sends_all: bool = False) -> int:
    """Bring what was extracted to the landing; the exit code.

    Args:
        sends_all: Also what another landing has.
    """
    check_request(request)
    sites = configured_sites(talk, request)
    if sites[0].name:
        return push_sites(talk, sites, request, sends_all=sends_all)

    config = sites[0].config
    with talk.observers() as observers:

        async def work() -> DeliveryReport:
            async with Extractor(config, observers=observers, name=request.name) as extractor:
                return await extractor.push(sends_all=sends_all)

        report = run_until_signalled(
            work, on_signal=lambda: talk.say("stopping; once more to stop at once")
        )

    talk.data(report.to_dict(), kind="delivery", lines=list(report.manifests))
    if not report.manifests:
        talk.say(f"nothing waits to be delivered to {report.place}")

    return 0


def what_next(report: RunReport) -> list[str]:
    """Commands to try after a run that did not extract all; empty if it did."""
    if report.committed:
        is_denied = any(group.outcome == "denied" for group in report.incomplete)
        doctor = suggestion("doctor", *options("-c", "--config", "--set", "--site"))
        return [f"{doctor}   (which right is missing, and how to grant it)"] if is_denied else []

    if not report.exit_code:
        return []

    hints = list(dict.fromkeys(unit.hint for unit in report.failed if unit.hint))
    return [
        *hints[:_SHOWN_HINTS],
        f"{again(without=NO_RESUME)}   (goes on: finished parts are kept)",
        f"{again('--on-error', 'skip', without=NO_RESUME)}   (leaves out what cannot be read)",
    ]


def _in_words(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "nothing"

    return "unknown" if value is None else str(value)
