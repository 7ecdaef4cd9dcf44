"""Regions: the partition of each, and the one of a configuration that names none."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
_PROFILE_VARIABLES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")

# https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eu-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""Begin of the names of a partition's regions -> the partition; all others lie in ``aws``."""


def partition_of(region: str) -> str:
    """The partition of *region*: the second word of its ARNs.

    Identities of one partition are unknown to the others.
    """
    return next((p for prefix, p in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def with_region(values: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, object]:
    """*values* with ``region`` filled where it is empty: by a variable, else by the profile."""
    if values.get("region"):
        return dict(values)

    found = next((environment[name] for name in REGION_VARIABLES if environment.get(name)), "")
    profile = str(values.get("profile") or "") or next(
        (environment[name] for name in _PROFILE_VARIABLES if environment.get(name)), "default"
    )
    region = found or _region_of(profile, environment)
    return {**values, **({"region": region} if region else {})}


def _region_of(profile: str, environment: Mapping[str, str]) -> str:
    """The region of a profile in the AWS configuration file; empty if it names none.

    A file that cannot be read is left to the SDK, which reads it all.
    """
    home = environment.get("HOME") or environment.get("USERPROFILE")
    default = f"{home}/.aws/config" if home else ""
    name = environment.get("AWS_CONFIG_FILE") or default
    if not name:
        return ""

    file = configparser.RawConfigParser(strict=False, default_section="")
    try:
        file.read_string(Path(name).expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError, configparser.Error):
        return ""

    sections = ("default", "profile default") if profile == "default" else (f"profile {profile}",)
    return next((r for s in sections if (r := file.get(s, "region", fallback=""))), "")
