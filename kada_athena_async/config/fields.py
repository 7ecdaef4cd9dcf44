"""The fields of a configuration as a program gives them: ``Extractor(region="eu-west-1", ...)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from typing_extensions import TypedDict

from kada_athena_async.choices import (
    HistorySourceName,
    MetadataSourceName,
    OnError,
    ResultSource,
    UserSourceName,
)


class ConfigFields(TypedDict, total=False):
    """Fields of ``Config``, for type checkers: a misspelt one is found before it runs.

    Meaning, default and unit of each stand in ``Config``. Values are those of the JSON file.
    """

    key: str
    secret: str
    server: str
    bucket: str
    catalogs: Sequence[str]
    region: str
    role: str
    external_id: str
    session_name: str
    profile: str
    output_path: str | Path
    mask: bool
    keep_s3_locations: bool
    include_failed_events: bool
    history_source: HistorySourceName
    attribute_users: UserSourceName
    hash_users: bool
    hash_key: str
    usd_per_tb: float | None
    usd_per_dpu_hour: float | None
    lake_formation_tags: bool
    compress: bool
    workgroup: str
    workgroups: Sequence[str]
    exclude_workgroups: Sequence[str]
    include_schemas: Sequence[str]
    exclude_schemas: Sequence[str]
    metadata_source: MetadataSourceName
    results: ResultSource
    max_concurrent_queries: int
    quota_share: float
    on_error: OnError
    initial_lookback_days: int
    settle_seconds: int
    resume_hours: float
    landing: str | Mapping[str, object] | None
    keep_delivered_days: int
    hwm_store: str | Mapping[str, object] | None
    on_finish: Sequence[str]
    on_finish_url: str
    endpoint_url: str | None
