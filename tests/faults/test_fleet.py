"""Machines that are killed, paused, reconfigured and robbed of their disks, run after run.

CI plays a short story of two machines. The long ones are played on demand::

    python -m pytest -m slow -n0 tests/faults/test_fleet.py
    FLEET_RUNS=40 FLEET_SEED=100 python -m pytest -m slow tests/faults/test_fleet.py

``FLEET_RUNS`` is how many runs one story has; each arrangement plays ``FLEET_STORIES`` of them. A
failure says seed and story, and the same seed plays the same orders again (not the same moments of
kills and pauses: the machines are real processes).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.faults.fleet import ARRANGEMENTS, Arrangement, play

RUNS = int(os.environ.get("FLEET_RUNS", "25"))
STORIES = int(os.environ.get("FLEET_STORIES", "5"))
SEED = int(os.environ.get("FLEET_SEED", "1"))

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals"),
    pytest.mark.timeout(300 + 30 * RUNS),
]


def test_two_machines_in_a_short_story_tell_each_execution_once(tmp_path: Path) -> None:
    """Kills, pauses, outages and edits leave a true landing, and both machines commit again."""
    fleet = play(tmp_path, "shared_directory", 1, 4)

    assert fleet.runs["0"] >= 4
    assert fleet.runs.total() >= 8


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + STORIES))
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_long_stories_tell_each_execution_once(
    tmp_path: Path, arrangement: Arrangement, seed: int
) -> None:
    """One machine or two, whatever happens to them: nothing lost, nothing twice, nothing stuck."""
    assert play(tmp_path, arrangement, seed, RUNS).runs.total() >= RUNS
