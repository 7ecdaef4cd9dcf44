"""H5, S11: links and other users' files in the places of staging, locks, marks and logs."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from kada_athena_async.errors import CommitError, StateError
from kada_athena_async.files import Files
from tests.faults.world import START, World

# Tests of owners need a user who may give files away; in CI that is root.
STRANGER = 4242

needs_chown = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0, reason="gives files to another user"
)

HOUR = timedelta(hours=1)


def tree_of(path: Path) -> dict[str, bytes | None]:
    """Every name below *path*, and the content of the files."""
    return {
        str(p.relative_to(path)): p.read_bytes() if p.is_file() else None
        for p in sorted(path.rglob("*"))
    }


async def refused(world: World, **fields: object) -> StateError:
    """The refusal of a run, which has called nothing and moved nothing."""

    def facts() -> tuple[object, ...]:
        return sum(world.sandbox.calls.values()), world.mark(), world.in_sight()

    before = facts()
    with pytest.raises(StateError) as caught:
        await world.run(world.wall.time + HOUR, **fields)

    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert facts() == before
    return caught.value


async def interrupted(world: World) -> Path:
    """The staging directory that a run left which was about to publish."""

    class Stops(Files):
        def rename(self, source: Path, target: Path) -> None:
            if target.parent == world.out:
                raise KeyboardInterrupt

            super().rename(source, target)

    with pytest.raises(BaseException):  # noqa: B017, PT011 - as a signal would
        await world.run(START, files=Stops())

    (left,) = (world.out / ".athena-staging").iterdir()
    assert (left / "commit.json").exists()
    return left


async def test_behind_a_link_in_the_place_of_staging_nothing_is_touched(
    world: World, tmp_path: Path
) -> None:
    """The run is refused by a sentence, and what the link leads to stays as it was."""
    home = tmp_path / "home"
    for name in ("documents", "photos"):
        (home / name / "below").mkdir(parents=True)
        (home / name / "below" / "file").write_text("mine")

    before = tree_of(home)
    world.out.mkdir()
    (world.out / ".athena-staging").symlink_to(home)

    error = await refused(world)

    assert (
        f"{world.out}/.athena-staging is a link, or neither a file nor a directory" in error.message
    )
    assert "nothing in it was read, removed or published" in error.message
    assert tree_of(home) == before


@needs_chown
async def test_a_forged_staging_directory_of_another_user_is_not_published(world: World) -> None:
    """A whole commit, ready to be moved into sight, but somebody else's."""
    await interrupted(world)
    root = world.out / ".athena-staging"
    os.chown(root, STRANGER, -1)

    error = await refused(world)

    assert f"{root} belongs to another user (uid {STRANGER})" in error.message
    assert "name another directory" in error.hint


async def test_a_staging_directory_open_to_others_is_not_published(world: World) -> None:
    """A whole commit, where everybody could have written."""
    await interrupted(world)
    root = world.out / ".athena-staging"
    root.chmod(0o777)

    error = await refused(world)

    assert f"others may write to {root} (mode 0777)" in error.message


@needs_chown
@pytest.mark.parametrize("what", ["run", "parts", "out", "intent.json", "commit.json"])
@pytest.mark.parametrize("how", ["owner", "mode", "link"])
async def test_every_entry_of_a_run_that_was_left_must_be_ours(
    world: World, tmp_path: Path, what: str, how: str
) -> None:
    """The run's directory, those in it, its journals: each is looked at before it is used."""
    left = await interrupted(world)
    entry = left if what == "run" else left / what
    if not entry.exists():
        entry.mkdir(mode=0o700)

    if how == "owner":
        os.chown(entry, STRANGER, -1)
    elif how == "mode":
        entry.chmod(entry.stat().st_mode | 0o022)
    else:
        shutil.move(entry, tmp_path / "elsewhere")
        entry.symlink_to(tmp_path / "elsewhere")

    elsewhere = tmp_path / "elsewhere"
    before = tree_of(elsewhere) if elsewhere.is_dir() else {}

    error = await refused(world)

    assert str(entry) in error.message
    assert (tree_of(elsewhere) if elsewhere.is_dir() else {}) == before


async def test_a_link_put_there_between_check_and_use_leads_nowhere(
    world: World, tmp_path: Path
) -> None:
    """Somebody who may write to output_path swaps the directory at every step of a run.

    What the link leads to is a directory of our own, of the same shape: only its being a link
    tells it from ours.
    """
    swaps = 0
    for step in range(1, 40, 3):
        home, out = tmp_path / f"home{step}", world.path / f"out{step}"
        home.mkdir(mode=0o700)
        (home / "mine").write_text("mine")

        class Swapped(Files):
            """Before the k-th operation a link stands in the place of staging."""

            def __init__(self, out: Path, home: Path, left: int) -> None:
                self.root, self.home, self.left = out / ".athena-staging", home, left
                self.swapped = False

            def swap(self) -> None:
                self.left -= 1
                if self.left == 0 and self.root.exists():
                    shutil.copytree(self.root, self.home, dirs_exist_ok=True)
                    self.root.rename(self.root.with_name("taken"))
                    self.root.symlink_to(self.home)
                    self.before, self.swapped = tree_of(self.home), True

            def create(self, path: Path) -> int:
                self.swap()
                return super().create(path)

            def remove(self, path: Path) -> None:
                self.swap()
                super().remove(path)

            def rename(self, source: Path, target: Path) -> None:
                self.swap()
                super().rename(source, target)

            def remove_dir(self, path: Path) -> None:
                self.swap()
                super().remove_dir(path)

        files = Swapped(out, home, step)
        with suppress(StateError, CommitError):
            await world.run(START, files=files, out=out)

        swaps += files.swapped
        assert not files.swapped or tree_of(home) == files.before, step

    assert swaps > 5


@needs_chown
@pytest.mark.parametrize("name", ["athena_hwm.txt", "athena_state.json"])
@pytest.mark.parametrize("how", ["owner", "mode"])
async def test_a_mark_and_a_state_of_somebody_else_are_not_believed(
    world: World, name: str, how: str
) -> None:
    """They say what was extracted: another user's, or one that everybody may write, is refused."""
    await world.run(START)
    path = world.path / name
    if how == "owner":
        os.chown(path, STRANGER, -1)
    else:
        path.chmod(0o666)

    error = await refused(world)

    what = "belongs to another user (uid 4242)" if how == "owner" else "may write to"
    assert str(path) in error.message
    assert what in error.message


@needs_chown
async def test_the_files_of_whoever_owns_the_directory_are_believed(world: World) -> None:
    """A container's root runs in a directory of the host's user, who keeps the mark there."""
    await world.run(START)
    for path in (world.path, world.hwm_path, world.state_path):
        os.chown(path, STRANGER, -1)

    await world.run(START + HOUR)

    assert world.mark() == START + HOUR - timedelta(seconds=60)


@needs_chown
@pytest.mark.parametrize("place", ["out/.athena.lock", ".athena_hwm.lock"])
async def test_a_lock_of_somebody_else_is_not_taken(world: World, place: str) -> None:
    """Another user's file, which taking the lock would empty."""
    world.out.mkdir()
    path = world.path / place
    path.write_text("")
    os.chown(path, STRANGER, -1)

    error = await refused(world)

    assert f"{path} belongs to another user" in error.message


@pytest.mark.parametrize("place", ["out/.athena.lock", ".athena_hwm.lock"])
@pytest.mark.parametrize("how", ["link", "hard link"])
async def test_no_file_that_a_lock_leads_to_is_emptied(
    world: World, tmp_path: Path, place: str, how: str
) -> None:
    """A link, or another name, of a file of ours in the lock's place."""
    world.out.mkdir()
    mine = tmp_path / "authorized_keys"
    mine.write_text("ssh-ed25519 AAAA me")
    if how == "link":
        (world.path / place).symlink_to(mine)
    else:
        os.link(mine, world.path / place)

    await refused(world)

    assert mine.read_text() == "ssh-ed25519 AAAA me"


async def test_an_ordinary_run_goes_on_after_one_that_was_interrupted(world: World) -> None:
    """Checked, and found to be ours: what was left is published, once."""
    left = await interrupted(world)
    intent = json.loads((left / "intent.json").read_text())

    await world.run(START + HOUR)

    assert intent["run_id"] in {manifest["run_id"] for manifest in world.manifests()}
    assert world.leftovers() == []
    world.check()
