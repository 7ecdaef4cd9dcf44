"""Values that are valid one by one and contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from kada_athena_async.config.landing import LocalPlace, S3Place, parse_place
from kada_athena_async.config.region import partition_of
from kada_athena_async.config.secrets import SecretReference
from kada_athena_async.errors import Problem

RETENTION_DAYS = 45
"""Days that Athena keeps a query's history (Athena user guide, "View recent queries")."""


class _Rule(NamedTuple):
    wrong_if: Mapping[str, object]
    """Field -> the value that takes part; True and False mean filled and empty."""
    key: str
    remedy: str


# fmt: off
_RULES = (
    _Rule({"key": True, "secret": False}, "secret",
          "key is given without it; fill both, or leave both empty for the default credential "
          "chain"),
    _Rule({"key": False, "secret": True}, "key",
          "secret is given without it; fill both, or leave both empty for the default credential "
          "chain"),
    _Rule({"key": True, "profile": True}, "profile",
          "key and secret are given too; keep one of the two ways"),
    _Rule({"external_id": True, "role": False}, "external_id",
          "only an assumed role takes it; fill role or leave it out"),
    _Rule({"metadata_source": "sql", "bucket": False}, "bucket",
          "metadata_source sql runs queries; write s3://bucket/prefix for their results"),
    _Rule({"metadata_source": "auto", "bucket": False}, "bucket",
          "write s3://bucket/prefix for the results of our queries, or set metadata_source to "
          '"api"'),
    _Rule({"metadata_source": "api", "results": "s3"}, "results",
          "metadata_source api runs no query, so there are no results; leave one of the two out"),
    _Rule({"history_source": "system_table", "bucket": False}, "bucket",
          "history_source system_table runs queries; write s3://bucket/prefix for their results"),
    _Rule({"attribute_users": "system_table", "bucket": False}, "bucket",
          "attribute_users system_table runs queries; write s3://bucket/prefix for their results"),
    _Rule({"hash_users": True, "hash_key": False}, "hash_key",
          "hash_users needs one; put 16 characters or more into KADA_ATHENA_HASH_KEY"),
    _Rule({"hwm_store": "landing", "landing": False}, "hwm_store",
          "there is no landing; fill it, or write where else the high-water mark is kept"),
    _Rule({"keep_delivered_days": True, "landing": False}, "keep_delivered_days",
          "nothing is delivered without a landing; fill it or leave this out"),
)
# fmt: on


def contradictions(values: Mapping[str, object]) -> list[Problem]:
    """The contradictions in *values*; a rule with a field that is not there does not apply.

    Args:
        values: Field -> value, valid for itself, defaults filled in.
    """
    found = [
        Problem(rule.key, _shown(rule.key, values[rule.key]), rule.remedy)
        for rule in _RULES
        if rule.wrong_if.keys() <= values.keys()
        and all(_takes_part(values[name], wanted) for name, wanted in rule.wrong_if.items())
    ]
    region, landing = str(values.get("region", "")), values.get("landing")
    lands_in = _member(landing, "region") or region
    return [
        *found,
        *_unkept_history(values),
        *_circular(values),
        *_shared_with_landing(values),
        *_foreign_role("role", str(values.get("role", "")), region),
        *_foreign_role("landing", _member(landing, "role"), lands_in),
    ]


def _circular(values: Mapping[str, object]) -> list[Problem]:
    """The problem of keys that are kept in AWS, which is asked with them."""
    remedy = 'AWS is asked with it; write {"env": NAME} or {"file": PATH}, or use profile or role'
    return [
        Problem(name, str(value), remedy)
        for name in ("key", "secret")
        if isinstance(value := values.get(name), SecretReference)
    ]


def _shared_with_landing(values: Mapping[str, object]) -> list[Problem]:
    """The problem of a landing with other files of ours in it: K loads each file that it finds."""
    place = parse_place(values.get("landing"))
    if isinstance(place, LocalPlace):
        output = Path(str(values.get("output_path", "")))
        is_shared, other = place.path.resolve() == output.resolve(), "output_path"
    elif isinstance(place, S3Place) and not place.endpoint_url:
        is_shared, other = place.url == str(values.get("bucket", "")).rstrip("/"), "bucket"
    else:
        return []

    remedy = f"{other} is the same place; write another for one of the two, or leave landing out"
    return [Problem("landing", place.url, remedy)] if is_shared else []


def _unkept_history(values: Mapping[str, object]) -> list[Problem]:
    """The problem of a first window that begins before Athena's API keeps history."""
    days, source = values.get("initial_lookback_days"), values.get("history_source")
    if not isinstance(days, int) or days <= RETENTION_DAYS or source == "system_table":
        return []

    remedy = (
        f"Athena keeps {RETENTION_DAYS} days; write at most {RETENTION_DAYS}, or set "
        'history_source to "system_table", which may keep more'
    )
    return [Problem("initial_lookback_days", str(days), remedy)]


def _member(place: object, name: str) -> str:
    """A member of a landing, as written or as read."""
    found = place.get(name) if isinstance(place, Mapping) else getattr(place, name, "")
    return str(found or "").strip()


def _foreign_role(key: str, role: str, region: str) -> list[Problem]:
    """The problem of a role of another partition than the region's."""
    if not role or not region:
        return []

    named, wanted = role.split(":")[1], partition_of(region)
    if named == wanted:
        return []

    remedy = (
        f"region {region} lies in the partition {wanted}, where no role of {named} is known; "
        f"write a role that begins with arn:{wanted}: or another region"
    )
    return [Problem(key, ascii(role), remedy)]


def _takes_part(value: object, wanted: object) -> bool:
    if isinstance(wanted, bool):
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        return bool(text) is wanted

    return value == wanted


def _shown(key: str, value: object) -> str:
    if key in ("key", "secret", "hash_key"):
        return "(empty)"

    if value and key == "external_id":
        return "(hidden)"

    return ascii(value) if value else "(empty)"
