"""Looks at this machine: its clock, its disk and what is installed. Nothing is written."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from datetime import timedelta
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement

from kada_athena_async.codes import ExitCode
from kada_athena_async.engine.doctor.report import Finding, State
from kada_athena_async.engine.preflight import SKEW, last_bytes, needed_bytes
from kada_athena_async.files import Files, is_remote
from kada_athena_async.version import __version__

DISTRIBUTION = "kada-athena-async"

# Those whose combination matters: aioboto3 and aiobotocore pin what they patch.
SHOWN = ("aioboto3", "aiobotocore", "botocore", "sqlglot", "pydantic", "msgspec")
PINNING = (DISTRIBUTION, "aioboto3", "aiobotocore")

SKEW_MAX = timedelta(minutes=5)
"""Beyond it AWS refuses every signature
(docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html)."""


def clock_finding(skew: timedelta) -> Finding:
    """Finding about the difference between this machine's clock and AWS's."""
    seconds = round(abs(skew).total_seconds())
    if abs(skew) <= SKEW:
        return Finding("clock", "clock", "ok", f"{seconds} s from AWS's")

    way = "ahead of" if skew > timedelta() else "behind"
    return Finding(
        "clock",
        "clock",
        "problem",
        f"{seconds} s {way} AWS's",
        lost="windows end by the earlier clock; beyond 300 s AWS refuses every call",
        remedy="synchronise this machine's clock (NTP)",
        exit_code=ExitCode.FAILED if abs(skew) > SKEW_MAX else ExitCode.OK,
    )


def disk_findings(output_path: Path, name: str, files: Files) -> list[Finding]:
    """Blocks. Findings about the directory of the extracts: rights, space, file system."""
    directory = output_path if output_path.exists() else output_path.parent
    if not directory.is_dir():
        return [
            _disk(
                "problem",
                f"{directory} is no directory",
                remedy="make it, or name another output_path",
                exit_code=ExitCode.USAGE,
            )
        ]

    if not os.access(directory, os.W_OK | os.X_OK):
        return [
            _disk(
                "problem",
                f"this user may not write in {directory}",
                remedy="give this user the right to write there, or name another output_path",
                exit_code=ExitCode.USAGE,
            )
        ]

    found = [_disk("ok", f"{output_path} can be written")]
    free, needed = files.free_bytes(directory), needed_bytes(last_bytes(output_path, name, files))
    if free < needed:
        found.append(
            _disk(
                "problem",
                f"{free >> 20:,} MiB are free, {needed >> 20:,} MiB should be",
                subject="free space",
                lost="a run that fills the disk commits nothing",
                remedy="free space there, or name another output_path",
                exit_code=ExitCode.FAILED,
            )
        )
    else:
        found.append(_disk("ok", f"{free >> 20:,} MiB", subject="free space"))

    kind = files.mount_kind(directory)
    if is_remote(kind):
        found.append(
            _disk(
                "problem",
                f"a network file system ({kind})",
                subject="file system",
                lost="locks and renames may not hold there as they do on a local disk",
                remedy="keep output_path on a local disk and push the extracts with `landing`",
            )
        )
    else:
        found.append(_disk("ok", kind or "unknown here", subject="file system"))

    return found


def _disk(
    state: State,
    detail: str,
    *,
    subject: str = "output_path",
    lost: str = "nothing can be extracted",
    remedy: str = "",
    exit_code: int = ExitCode.OK,
) -> Finding:
    return Finding(
        "disk",
        subject,
        state,
        detail,
        lost="" if state == "ok" else lost,
        remedy=remedy,
        exit_code=exit_code,
    )


def version_findings() -> list[Finding]:
    """Blocks. What is installed, and what of it does not fit together."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    versions = [f"{name} {version}" for name in SHOWN if (version := installed(name))]
    found = [
        Finding("versions", "python", "ok", python),
        Finding("versions", DISTRIBUTION, "ok", __version__),
        Finding("versions", "packages", "ok", ", ".join(versions)),
        Finding("versions", "SQL parser", "ok", _parser()),
    ]
    found += [
        Finding(
            "versions",
            "packages",
            "problem",
            clash,
            lost="calls may fail in untested ways",
            remedy="install again: pip install --upgrade kada-athena-async",
            exit_code=ExitCode.FAILED,
        )
        for clash in _clashes()
    ]
    return found


def _parser() -> str:
    """Finding about sqlglot: compiled or not, which only changes its speed."""
    spec = find_spec("sqlglot.parser")
    if spec is None or (spec.origin or "").endswith(".py"):
        return (
            "sqlglot in Python; compiled it is 1.7 times as fast: "
            "pip install 'kada-athena-async[fast]' (Python 3.11 and later)"
        )

    return f"sqlglot, compiled (sqlglotc {installed('sqlglotc')})"


def installed(name: str) -> str:
    """The version of a distribution; empty if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _clashes() -> Iterator[str]:
    for name in PINNING:
        try:
            wanted = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue

        yield from clashes_of(name, wanted)


def clashes_of(name: str, wanted: list[str]) -> Iterator[str]:
    """Requirements *wanted* by *name* that are installed in another version."""
    for text in wanted:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue

        version = installed(requirement.name)
        if not version:
            yield f"{name} needs {requirement.name}{requirement.specifier}, which is missing"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield (
                f"{name} needs {requirement.name}{requirement.specifier}, installed is {version}"
            )
