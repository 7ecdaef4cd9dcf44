"""Athena's answers about one workgroup as typed values, by the rules of ``wire``."""

from __future__ import annotations

from kada_athena_async.aws.wire import ManagedResults, ResultConfiguration, Wire


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
