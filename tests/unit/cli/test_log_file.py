"""The log file: what was said, as JSON lines, for later."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kada_athena_async.cli.outcome import ending
from kada_athena_async.cli.output import Output
from kada_athena_async.errors import ConfigError, StateError
from kada_athena_async.events import Warned


@pytest.fixture(autouse=True)
def _root_logger() -> Iterator[None]:
    """The command line takes the root logger; give it back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


def objects(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_everything_is_kept_and_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Warnings, log records and errors, though quiet was asked for; also secrets known later."""
    path = tmp_path / "run.jsonl"
    path.write_text('{"event": "before"}\n')
    output = Output(quiet=True)
    output.log_to(path)
    output.know_secrets(("canary-secret",))
    output.warn(Warned(code="gap", message="a canary-secret"))
    logging.getLogger("botocore").warning("a canary-%s", "secret")
    ending(output, lambda: _fail())

    told = objects(path)
    assert [o["event"] for o in told] == ["before", "warned", "log", "error"]
    assert [o.get("message", "")[-5:] for o in told[1:]] == ["a ***"] * 3  # type: ignore[index]
    assert told[2]["logger"] == "botocore"
    assert told[3]["exit_code"] == 3
    assert "canary" not in path.read_text() + "".join(capsys.readouterr())


def _fail() -> int:
    raise StateError("a canary-secret")


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """Names of tables and workgroups are nobody else's business."""
    Output().log_to(tmp_path / "run.jsonl")

    assert stat.S_IMODE((tmp_path / "run.jsonl").stat().st_mode) == 0o600


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """Before anything is done."""
    with pytest.raises(ConfigError) as raised:
        Output().log_to(tmp_path / "nowhere" / "run.jsonl")

    assert "--log-file = " in str(raised.value)
    assert "nowhere' first, or name another file" in str(raised.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_costs_the_log_and_not_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Said once; everything else goes on."""
    output = Output()
    output.log_to(Path("/dev/full"))
    for _ in range(2):
        output.warn(Warned(code="gap", message="history is gone"))

    said = capsys.readouterr().err
    assert said.count("the log file /dev/full ends here: No space left on device") == 1
    assert said.count("warning: history is gone") == 2


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="gives files away")
def test_a_link_of_another_user_is_not_followed(tmp_path: Path) -> None:
    """H17: who may write to a shared directory does not choose which of our files grows."""
    mine, link = tmp_path / "bashrc", tmp_path / "run.jsonl"
    mine.write_text("alias l=ls\n")
    link.symlink_to(mine)
    os.chown(link, 4242, -1, follow_symlinks=False)

    with pytest.raises(ConfigError, match=r"run\.jsonl is a link of another user \(uid 4242\)"):
        Output().log_to(link)

    assert mine.read_text() == "alias l=ls\n"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="gives files away")
def test_another_users_file_is_not_written_to(tmp_path: Path) -> None:
    """It was put there to be read: the names of our tables would be theirs."""
    path = tmp_path / "run.jsonl"
    path.write_text("")
    os.chown(path, 4242, -1)

    with pytest.raises(ConfigError, match=r"belongs to another user \(uid 4242\)"):
        Output().log_to(path)

    assert path.read_text() == ""


def test_a_link_of_ones_own_is_followed(tmp_path: Path) -> None:
    """As whoever keeps `current.jsonl` pointing to the file of the day has it."""
    link = tmp_path / "current.jsonl"
    link.symlink_to("2026-11-28.jsonl")
    output = Output(quiet=True)
    output.log_to(link)
    output.warn(Warned(code="gap", message="a gap"))

    assert [o["event"] for o in objects(tmp_path / "2026-11-28.jsonl")] == ["warned"]


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="names of streams")
def test_a_stream_of_the_process_may_be_the_log(tmp_path: Path) -> None:
    """`--log-file /dev/stdout`, as containers keep their logs."""
    program = (
        "from pathlib import Path; from kada_athena_async.cli.output import Output\n"
        "from kada_athena_async.events import Warned\n"
        "talk = Output(quiet=True); talk.log_to(Path('/dev/stdout'))\n"
        "talk.warn(Warned(code='gap', message='a gap'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout)["event"] == "warned"
