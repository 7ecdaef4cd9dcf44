"""What CI installs is locked: every package to a version and its hashes, and from no named host."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "tests/requirements-ci.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins() -> list[tuple[Requirement, list[str]]]:
    """Each locked package and the hashes that stand behind it."""
    entries = re.sub(r"^ *#.*\n", "", LOCK, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    split = [re.split(r"\s+--hash=", entry) for entry in entries if entry.strip()]
    return [(Requirement(head), hashes) for head, *hashes in split]


def declared(extra: str = "dev") -> Iterator[Requirement]:
    """What pyproject.toml demands for an environment with *extra*, and for the build."""
    project = PROJECT["project"]
    names = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    waiting, seen = [extra], set()
    while waiting:
        extra = waiting.pop()
        seen.add(extra)
        names += project["optional-dependencies"][extra]
        for text in project["optional-dependencies"][extra]:
            found = Requirement(text)
            if found.name == project["name"]:
                waiting += found.extras - seen

    yield from (found for found in map(Requirement, names) if found.name != project["name"])


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_the_lock_holds_what_the_project_demands(python: str) -> None:
    """For every Python each dependency has one pin that it allows; else renew with `poe lock`."""
    where = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    versions: dict[str, str] = {}
    for pin, _ in pins():
        if pin.marker is None or pin.marker.evaluate(where):
            name = canonicalize_name(pin.name)
            assert name not in versions, name
            (specifier,) = pin.specifier
            assert specifier.operator == "=="
            versions[name] = specifier.version

    demands = [d for d in declared() if d.marker is None or d.marker.evaluate(where)]
    assert len(demands) > 20
    unmet = [
        str(demand)
        for demand in demands
        if not demand.specifier.contains(versions.get(canonicalize_name(demand.name), "0"))
    ]
    assert unmet == [], "renew tests/requirements-ci.txt: poe lock"


def test_every_locked_package_has_hashes_and_no_host() -> None:
    """A file that is not the one that was locked is refused, wherever it comes from."""
    for pin, hashes in pins():
        assert hashes, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", found) for found in hashes), pin

    assert "://" not in LOCK
    assert not re.search(r"^\s*-", LOCK.replace("    --hash=", ""), re.MULTILINE)
