"""The command on a terminal: live progress that leaves a summary behind."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest

from tests.kit.terminal import on_terminal

if sys.platform == "win32":
    pytest.skip("needs a POSIX pseudo-terminal", allow_module_level=True)


STYLE = re.compile(r"\x1b\[[0-9;]*m")
CURSOR = re.compile(r"\x1b\[[0-9;?]*[A-HJKhl]")


def lines_of(screen: pyte.Screen) -> list[str]:
    return [line.rstrip() for line in screen.display]


def played(seen: str, columns: int) -> tuple[list[str], list[str]]:
    """The last screen of a terminal of that width, and every frame of the moving part."""
    screen = pyte.Screen(columns, 60)
    stream = pyte.Stream(screen)
    frames = []
    # A frame begins with the cursor going up and wiping the one before.
    for block in re.split(r"(?=\r\x1b\[2K)", seen):
        stream.feed(block.replace("\r\n", "\n").replace("\n", "\r\n"))
        frames += [line for line in lines_of(screen) if line.startswith("  history")]

    end = lines_of(screen)
    while end and not end[-1]:
        end.pop()

    return end, frames


def calm(lines: list[str], tmp_path: Path) -> str:
    """*lines* without spaces, which differ by width, and without what differs from run to run."""
    text = "".join("".join(lines).split()).replace(str(tmp_path), "DIR")
    for pattern, calm_text in (
        (r"\d{4}-\d\d-\d{4}:\d\d:\d\d", "TIME"),
        (r"\d{8}T\d{6}Z(-[0-9a-f]{8})?", "STAMP"),
        (r"127\.0\.0\.1:\d{2,5}", "HOST"),
        (r"[\d.]+[KM]?B", "SIZE"),
        (r"after[\d.mins]+\(\d+calls", "afterNs(Ncalls"),
        # What the runs of other tests asked joins these after a minute; of usage there is a row a
        # day: where midnight falls among the executions.
        (r"\d+(databaselog|linkages|events|usage)", r"N\1"),
    ):
        text = re.sub(pattern, calm_text, text)

    return text


LEFT_BEHIND = """
run STAMP of athena started: TIME to TIME UTC, talking to http://HOST
1 catalog, 8 schemas, 8 workgroups, 18 units of work
committed after N s (N calls)
  window    TIME to TIME UTC, 45 days
  extracts  DIR/output
  files     athena_*_STAMP.csv.gz
        1  metadata_catalogs SIZE
        8  metadata_schemas  SIZE
       52  metadata_tables   SIZE
      252  metadata_columns  SIZE
      163  metadata_fields   SIZE
       13  metadata_views    SIZE
        0  metadata_tags     SIZE
        9  users             SIZE
        N  databaselog       SIZE
        N  linkages          SIZE
        N  events            SIZE
        N  usage             SIZE
        0  query_principals  SIZE
"""


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_run_is_drawn_and_leaves_its_summary(
    configure: Callable[..., Path], environment: dict[str, str], tmp_path: Path, columns: int
) -> None:
    """On a real terminal's screen: bars that only grow, then the summary and nothing else."""
    configure()

    code, seen, data = on_terminal(
        ["run", "--log-file", "run.jsonl"], columns=columns, cwd=tmp_path, environment=environment
    )

    text = CURSOR.sub("", STYLE.sub("", seen))
    assert (code, data) == (0, ""), text
    assert STYLE.search(seen)
    assert "\x1b" not in text
    end, bars = played(seen, columns)
    filled = [bar.count("━") for bar in bars]
    assert len(filled) > 2
    assert filled == sorted(filled)
    assert calm(end, tmp_path) == "".join(LEFT_BEHIND.split())
    told = [json.loads(line)["event"] for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert (told[0], told[-2:]) == ("run_started", ["run_finished", "report"])


def test_no_colour_is_honoured(
    configure: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    """NO_COLOR leaves the progress and takes the colours (https://no-color.org)."""
    configure()

    code, seen, _ = on_terminal(
        ["run"], columns=80, cwd=tmp_path, environment={**environment, "NO_COLOR": "1"}
    )

    assert code == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", seen)


def test_a_dumb_terminal_gets_lines(
    configure: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    """TERM=dumb, as in editors: no control sequence at all."""
    configure()

    code, seen, _ = on_terminal(
        ["run"], columns=80, cwd=tmp_path, environment={**environment, "TERM": "dumb"}
    )

    assert code == 0
    assert "committed after" in seen
    assert "\x1b" not in seen
