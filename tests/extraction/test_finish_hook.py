"""The hook at the end of a run: a real process and a real HTTP receiver get its summary."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor
from kada_athena_async.config import make_config
from kada_athena_async.engine.finish_hook import FinishHook
from kada_athena_async.errors import ConfigError, DeliveryError, StateError
from kada_athena_async.events import Warned
from kada_athena_async.report import RunReport
from tests.extraction.conftest import run
from tests.kit.receiver import Receiver, receiving

LITTLE = {"metadata_source": "api", "workgroups": ["primary"], "catalogs": ["AwsDataCatalog"]}
TOKEN = "T0123-" + "hook-token-" * 2
KEEP = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"


def secret_url(receiver: Receiver) -> str:
    """An address that is a secret as a whole, as those of chats are."""
    return f"{receiver.url}/services/{TOKEN}?sig={TOKEN}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(204) as server:
        yield server


def keeping(path: Path) -> list[str]:
    """A command that keeps its stdin."""
    return [sys.executable, "-c", KEEP, str(path)]


def hook(tmp_path: Path, told: list[Any], **fields: Any) -> FinishHook:
    """A hook outside of any run."""
    config = make_config(
        {
            "server": "athena",
            "region": "eu-west-1",
            "bucket": "s3://results/here",
            "output_path": str(tmp_path),
            **fields,
        }
    )
    return FinishHook(config=config, name="athena", run_id="r1", notify=told.append)


async def end_with(made: FinishHook, error: Exception) -> None:
    """End a run with *error*, which passes unchanged."""
    with pytest.raises(type(error)) as caught:
        async with made.at_the_end():
            raise error

    assert caught.value is error


async def test_a_committed_run_is_told_to_a_command_and_to_a_webhook(
    extractor: Callable[..., Extractor], tmp_path: Path, receiver: Receiver
) -> None:
    """Both get the same JSON object; nothing secret stands in it."""
    path = tmp_path / "summary.json"
    made = extractor(**LITTLE, on_finish=keeping(path), on_finish_url=secret_url(receiver))

    report = await run(made)

    summary = json.loads(path.read_text())
    (post,) = receiver.posts
    assert post.path.partition("?")[0] == f"/services/{TOKEN}"
    assert post.headers["Content-Type"] == "application/json"
    assert json.loads(post.body) == summary
    assert (summary["version"], summary["name"], summary["outcome"]) == (1, "athena", "committed")
    assert (summary["run_id"], summary["exit_code"]) == (report.run_id, 0)
    assert summary["rows"] == report.rows
    assert summary["manifest"] == str(report.manifest)
    assert (summary["error"], summary["failed"]) == (None, [])
    secret = made.config.secret.get_secret_value()
    assert secret
    assert not any(hidden in path.read_text() for hidden in (secret, TOKEN))
    assert TOKEN not in repr(made.config)
    assert report.warnings == ()


async def test_a_run_that_cannot_start_is_told_with_its_error(
    extractor: Callable[..., Extractor], tmp_path: Path
) -> None:
    """The hook hears what the caller hears: kind, message and hint."""
    (tmp_path / "athena_hwm.txt").write_text("junk")
    path = tmp_path / "summary.json"

    with pytest.raises(StateError) as caught:
        await run(extractor(**LITTLE, on_finish=keeping(path)))

    summary = json.loads(path.read_text())
    assert (summary["outcome"], summary["exit_code"]) == ("failed", 3)
    assert summary["error"]["kind"] == "StateError"
    assert summary["error"]["message"] == caught.value.message


async def test_what_is_extracted_but_not_delivered_is_told_as_that(tmp_path: Path) -> None:
    """An outcome of its own, for the mark has not moved."""
    path, told = tmp_path / "summary.json", []
    await end_with(hook(tmp_path, told, on_finish=keeping(path)), DeliveryError("full"))

    summary = json.loads(path.read_text())
    assert (summary["outcome"], summary["exit_code"]) == ("not_delivered", 4)
    assert told == []


async def test_an_error_that_is_not_ours_is_told_without_its_message(tmp_path: Path) -> None:
    """It may quote a statement."""
    path = tmp_path / "summary.json"
    await end_with(hook(tmp_path, [], on_finish=keeping(path)), ValueError("SELECT 'x'"))

    assert json.loads(path.read_text())["error"] == {
        "kind": "ValueError",
        "message": "",
        "hint": "",
    }


async def test_secrets_in_an_error_are_hidden(tmp_path: Path) -> None:
    """A value that the configuration knows to be secret stands in no summary."""
    path = tmp_path / "summary.json"
    made = hook(
        tmp_path, [], on_finish=keeping(path), key="a-key-id", secret="a-secret-value-of-ours"
    )
    await end_with(made, DeliveryError("refused a-secret-value-of-ours"))

    assert json.loads(path.read_text())["error"]["message"] == "refused ***"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["/no/such/program"], "'/no/such/program' cannot be started (No such file or directory)"),
        (
            [sys.executable, "-c", "import sys; print('no\\nway', file=sys.stderr); sys.exit(3)"],
            f"{sys.executable!r} ended with exit code 3 (no way)",
        ),
        (
            [sys.executable, "-c", "import time; time.sleep(600)"],
            f"{sys.executable!r} was ended after 0.5 s",
        ),
    ],
    ids=["missing", "failing", "slow"],
)
async def test_a_command_that_fails_is_warned_of(
    command: list[str], said: str, tmp_path: Path
) -> None:
    """The warning says what happened; the error of the run is the one that it had."""
    told: list[Any] = []
    made = hook(tmp_path, told, on_finish=command)
    if "sleep" in command[-1]:  # any other may start as slowly as a busy machine lets it
        made.deadline_s = 0.5
    await end_with(made, DeliveryError("full"))

    (warned,) = told
    assert isinstance(warned, Warned)
    assert (warned.code, warned.hint) == ("hook_failed", "correct or remove on_finish")
    assert warned.message == f"on_finish: the command {said}; the run is not affected"


@pytest.mark.parametrize(("status", "posts"), [(500, 1), (307, 1)])
async def test_a_webhook_that_refuses_fails_no_run(
    extractor: Callable[..., Extractor], receiver: Receiver, status: int, posts: int
) -> None:
    """The run is committed; the warning names the host and hides the rest; nobody is followed."""
    receiver.status = status
    told: list[Any] = []
    made = extractor(**LITTLE, on_finish_url=secret_url(receiver), observers=[told.append])

    report: RunReport = await run(made)

    (warned,) = [event for event in told if isinstance(event, Warned)]
    host = receiver.url
    assert report.committed
    assert warned.message == f"on_finish_url: {host} answered {status}; the run is not affected"
    assert len(receiver.posts) == posts
    assert type(told[-1]).__name__ == "RunFinished"


async def test_a_webhook_that_is_not_there_is_warned_of(tmp_path: Path) -> None:
    """A refused connection says so."""
    told: list[Any] = []
    made = hook(tmp_path, told, on_finish_url="http://127.0.0.1:9/x")
    await end_with(made, DeliveryError("full"))

    assert told[0].message == (
        "on_finish_url: http://127.0.0.1:9 cannot be reached (connection refused); "
        "the run is not affected"
    )


async def test_the_command_is_given_none_of_our_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may hold secrets; all others are there, such as PATH."""
    monkeypatch.setenv("KADA_ATHENA_HASH_KEY", "a-key-of-sixteen-characters")
    monkeypatch.setenv("HOOK_NEEDS", "this")
    path = tmp_path / "names"
    code = f"import os, pathlib; pathlib.Path({str(path)!r}).write_text(' '.join(os.environ))"
    await end_with(hook(tmp_path, [], on_finish=[sys.executable, "-c", code]), DeliveryError("x"))

    names = path.read_text().split()
    assert "HOOK_NEEDS" in names
    assert not [name for name in names if name.startswith("KADA_ATHENA_")]


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("http://example.com/x", "write https://; plain http is for loopback addresses only"),
        ("ftp://example.com/x", "write a URL such as https://hooks.example.com/services/..."),
        ("https://user:word@example.com/x", "leave user and password out of the URL"),
        ("https://169.254.169.254/x", "link-local and metadata addresses are refused"),
    ],
)
def test_a_webhook_in_the_clear_or_of_no_use_is_refused(
    url: str, remedy: str, tmp_path: Path
) -> None:
    """The problem names the field and the remedy, never the URL, which may hold a token."""
    with pytest.raises(ConfigError) as caught:
        hook(tmp_path, [], on_finish_url=url)

    (problem,) = caught.value.problems
    assert problem.key == "on_finish_url"
    assert remedy in problem.remedy
    assert url not in str(caught.value)
