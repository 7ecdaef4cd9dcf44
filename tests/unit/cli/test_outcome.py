"""Ends of commands: exit codes, and sentences instead of tracebacks."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable, Iterator
from datetime import datetime, timezone

import pytest

from kada_athena_async.cli import Interrupted
from kada_athena_async.cli.outcome import ending, one_after_the_other
from kada_athena_async.cli.output import Output
from kada_athena_async.errors import (
    AccessDeniedError,
    CommitError,
    ConfigError,
    CredentialsError,
    DeliveryError,
    LockedError,
    Problem,
    StateError,
)
from kada_athena_async.events import (
    DeliveryFinished,
    Event,
    FileCommitted,
    RunStarted,
    SiteEvent,
    Warned,
)


@pytest.fixture(autouse=True)
def _root_logger() -> Iterator[None]:
    """The command line takes the root logger; give it back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


def failing(error: BaseException):
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError([Problem("mask", '"yes"', "write true or false")]), 2),
        (CredentialsError("the key is not known to AWS", hint="check key and secret"), 3),
        (StateError("the mark lies in the future"), 3),
        (LockedError("another run is going on"), 3),
        (AccessDeniedError("no", action="athena:ListWorkGroups"), 1),
        (CommitError("no space left"), 1),
        (DeliveryError("not delivered"), 4),
        (Interrupted(signal.SIGINT), 130),
        (Interrupted(signal.SIGTERM), 143),
        (KeyboardInterrupt(), 130),
        (KeyError("canary-literal"), 1),
    ],
)
def test_each_error_has_its_exit_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Schedulers decide by the code; nobody ever sees a traceback or stdout touched."""
    assert ending(Output(), failing(error)) == code

    output = capsys.readouterr()
    assert output.out == ""
    assert "Traceback" not in output.err


def test_an_expected_error_says_what_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what happened, and on its own line what to try."""
    ending(Output(), failing(CredentialsError("the key is unknown", hint="check key and secret")))

    assert capsys.readouterr().err == "error: the key is unknown\n  try: check key and secret\n"


def test_an_unexpected_error_tells_its_class_and_run_and_no_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its message may quote SQL, so it is not shown; -v shows where it came from."""
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    output = Output(quiet=True)
    literal = "-".join(("canary", "literal"))

    def work() -> int:
        with output.observers() as observers:
            for observer in observers:
                observer(
                    RunStarted(
                        run_id="01J",
                        name="athena",
                        start=now,
                        end=now,
                        output_path="/",
                        endpoint_url=None,
                    )
                )

        raise KeyError(literal)

    ending(output, work)
    brief = capsys.readouterr().err
    ending(Output(verbose=True), failing(KeyError(literal)))
    verbose = capsys.readouterr().err

    assert "unexpected KeyError in run 01J" in brief
    assert "run again with -v and report" in brief
    assert "test_outcome.py" in verbose
    assert "canary" not in brief + verbose


def test_json_carries_the_error_too(capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads on stdout what a person reads on stderr."""
    error = CredentialsError("the key is unknown", hint="check it")
    ending(Output(as_json=True), failing(error))

    output = capsys.readouterr()
    facts = json.loads(output.out)
    del facts["at"]
    assert facts == {
        "event": "error",
        "kind": "CredentialsError",
        "message": "the key is unknown",
        "hint": "check it",
        "exit_code": 3,
    }
    assert "the key is unknown" in output.err


def test_known_secrets_are_kept_out_of_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """Errors, talk, data, warnings and logs."""
    output = Output()
    output.know_secrets(("canary-secret",))
    output.say("a canary-secret")
    output.data({}, kind="x", lines=["a canary-secret"])
    output.warn(Warned(code="x", message="a canary-secret"))
    ending(output, failing(StateError("a canary-secret")))
    logging.getLogger("botocore").warning("a canary-secret")

    output = capsys.readouterr()
    assert "canary" not in output.out + output.err
    assert output.err.count("***") == 4
    assert output.out == "a ***\n"


def test_hostile_text_in_an_error_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    """AWS's messages repeat names that others chose."""
    ending(Output(), failing(StateError("table \x1b]0;x\x07\u202e")))

    assert capsys.readouterr().err.splitlines()[0] == "error: table \\x1b]0;x\\x07\\u202e"


def committing(output: Output) -> None:
    """Let *output* hear that a file of a site is published."""
    file = FileCommitted(name="a.csv", kind="users", rows=1, size_bytes=1)
    with output.observers() as observers:
        observers[0](SiteEvent(site="au", event=file))


ERRORS = [
    ConfigError([Problem("mask", '"yes"', "write true or false")]),
    ConfigError([Problem("--set", "'x'", "write FIELD=VALUE")], source="command"),
    CredentialsError("the key is not known to AWS", hint="check key and secret"),
    StateError("the high-water mark lies in the future"),
    CommitError("no space left"),
    KeyError("a bug"),
    Interrupted(signal.SIGTERM),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_e3_a_run_that_fails_says_that_nothing_was_committed_and_what_to_type(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -q too, and once: what happened, the verdict, then the command to type."""
    monkeypatch.setattr("sys.argv", ["kada-athena-async", "run", "-q", "--fresh"])
    output = Output(quiet=True)

    ending(output, failing(error))

    said = capsys.readouterr().err
    assert said.count("nothing was committed") == 1
    assert said.splitlines()[-1].startswith("  try: ")
    assert "--fresh" not in said


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (CredentialsError("expired", hint="log in"), "what was committed before that is complete"),
        (DeliveryError("down", hint="push"), "what was extracted is committed here, and not del"),
        (Interrupted(signal.SIGINT), "what was committed is complete (au), nothing is lost"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_e3_what_is_committed_is_not_denied(
    error: Exception,
    verdict: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An interrupted run may be committed before the new one fails."""
    monkeypatch.setattr("sys.argv", ["kada-athena-async", "run"])
    output = Output(quiet=True)
    committing(output)

    ending(output, failing(error))

    said = capsys.readouterr().err
    assert verdict in said
    assert "nothing was committed" not in said


DELIVERED = DeliveryFinished(place="s3://k", sent=1, skipped=0, sent_bytes=1, duration_s=0.1)
STARTED = RunStarted(
    run_id="r",
    name="athena",
    start=datetime(2026, 11, 1, tzinfo=timezone.utc),
    end=datetime(2026, 11, 2, tzinfo=timezone.utc),
    output_path="/out",
    endpoint_url="",
)


@pytest.mark.parametrize(
    ("before", "verdict"),
    [
        ([STARTED, DELIVERED], "the extracts are delivered; the next run moves the high-water m"),
        ([DELIVERED], "nothing was committed"),
        ([STARTED, DELIVERED, STARTED], "nothing was committed"),
    ],
)
def test_e3_what_is_delivered_is_not_denied(
    before: list[Event],
    verdict: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The disk may be full where the high-water mark lies, after this run's package has gone."""
    monkeypatch.setattr("sys.argv", ["kada-athena-async", "run"])
    output = Output(quiet=True)
    with output.observers() as observers:
        for event in before:
            observers[0](event)

    ending(output, failing(CommitError("no space left for athena_hwm.txt")))

    assert verdict in capsys.readouterr().err


@pytest.mark.parametrize(
    ("hints", "last"),
    [
        (["push", "push"], "  try: push"),
        (["run --site a", "run --site b"], "  try: what is named above for each of them"),
        (["", ""], "  try: kada-athena-async show"),
    ],
)
def test_e3_several_sites_end_with_what_helps_those_that_failed(
    hints: list[str],
    last: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not with the very command that failed, unless nothing else is known."""
    monkeypatch.setattr("sys.argv", ["kada-athena-async", "show"])

    def work(hint: str) -> Callable[[], None]:
        def fail() -> None:
            raise StateError("torn", hint=hint)

        return fail

    works = [(site, work(hint)) for site, hint in zip("ab", hints, strict=True)]
    one_after_the_other(Output(), works)

    verdict, remedy = capsys.readouterr().err.splitlines()[-2:]
    assert verdict == "2 of 2 sites failed: a, b"
    assert remedy == last


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        ("command", "kada-athena-async config check --help"),
        ("configuration", "kada-athena-async config check -c x.json   (once that is corrected)"),
    ],
)
def test_e5_an_error_without_a_remedy_of_its_own_ends_in_a_command(
    source: str,
    remedy: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The help page for what was typed wrong, else the same command once more."""
    monkeypatch.setattr("sys.argv", ["kada-athena-async", "config", "check", "-c", "x.json"])

    ending(Output(), failing(ConfigError([Problem("a", "b", "c")], source=source)))

    assert capsys.readouterr().err.splitlines()[-1].endswith(remedy)


@pytest.mark.parametrize(
    "given",
    [["--set", "region={}"], ["--set=landing={}"], ["--set", "{}"], ["-c", "{}.json"]],
    ids=" ".join,
)
def test_a_refused_configuration_is_not_repeated_with_its_values(
    given: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hint of what to type names the fields; a secret pasted into one is not echoed."""
    secret = "".join(("wJalrXUtnFEMI", "K7MDENGbPxRfiCY", "h7Jq2Lp9Zk4T"))
    words = [word.format(secret) for word in given]
    monkeypatch.setattr("sys.argv", ["kada-athena-async", "run", *words, "--fresh"])

    ending(Output(), failing(ConfigError([Problem("region", "(hidden)", "write a region")])))

    said = capsys.readouterr().err
    assert secret not in said
    assert "kada-athena-async run" in said
    assert "--fresh" not in said
