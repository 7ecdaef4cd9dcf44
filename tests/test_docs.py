"""README and guides keep their word: their commands work, their examples are real."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from kada_athena_async.cli.app import app
from kada_athena_async.config import load_config, load_sites
from kada_athena_async.records import KINDS
from tests.kit.estates import few_schemas

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


GUIDES = (
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "kada_athena_async/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
"""Pages for users and contributors."""


def command(name: str) -> str:
    """A command of the README, as it stands there."""
    found = re.search(rf"<!-- command: {name} -->\n    (.+)\n", README)
    assert found, name
    return found[1]


def blocks(page: str, language: str) -> list[str]:
    """The examples of *page* in *language*, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_configuration_of_the_readme_is_valid() -> None:
    """The JSON example loads as it is."""
    (example,) = blocks("README.md", "json")
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


def test_the_guides_show_the_same_configuration() -> None:
    """The first run has the README's example, word for word."""
    assert blocks("docs/first-run.md", "json") == blocks("README.md", "json")
    assert blocks("docs/first-run.md", "bash") == blocks("README.md", "bash")


def test_sites_of_the_guide_are_valid() -> None:
    """So is the example of many sites, each with what the text says of it."""
    (example,) = blocks("docs/sites.md", "json")

    au, eu = load_sites(None, environment={}, overrides=json.loads(example))

    assert (au.instance("athena"), au.config.region) == ("athena-prod_au", "ap-southeast-2")
    assert (eu.config.region, eu.config.server) == ("eu-west-1", "athena-eu")


def test_every_example_of_a_configuration_is_valid() -> None:
    """Those that show a field or two as well, laid over a whole configuration."""
    whole = json.loads(blocks("README.md", "json")[0])
    for page in sorted((ROOT / "docs").glob("*.md")):
        for example in blocks(f"docs/{page.name}", "json"):
            fields = json.loads(example)
            if "sites" not in fields:
                load_config(None, environment={}, overrides={**whole, **fields})


def test_the_snippet_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedding program extracts a small invented AWS and prints what it found."""
    (snippet,) = blocks("README.md", "python")
    assert blocks("docs/embedding.md", "python")[0] == snippet
    body = textwrap.indent(snippet, "    ")
    monkeypatch.chdir(tmp_path)
    with few_schemas(scale=0.05) as sandbox:
        Path("config.json").write_text(json.dumps(sandbox.config(tmp_path / "extracts")))
        Path("config.json").chmod(0o600)
        Path("program.py").write_text(
            f"import asyncio\n\nasync def main():\n{body}\nasyncio.run(main())\n"
        )
        done = subprocess.run(
            [sys.executable, "program.py"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )

    assert done.returncode == 0, done.stderr
    assert "'databaselog': " in done.stdout
    assert list((tmp_path / "extracts").glob("*_manifest_*.json"))


def test_the_imports_of_the_wrapper_script_work() -> None:
    """The two lines that replace the vendor's."""
    _, imports = blocks("docs/embedding.md", "python")

    exec(compile(imports, "docs/embedding.md", "exec"), {})  # noqa: S102 - the guide itself


def commands_shown() -> list[str]:
    """Every command line of README and guides that begins with the program."""
    lines: list[str] = []
    for page in GUIDES:
        for line in page.read_text(encoding="utf-8").splitlines():
            shown = re.match(r"(?:    |\$ )?(?:.*/)?kada-athena-async ([a-z].*)", line)
            if shown and "Usage:" not in line:
                lines.append(shown[1].partition("#")[0].strip())

    return lines


@pytest.mark.parametrize("line", sorted(set(commands_shown())))
def test_commands_and_options_shown_exist(line: str) -> None:
    """Each word before the first option or argument is a command, each option is one of it."""
    command: Any = get_command(app)
    words = shlex.split(line.partition("      (")[0].partition(" > ")[0])
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]

    options = {name for each in command.params for name in each.opts} | {"-h", "--help"}
    assert not hasattr(command, "commands") or options & set(words), line
    assert {w.partition("=")[0] for w in words if re.match("--?[a-z]", w)} <= options, line


def test_every_extract_is_named() -> None:
    """Each kind of the output contract is explained, in the README and in its guide."""
    guide = (ROOT / "docs/extracts.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert f"`{kind}`" in README, kind
        assert f"### {kind}\n" in guide, kind


def test_the_readme_is_short_and_leads_to_every_guide() -> None:
    """A first page of 16 KB at most; every page in docs/ can be reached by links from it."""
    assert len(README.encode()) <= 16 * 1024
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen and page.suffix == ".md":
            seen.add(page)
            waiting += [path for path, _ in links_of(page)]

    assert set((ROOT / "docs").glob("*.md")) - seen == set()


def numbers(letter: str, cell: str) -> set[int]:
    """The numbers of a cell such as ``F13, F14`` or ``F20–F22``."""
    found: set[int] = set()
    for first, last in re.findall(rf"{letter}(\d+)(?:–{letter}(\d+))?", cell):
        found |= set(range(int(first), int(last or first) + 1))

    return found


def test_every_fault_and_threat_has_its_tests() -> None:
    """The matrices leave out no number, and the tests that they name are there."""
    text = "".join((ROOT / f"docs/{n}.md").read_text() for n in ("reliability", "security"))
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    faults = set().union(*(numbers("F", cells[0]) for cells in rows))
    threats = set().union(*(numbers("S", cells[0]) for cells in rows))
    assert faults == set(range(1, 56))
    assert threats == set(range(1, 21))

    source = "".join(path.read_text() for path in ROOT.glob("tests/**/test_*.py"))
    named = set(re.findall(r"`(test_\w+)\*?`", text))
    assert len(named) > 40
    assert {name for name in named if f"def {name}" not in source} == set()
    places = set(re.findall(r"\b(?:faults|landing|extraction|acceptance|unit)/test_\w+", text))
    places |= set(re.findall(r"\bunit/\w+/test_\w+", text))
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


@pytest.mark.parametrize("page", GUIDES, ids=[str(page.relative_to(ROOT)) for page in GUIDES])
def test_links_lead_somewhere(page: Path) -> None:
    """To a file that is there, and a heading in it."""
    for path, anchor in links_of(page):
        assert path.exists(), path
        assert not anchor or anchor in anchors_of(path), (path, anchor)


@pytest.mark.slow
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
    # Else pip compiles thousands of modules of which none is ever loaded.
    environment["PIP_NO_COMPILE"] = "1"
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
