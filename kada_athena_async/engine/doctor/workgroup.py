"""Findings about the workgroup of our own statements, and about the catalogs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kada_athena_async.aws.wire_workgroup import WorkgroupConfiguration
from kada_athena_async.codes import ExitCode
from kada_athena_async.config import Config
from kada_athena_async.engine.doctor.report import CheckResult, Finding
from kada_athena_async.errors import ConfigError
from kada_athena_async.filters import check_own_workgroup
from kada_athena_async.inventory import CatalogFacts, Inventory, WorkgroupFacts
from kada_athena_async.sources.strategy import metadata_source


def workgroup_finding(
    config: Config,
    workgroups: Sequence[WorkgroupFacts] | None,
    settings: WorkgroupConfiguration | None,
) -> list[Finding]:
    """Findings about the workgroup of our statements and the place of their results.

    Args:
        workgroups: None if they may not be listed.
        settings: GetWorkGroup's answer; None if unknown.
    """
    if not metadata_source(config).asks_sql:
        return []

    subject = f"workgroup {config.workgroup}"
    if workgroups is None and settings is None:
        detail = "neither ListWorkGroups nor GetWorkGroup may be asked"
        return [Finding("workgroup", subject, "untried", detail)]

    if workgroups is not None:
        try:
            check_own_workgroup(config, Inventory(catalogs=(), workgroups=tuple(workgroups)))
        except ConfigError as exc:
            return [
                Finding(
                    "workgroup",
                    subject,
                    "problem",
                    exc.problems[0].remedy,
                    lost="the run does not start",
                    remedy="name another in `workgroup`",
                    exit_code=ExitCode.USAGE,
                )
            ]

    if settings is None:
        detail = "enabled; where it puts results only athena:GetWorkGroup shows"
        return [Finding("workgroup", subject, "ok", detail)]

    return [_result_place(config, subject, settings)]


def _result_place(config: Config, subject: str, settings: WorkgroupConfiguration) -> Finding:
    managed, result = settings.managed_query_results_configuration, settings.result_configuration
    if managed is not None and managed.enabled:
        unused = "; `bucket` is not used" if config.bucket else ""
        detail = f"enabled; Athena keeps its results itself{unused}"
        return Finding("workgroup", subject, "ok", detail)

    place = (result.output_location if result else None) or ""
    is_enforced = bool(settings.enforce_work_group_configuration)
    is_below = f"{place.rstrip('/')}/".startswith(f"{config.bucket.rstrip('/')}/")
    if is_enforced and place and not is_below:
        return Finding(
            "workgroup",
            subject,
            "problem",
            f"enforces {place}: `bucket` is ignored",
            lost="rights were tried on `bucket`, results go elsewhere",
            remedy=f"write {place.rstrip('/')} as `bucket`, or name another workgroup",
        )

    shown = f"enforces {place}" if is_enforced and place else f"results go to {config.bucket}"
    return Finding("workgroup", subject, "ok", f"enabled; {shown}")


def catalog_findings(
    config: Config, catalogs: Sequence[CatalogFacts], answers: Mapping[str, CheckResult]
) -> list[Finding]:
    """Findings about the answers of each catalog.

    Args:
        answers: Catalog -> what became of asking Athena for its schemas.
    """
    return [_catalog(config, facts, answers.get(facts.name)) for facts in catalogs]


def _catalog(config: Config, facts: CatalogFacts, tried: CheckResult | None) -> Finding:
    subject, kind = f"catalog {facts.name}", facts.type or "of unknown type"
    if not facts.is_usable:
        return Finding(
            "catalogs",
            subject,
            "problem",
            f"{kind}, {facts.status}",
            lost="it cannot be read",
            remedy="repair it in Athena, or leave it out of `catalogs`",
            # With "*" a run leaves it out by itself.
            exit_code=ExitCode.OK if "*" in config.catalogs else ExitCode.FAILED,
        )

    if tried is None:
        detail = f"{kind}; only a statement asks it, see `--query`"
        return Finding("catalogs", subject, "untried", detail)

    said = tried.refusal or tried.detail
    if tried.state == "ok" and not tried.refusal:
        return Finding("catalogs", subject, "ok", f"{kind}, answers")

    if facts.is_own_glue:
        detail = f"{kind}; Athena: {said}; Glue is asked first"
        return Finding("catalogs", subject, "untried", detail)

    return Finding(
        "catalogs",
        subject,
        "denied" if tried.state == "denied" else "problem",
        f"{kind}; {said}",
        lost='the run fails, or leaves it out with on_error "skip"',
        remedy="allow what it names, repair its connector, or leave it out of `catalogs`",
        exit_code=ExitCode.FAILED,
    )
