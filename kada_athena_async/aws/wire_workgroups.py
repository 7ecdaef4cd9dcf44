"""Athena's answers about workgroups as typed values, by the rules of ``wire``."""

from __future__ import annotations

from kada_athena_async.aws.wire import EngineVersion, ManagedResults, ResultConfiguration, Wire


class WorkgroupSummary(Wire):
    name: str
    state: str | None = None
    description: str | None = None
    creation_time: float | None = None
    engine_version: EngineVersion | None = None


class WorkgroupPage(Wire):
    """Answer of ListWorkGroups: at most 50."""

    work_groups: list[WorkgroupSummary]
    next_token: str | None = None


class WorkgroupConfiguration(Wire):
    bytes_scanned_cutoff_per_query: int | None = None
    enforce_work_group_configuration: bool | None = None
    result_configuration: ResultConfiguration | None = None
    managed_query_results_configuration: ManagedResults | None = None


class WorkgroupDetails(Wire):
    configuration: WorkgroupConfiguration | None = None


class WorkgroupAnswer(Wire):
    """Answer of GetWorkGroup."""

    work_group: WorkgroupDetails
