"""The vendor's functions: marks, configuration, logger; the extractor is in tests/acceptance."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import threading
import traceback
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from kada_athena_async.errors import ConfigError, StateError
from kada_athena_async.sync import (
    Extractor,
    Hwm,
    get_generic_logger,
    get_hwm,
    load_config,
    publish_hwm,
)
from tests.kit.estates import few_schemas

NOW = datetime(2026, 11, 23, 5, 0, 30, 999_999, tzinfo=timezone.utc)


@pytest.fixture
def _in_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_in_directory")
def test_the_first_window_reaches_back_as_far_as_athena_remembers() -> None:
    """45 days, up to a minute ago, in the vendor's format."""
    assert get_hwm("athena", now=NOW) == ("2026-10-09 05:00:30", "2026-11-23 04:59:30")


@pytest.mark.usefixtures("_in_directory")
def test_the_next_window_begins_where_the_last_one_ended(tmp_path: Path) -> None:
    """The mark that was published is the one that is read, in the vendor's file."""
    _, end = get_hwm("athena", now=NOW)
    publish_hwm("athena", end, now=NOW)

    start, later = get_hwm("athena", now=NOW + timedelta(hours=1))

    assert (start, later) == (end, "2026-11-23 05:59:30")
    assert (tmp_path / "athena_hwm.txt").read_text() == f"{end}\n"


@pytest.mark.usefixtures("_in_directory")
def test_a_script_sees_one_error_in_its_traceback(tmp_path: Path) -> None:
    """That no event loop runs is no error of its own, above the one that counts."""
    (tmp_path / "athena_hwm.txt").write_text("soon\n")

    with pytest.raises(StateError) as caught:
        get_hwm("athena")

    assert "no running event loop" not in "".join(traceback.format_exception(caught.value))


def test_a_mark_may_have_a_place_of_its_own(tmp_path: Path) -> None:
    """file_path is a file, or a directory that holds the usual one."""
    publish_hwm("athena", datetime(2026, 1, 1, tzinfo=timezone.utc), tmp_path / "mark.txt", now=NOW)
    publish_hwm("athena", "2026-02-02 00:00:00", str(tmp_path), now=NOW)

    assert (tmp_path / "mark.txt").read_text() == "2026-01-01 00:00:00\n"
    assert (tmp_path / "athena_hwm.txt").read_text() == "2026-02-02 00:00:00\n"
    assert get_hwm("athena", tmp_path, now=NOW)[0] == "2026-02-02 00:00:00"


def test_a_window_never_ends_before_it_starts(tmp_path: Path) -> None:
    """A mark of the last minute gives an empty window, not a backward one."""
    publish_hwm("athena", "2026-11-23 05:00:00", tmp_path, now=NOW)

    assert get_hwm("athena", tmp_path, now=NOW) == ("2026-11-23 04:59:30", "2026-11-23 04:59:30")


@pytest.mark.parametrize(
    "date", ["tomorrow", "2026-02-30 00:00:00", "2026-11-24 00:00:00", "", "0001-01-01", "99999d"]
)
def test_a_bad_mark_is_not_published(tmp_path: Path, date: str) -> None:
    """Junk and the future are refused before the file is touched."""
    with pytest.raises(ConfigError, match="date = "):
        publish_hwm("athena", date, tmp_path, now=NOW)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["last tuesday", "2026-11-24 00:00:00\n"])
def test_a_mark_that_cannot_be_trusted_is_not_used(tmp_path: Path, content: str) -> None:
    """Junk and the future are refused where they are read, too."""
    (tmp_path / "athena_hwm.txt").write_text(content)

    with pytest.raises(StateError):
        get_hwm("athena", tmp_path, now=NOW)


def test_a_name_cannot_lead_elsewhere(tmp_path: Path) -> None:
    """The name is a part of a file's name."""
    with pytest.raises(ConfigError, match="name = "):
        publish_hwm("../athena", "2026-01-01 00:00:00", tmp_path, now=NOW)


def test_the_configuration_is_plain_and_complete(tmp_path: Path) -> None:
    """A script can read output_path and pass the rest on, as with the vendor's function."""
    values = {
        "key": "AKIA1",
        "secret": "word",
        "server": "athena",
        "bucket": "s3://my-bucket/x",
        "catalogs": ["a", "b"],
        "region": "us-east-1",
        "role": "",
        "output_path": "/tmp/output",
        "mask": True,
        "compress": False,
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(values))
    path.chmod(0o600)

    loaded = load_config(path)

    assert {key: loaded[key] for key in values} == values
    assert Extractor(**loaded).list_sql()


def test_a_bad_field_is_named_when_the_extractor_is_made() -> None:
    """As for the file: every problem, before any call to AWS."""
    with pytest.raises(ConfigError) as raised:
        Extractor(server="athena", region="x", maks=True)

    assert [problem.key for problem in raised.value.problems] == [
        "bucket",
        "region",
        "output_path",
        "maks",
    ]


FIELDS: dict[str, object] = {
    "server": "athena",
    "region": "us-east-1",
    "bucket": "s3://my-bucket/x",
    "output_path": "/tmp/output",
}


def test_statements_can_be_listed_read_and_replaced() -> None:
    """As with the vendor's extractor; what was written is what is read."""
    extractor = Extractor(**FIELDS)
    name = extractor.list_sql()[0]
    changed = f"{extractor.get_sql(name)}\n-- ours"
    extractor.overwrite_sql(name, changed)

    assert extractor.get_sql(name) == changed
    assert Extractor(**FIELDS).get_sql(name) != changed
    with pytest.raises(ConfigError, match="put the placeholder"):
        extractor.overwrite_sql(name, "SELECT 1")


async def test_inside_a_running_loop_the_functions_work_too(tmp_path: Path) -> None:
    """A flow's plain task may call them: they only touch a file, in a thread of their own."""
    publish_hwm("athena", "2026-11-20 00:00:00", tmp_path, now=NOW)

    assert get_hwm("athena", tmp_path, now=NOW)[0] == "2026-11-20 00:00:00"


async def test_the_extractor_works_inside_a_running_loop(tmp_path: Path) -> None:
    """A plain task of an async flow calls it; the thread that works is gone afterwards."""
    with few_schemas(scale=0.05) as sandbox:
        before = set(threading.enumerate())
        report = Extractor(**sandbox.config(tmp_path / "out")).test_connection()

        assert report.account
        # The sandbox's own end when it gets to it; a worker thread ends when it wakes up.
        begun = set(threading.enumerate()) - before
        for thread in (each for each in begun if not each.name.startswith("sandbox")):
            thread.join(timeout=30)
            assert not thread.is_alive(), thread.name


async def test_inside_a_running_loop_an_error_keeps_its_type(tmp_path: Path) -> None:
    """An exception of the work in its thread is raised to the caller as itself."""
    (tmp_path / "athena_hwm.txt").write_text("last tuesday")

    with pytest.raises(StateError, match="cannot be used"):
        get_hwm("athena", tmp_path, now=NOW)


@pytest.fixture
def _own_logger() -> Iterator[None]:
    yield
    logging.getLogger("doors-test").handlers.clear()


@pytest.mark.usefixtures("_own_logger")
def test_the_logger_writes_each_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    """However often it is asked for, and without secrets."""
    get_generic_logger("doors-test")
    logger = get_generic_logger("doors-test")
    logger.propagate = False
    logger.info("key %s", "AKIAIOSFODNN7EXAMPLE")

    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.endswith("INFO doors-test: key ***\n")
    assert output.err.count("\n") == 1


def test_a_window_knows_whose_mark_it_comes_from(tmp_path: Path) -> None:
    """The wrapper names its instance only to get_hwm; copies and pickles keep it."""
    start, end = get_hwm("audit", tmp_path, now=NOW)

    assert isinstance(start, Hwm)
    for each in (start, end, copy.deepcopy(start), pickle.loads(pickle.dumps(end))):
        assert each.instance == "audit"

    assert json.loads(json.dumps(start)) == str(start)


def test_the_mark_of_another_instance_is_refused(tmp_path: Path) -> None:
    """Named one way and given the other's window: a sentence, before anything is done."""
    start, _ = get_hwm("audit", tmp_path, now=NOW)
    fields = {"server": "s", "region": "us-east-1", "bucket": "s3://bucket/p"}
    extractor = Extractor(name="sales", output_path=str(tmp_path / "out"), **fields)

    with pytest.raises(ConfigError, match="this is the high-water mark of audit, not sales"):
        extractor.run(start)  # the vendor names the times in this order

    assert not (tmp_path / "out").exists()
