"""The README keeps its word: its commands work, its examples are real."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kada_athena_async.config import load_config, load_sites

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def command(name: str) -> str:
    """A command of the README, as it stands there."""
    found = re.search(rf"<!-- command: {name} -->\n    (.+)\n", README)
    assert found, name
    return found[1]


def test_configuration_of_the_readme_is_valid() -> None:
    """The JSON example loads as it is."""
    example, _ = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    fields = json.loads(example)

    assert load_config(None, environment={}, overrides=fields).server == "athena"
    assert list(fields) == [
        "key",
        "secret",
        "server",
        "bucket",
        "catalogs",
        "region",
        "role",
        "output_path",
        "mask",
        "compress",
    ]


def test_sites_of_the_readme_are_valid() -> None:
    """So is the example of many sites, each with what the text says of it."""
    _, example = re.findall(r"```json\n(.*?)```", README, re.DOTALL)

    au, eu = load_sites(None, environment={}, overrides=json.loads(example))

    assert (au.instance("athena"), au.config.region) == ("athena-prod_au", "ap-southeast-2")
    assert (eu.config.region, eu.config.server) == ("eu-west-1", "athena-eu")


def test_readme_names_every_extract() -> None:
    """Each kind of the output contract is explained."""
    for kind in re.findall(
        r'"(\w+)": \w+Record', (ROOT / "kada_athena_async/records.py").read_text()
    ):
        assert f"`{kind}`" in README, kind


def numbers(letter: str, cell: str) -> set[int]:
    """The numbers of a cell such as ``F13, F14`` or ``F20–F22``."""
    found: set[int] = set()
    for first, last in re.findall(rf"{letter}(\d+)(?:–{letter}(\d+))?", cell):
        found |= set(range(int(first), int(last or first) + 1))

    return found


def test_every_fault_and_threat_has_its_tests() -> None:
    """The matrix leaves out no number, and the tests that it names are there."""
    rows = [line.strip("|").split("|") for line in README.splitlines() if line.startswith("| ")]
    faults = set().union(*(numbers("F", cells[0]) for cells in rows))
    threats = set().union(*(numbers("S", cells[0]) for cells in rows))
    assert faults == set(range(1, 56))
    assert threats == set(range(1, 21))

    source = "".join(path.read_text() for path in ROOT.glob("tests/**/test_*.py"))
    named = set(re.findall(r"`(test_\w+)\*?`", README))
    assert len(named) > 40
    assert {name for name in named if f"def {name}" not in source} == set()
    places = set(re.findall(r"\b(?:faults|landing|extraction|acceptance|unit)/test_\w+", README))
    places |= set(re.findall(r"\bunit/\w+/test_\w+", README))
    assert {place for place in places if not (ROOT / f"tests/{place}.py").exists()} == set()


def test_the_map_names_what_is_there() -> None:
    """Each path of the package's map leads to a file: a moved module moves on the map too."""
    package_map = (ROOT / "kada_athena_async/README.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:\w+/)*\w+(?:\.py|/))`", package_map))
    paths |= set(re.findall(r"`(tests/[\w/]+(?:\.py)?)`", package_map))

    assert len(paths) > 50
    missing = {
        path
        for path in paths
        if not (ROOT / "kada_athena_async" / path).exists() and not (ROOT / path).exists()
    }
    assert missing == set()


def links_of(page: Path) -> Iterator[tuple[Path, str]]:
    """File and anchor of each link of *page* that stays in the project."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("https:", "http:")):
            path, _, anchor = target.partition("#")
            yield (page.parent / path if path else page).resolve(), anchor


def anchors_of(page: Path) -> set[str]:
    """The anchors of the headings of *page*, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


GUIDES = (
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "kada_athena_async/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
)


@pytest.mark.parametrize("page", GUIDES, ids=[str(page.relative_to(ROOT)) for page in GUIDES])
def test_links_lead_somewhere(page: Path) -> None:
    """To a file that is there, and a heading in it."""
    for path, anchor in links_of(page):
        assert path.exists(), path
        assert not anchor or anchor in anchors_of(path), (path, anchor)


@pytest.mark.skipif(not os.environ.get("CI"), reason="takes minutes; runs where CI is set")
@pytest.mark.timeout(900)
def test_two_commands_work_on_a_fresh_checkout(tmp_path: Path) -> None:
    """A stranger types the README's two commands and has extracts, and tests that pass."""
    checkout = tmp_path / "checkout"
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.split(b"\0")
    for name in filter(None, (part.decode() for part in tracked)):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, checkout / name)

    environment = {n: v for n, v in os.environ.items() if not n.startswith(("COV", "PYTEST"))}
    first = subprocess.run(
        ["bash", "-c", command("first")],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert first.returncode == 0, first.stdout + first.stderr
    assert list((checkout / "kada-sandbox" / "extracts").glob("*_manifest_*.json"))
    assert (checkout / "kada-sandbox" / "athena_hwm.txt").exists()

    second = subprocess.run(
        ["bash", "-c", command("second")],
        cwd=checkout,
        # A part of the suite: the whole of it is what this test is running in.
        env={**environment, "PYTEST_ADDOPTS": "tests/test_public_api.py -n 0"},
        capture_output=True,
        text=True,
    )
    assert second.returncode == 0, second.stdout + second.stderr
