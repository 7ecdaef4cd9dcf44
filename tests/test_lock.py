"""The lock of CI: every package to a version and its hashes, and from no named host."""

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
LOCKS = {
    "dev": (ROOT / "tests/requirements-ci.txt", "poe lock"),
    "airflow": (ROOT / "tests/airflow/requirements.txt", "poe lock-airflow"),
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins(extra: str) -> list[tuple[Requirement, list[str]]]:
    """Each locked package and the hashes that stand behind it."""
    lock = LOCKS[extra][0].read_text(encoding="utf-8")
    entries = re.sub(r"^ *#.*\n", "", lock, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    split = [re.split(r"\s+--hash=", entry) for entry in entries if entry.strip()]
    return [(Requirement(head), hashes) for head, *hashes in split]


def declared(extra: str) -> Iterator[Requirement]:
    """Demands of pyproject.toml for an environment with *extra*, and for the build."""
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


@pytest.mark.parametrize("extra", LOCKS)
@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_the_lock_holds_what_the_project_demands(python: str, extra: str) -> None:
    """For every Python each dependency has one pin that it allows; else renew it."""
    where = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    versions: dict[str, str] = {}
    for pin, _ in pins(extra):
        if pin.marker is None or pin.marker.evaluate(where):
            name = canonicalize_name(pin.name)
            assert name not in versions, name
            (specifier,) = pin.specifier
            assert specifier.operator == "=="
            versions[name] = specifier.version

    demands = [d for d in declared(extra) if d.marker is None or d.marker.evaluate(where)]
    assert len(demands) > 10
    unmet = [
        str(demand)
        for demand in demands
        if not demand.specifier.contains(versions.get(canonicalize_name(demand.name), "0"))
    ]
    path, renew = LOCKS[extra]
    assert unmet == [], f"renew {path}: {renew}"


@pytest.mark.parametrize("extra", LOCKS)
def test_every_locked_package_has_hashes_and_no_host(extra: str) -> None:
    """A file that is not the one that was locked is refused, wherever it comes from."""
    for pin, hashes in pins(extra):
        assert hashes, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", found) for found in hashes), pin

    lock = LOCKS[extra][0].read_text(encoding="utf-8")
    assert "://" not in lock
    assert not re.search(r"^\s*-", lock.replace("    --hash=", ""), re.MULTILINE)
