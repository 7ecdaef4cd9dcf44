"""Values of the fields of a configuration that take one of a few words."""

from __future__ import annotations

from typing import Literal, TypeAlias

MetadataSourceName: TypeAlias = Literal["auto", "sql", "api"]
HistorySourceName: TypeAlias = Literal["api", "system_table", "auto"]
UserSourceName: TypeAlias = Literal["off", "cloudtrail", "system_table", "auto"]
ResultSource: TypeAlias = Literal["auto", "api", "s3"]
OnError: TypeAlias = Literal["fail", "skip"]
