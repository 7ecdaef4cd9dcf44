"""One voice and one set of options, whatever the command and whatever is wrong with it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from kada_athena_async.cli.app import app
from tests.kit.command import ROOT, run_command
from tests.unit.cli.conftest import Cli
from tests.unit.cli.readme_blocks import COMMANDS
from tests.unit.extracts.making import make_package, query

SCHEMAS = {"schema extracts", "schema manifest"}
WITHOUT_CONFIGURATION = {"config init", "config schema", "sandbox", *SCHEMAS}
DOCUMENTS = {"iam-policy", "config schema", *SCHEMAS}
LEAVES = [name for name in COMMANDS if name not in ("hwm", "config", "schema")]


def node_of(command: str) -> Any:
    """The command as typer has it."""
    node: Any = get_command(app)
    for word in command.split():
        node = node.commands[word]

    return node


def spellings(command: str) -> dict[str, str]:
    """Each spelling of each option of *command* -> the option's longest first name."""
    return {opt: param.opts[0] for param in node_of(command).params for opt in param.opts}


@pytest.mark.parametrize("command", LEAVES)
def test_each_command_has_the_common_options(command: str) -> None:
    """Said with the same letters everywhere."""
    found = spellings(command)

    assert found.keys() >= {"--log-file", "--quiet", "-q", "--verbose", "-v"}
    assert ("--json" in found) is (command not in DOCUMENTS)
    if command not in WITHOUT_CONFIGURATION:
        assert found.keys() >= {"--config", "-c", "--name", "-n", "--set", "--site"}


def test_a_letter_means_the_same_everywhere() -> None:
    """No short option belongs to two long ones."""
    meanings: dict[str, set[str]] = {}
    for command in LEAVES:
        for letter, long in spellings(command).items():
            if not letter.startswith("--"):
                meanings.setdefault(letter, set()).add(long)

    assert {letter: found for letter, found in meanings.items() if len(found) > 1} == {}


def test_an_option_means_the_same_everywhere() -> None:
    """One declaration of each; two that write or choose what the others look at differ."""
    meanings: dict[str, set[tuple[object, ...]]] = {}
    for command in LEAVES:
        for param in node_of(command).params:
            if param.opts[0].startswith("--"):
                meaning = (tuple(param.opts), param.metavar, param.help, param.default)
                meanings.setdefault(param.opts[0], set()).add(meaning)

    differing = {option for option, found in meanings.items() if len(found) > 1}
    assert differing == {"--sandbox", "--output-path", "--since"}


def test_old_spellings_go_on_working() -> None:
    """Scripts that say them are not broken by better names."""
    found = spellings("run")

    assert found["--fresh"] == found["--no-resume"] == "--no-resume"
    assert found["--again"] == found["--reprocess"] == "--reprocess"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("run --bogus", "--bogus = (unknown): there is no such option"),
        ("run --confg x", "--confg = (unknown): there is no such option; did you mean --config"),
        ("frobnicate", "command = 'frobnicate': there is no such command"),
        ("run --sites-at-once 0", "--sites-at-once = '0': write 1 or more"),
        ("run --sites-at-once=many", "--sites-at-once = 'many': write a whole number"),
        ("run --on-error maybe", "--on-error = 'maybe': write one of fail, skip"),
        ("show nothing", "WHAT = 'nothing': write one of counts, search, head"),
        ("show --rows x", "--rows = 'x': write a whole number"),
        ("sandbox --port 99999", "--port = '99999': write 65535 or less"),
        ("sandbox --scale inf", "--scale = 'inf': write 100 or less"),
        ("hwm set", "TIME = (missing): give it"),
        ("push x y", "command = 'x y': leave it out"),
        ("run -c", "-c = (missing): give a value after it"),
        ("show conts", "WHAT = 'conts': did you mean counts? write one of counts, search"),
        ("run -n ../x", '--name = "../x": write 1 to 64 letters, digits, _ and -'),
        ("run --set =x", "--set = '=x': write FIELD=VALUE"),
        ("run --log-file no/x", "--log-file = 'no/x': make the directory 'no' first, or name"),
        ("config init no/x.json", "file = 'no/x.json': make the directory 'no' first, or name"),
        ("run --set a", "--set = 'a': write FIELD=VALUE"),
        ("run --start-hwm soon", "--start-hwm = 'soon': write YYYY-MM-DD HH:MM:SS"),
    ],
)
def test_what_is_wrong_with_a_command_line_is_said_in_one_voice(
    tmp_path: Path, typed: str, said: str
) -> None:
    """Key, value and remedy, then what to type; exit code 2; none of another program's words."""
    (tmp_path / "kada_athena_extractor_config.json").write_text("{}")
    done = run_command(typed.split(), cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})

    first, *rest = done.stderr.splitlines()
    assert done.returncode == 2
    assert first == "error: 1 problem in the command:"
    assert rest[0].startswith(f"  {said}")
    assert rest[-1].startswith("  try: ")
    assert rest[-1].split("kada_athena_async ")[1].startswith(typed.split()[0]) or (
        typed == "frobnicate"
    )
    assert ("nothing was committed" in rest) is typed.startswith("run")
    assert "Usage:" not in done.stderr
    assert "Value error" not in done.stderr
    assert "Input should" not in done.stderr


def test_a_program_is_told_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --json the problem is an object on stdout too."""
    monkeypatch.setattr(sys, "argv", ["kada-athena-async", "run", "--json", "--bogus"])
    result = CliRunner().invoke(app, ["run", "--json", "--bogus"])

    told = json.loads(result.stdout.splitlines()[0])
    assert (told["event"], told["kind"], told["exit_code"]) == ("error", "ConfigError", 2)
    assert "--bogus" in told["message"]


NOT_OURS = ["aiobotocore", "aioboto3", "botocore", "sqlglot", "duckdb"]
UNUSED = ["aws", "commit.recovery", "engine", "events", "landing", "observers.plain"]
"""Modules of ours that no command which looks at files may load."""
NEEDED = {
    "hwm": ["anyio", "asyncio"],  # the stores of high-water marks
    "iam-policy": ["yaml"],  # which it writes
    "show advice": ["sql", "sqlite3"],
    "show slowest": ["sql"],
}


@pytest.mark.parametrize(
    "typed",
    [
        "--version",
        "run --help",
        "config init made.json",
        "config check",
        "config schema",
        "hwm show",
        "hwm set '2026-01-01 00:00:00'",
        "show",
        "show counts --output-path .",
        "show tables --output-path .",
        "show slowest --output-path .",
        "show advice --output-path .",
        "iam-policy --account 123456789012",
    ],
)
def test_what_never_asks_aws_loads_what_it_needs(tmp_path: Path, typed: str) -> None:
    """Neither the SDK, nor the engine, nor another command: they take a second to load."""
    path = tmp_path / "kada_athena_extractor_config.json"
    fields = {
        "server": "athena",
        "region": "eu-west-1",
        "bucket": "s3://my-bucket/x",
        "output_path": str(tmp_path),
    }
    path.write_text(json.dumps(fields))
    path.chmod(0o600)
    if "--output-path" in typed:
        make_package(tmp_path, {"databaselog": [query(1)]})

    code = (
        "import sys\n"
        "from kada_athena_async.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *shlex.split(typed)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == (3 if typed == "show" else 0), done.stderr
    loaded = set(done.stderr.splitlines()[-1].split())
    needed = {name for start, names in NEEDED.items() if typed.startswith(start) for name in names}
    unused = {"aiofiles", "anyio", "asyncio", "sql", "sqlite3", "yaml", *UNUSED} - needed
    heavy = {*NOT_OURS, *unused, *(f"kada_athena_async.{name}" for name in unused)}
    assert heavy & loaded == set()
    commands = "kada_athena_async.cli.commands."
    own = {f"{commands}{typed.split()[0].replace('-', '_')}"} - {f"{commands}__version"}
    assert {name for name in loaded if name.startswith(commands)} == own


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["hwm", "set", "2026-01-01 00:00:00", "--hwm-path=~/m.txt"], "--hwm-path"),
        (["hwm", "show", "--log-file", "~/m.txt"], "--log-file"),
        (["export", "--to", "datahub", "-o", "~/m.txt"], "-o"),
    ],
)
def test_a_home_that_the_shell_left_is_no_directory_here(
    cli: Cli, tmp_path: Path, arguments: list[str], key: str
) -> None:
    """After `--option=~/` shells expand nothing; a directory `~` is a trap for its owner."""
    done = cli(*arguments)

    assert done.returncode == 2
    assert f"  {key} = '~/m.txt': write it in full: {tmp_path}/m.txt" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no directory that is in use")
def test_a_working_directory_that_was_removed_is_named(tmp_path: Path) -> None:
    """By a deployment, under a process that goes on: relative paths lead nowhere then."""
    (tmp_path / "gone").mkdir()
    command = shlex.join([sys.executable, "-m", "kada_athena_async", "push"])
    done = subprocess.run(
        ["sh", "-c", f"cd gone && rmdir ../gone && exec {command}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )

    assert done.returncode == 2
    assert "working directory = (gone): No such file or directory: change to" in done.stderr
    assert "Traceback" not in done.stderr
