"""The vendor's documented wrapper script runs with its two import lines changed, nothing else."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from kada_athena_async.sandbox import Sandbox
from tests.acceptance.conftest import in_sight
from tests.kit.command import run_command
from tests.kit.small_estate import tiny_estate

THEIRS = (
    "from kada_collectors.extractors.utils "
    "import load_config, get_hwm, publish_hwm, get_generic_logger\n",
    "from kada_collectors.extractors.athena import Extractor\n",
)
OURS = (
    "from kada_athena_async.sync import load_config, get_hwm, publish_hwm, get_generic_logger\n",
    "from kada_athena_async.sync import Extractor\n",
)


def run(
    script: Path, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return run_command(arguments, cwd=script.parent, env=environment, script=script)


def write_script(tmp_path: Path) -> Path:
    text = (Path(__file__).parent / "vendor_wrapper.txt").read_text()
    for theirs, ours in zip(THEIRS, OURS, strict=True):
        assert text.count(theirs) == 1
        text = text.replace(theirs, ours)

    script = tmp_path / "kada_athena_extractor.py"
    script.write_text(text)
    return script


def test_the_wrapper_runs_twice(
    tmp_path: Path, environment: dict[str, str], configure: Callable[..., Path]
) -> None:
    """It extracts, publishes its own mark, says so in its log, and goes on from there."""
    configure()
    script = write_script(tmp_path)

    first = run(script, environment)
    mark = (tmp_path / "athena_hwm.txt").read_text()
    second = run(script, environment)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "INFO kada_athena_async: committed after" in first.stderr
    assert f"{mark.strip()} to " in second.stderr
    assert len([n for n in in_sight(tmp_path / "output") if "_manifest_" in n]) == 2
    assert not (tmp_path / "athena_state.json").exists()


def test_its_mark_stays_where_nothing_was_committed(
    tmp_path: Path,
    environment: dict[str, str],
    configure: Callable[..., Path],
    sandbox: Sandbox,
) -> None:
    """A run that fails ends the script before it publishes the mark."""
    configure(secret="x" * 40)

    done = run(write_script(tmp_path), environment)

    assert done.returncode == 1
    assert "CredentialsError" in done.stderr
    assert not (tmp_path / "athena_hwm.txt").exists()
    assert sandbox.secret_access_key not in done.stderr


def told(output: Path, name: str) -> Counter[str]:
    """Count of each execution in the packages of *name*."""
    ids: Counter[str] = Counter()
    for path in sorted(output.glob(f"{name}_manifest_*.json")):
        for file in json.loads(path.read_text())["files"]:
            if file["kind"] == "databaselog":
                with gzip.open(output / file["name"], "rt", newline="", encoding="utf-8") as text:
                    ids.update(row["query_id"] for row in csv.DictReader(text))

    return ids


def test_d1_two_instances_of_two_accounts_share_an_output_path(
    tmp_path: Path,
    environment: dict[str, str],
    configure: Callable[..., Path],
    sandbox: Sandbox,
) -> None:
    """``-n a`` and ``-n b``, one directory: each publishes its own account's history, whole."""
    now = datetime.now(timezone.utc)
    estate = tiny_estate(now)
    estate.account_id = "210987654321"
    site = sandbox.add_account(estate.account_id, sandbox.region, estate, policy="admin")
    configure(role=site.role_arn, bucket=f"s3://{site.results_bucket}/k", metadata_source="api")
    (tmp_path / "kada_athena_extractor_config.json").rename(tmp_path / "b.json")
    configure(metadata_source="api")
    (tmp_path / "kada_athena_extractor_config.json").rename(tmp_path / "a.json")
    script = write_script(tmp_path)

    for name in ("a", "b", "a", "b"):
        done = run(script, environment, "-c", str(tmp_path / f"{name}.json"), "-n", name)
        assert done.returncode == 0, done.stderr

    for name in ("a", "b"):
        assert (tmp_path / f"{name}_hwm.txt").exists()
        assert len(list((tmp_path / "output").glob(f"{name}_manifest_*.json"))) == 2

    end = now - timedelta(minutes=2)
    final = {i for i, e in estate.executions.items() if e.is_final and e.completed_at}
    settled = {i for i in final if estate.executions[i].completed_at < end}
    assert settled <= set(told(tmp_path / "output", "b")) <= set(estate.executions)
    assert set(told(tmp_path / "output", "b").values()) == {1}
    assert set(told(tmp_path / "output", "a").values()) == {1}
    assert not told(tmp_path / "output", "a").keys() & told(tmp_path / "output", "b").keys()


def test_a_night_that_died_before_its_mark_and_was_repeated_is_told_once(
    tmp_path: Path, environment: dict[str, str], configure: Callable[..., Path]
) -> None:
    """Committed, dead before ``publish_hwm``, repeated twice: every execution once."""
    configure(metadata_source="api")
    script = write_script(tmp_path)
    first = run(script, environment, "-n", "nightly")
    (tmp_path / "nightly_hwm.txt").unlink()
    second = run(script, environment, "-n", "nightly")
    mark = (tmp_path / "nightly_hwm.txt").read_text()
    third = run(script, environment, "-n", "nightly")

    assert [done.returncode for done in (first, second, third)] == [0, 0, 0], third.stderr
    assert (tmp_path / "nightly_hwm.txt").read_text() >= mark
    assert set(told(tmp_path / "output", "nightly").values()) == {1}


def test_statements_that_are_overwritten_stay_so_whatever_the_instance_is_called(
    tmp_path: Path, environment: dict[str, str], configure: Callable[..., Path]
) -> None:
    """list_sql, get_sql and overwrite_sql before the run of ``-n other``: the package says so."""
    configure()
    script = write_script(tmp_path)
    text = script.read_text()
    changed = (
        "ext.test_connection()\n"
        "for name in ext.list_sql():\n"
        "    ext.overwrite_sql(name, ext.get_sql(name) + '\\n-- ours')\n"
        "assert ext.get_sql('TABLES_SQL').endswith('-- ours')\n"
    )
    assert text.count("ext.test_connection()\n") == 1
    script.write_text(text.replace("ext.test_connection()\n", changed))

    done = run(script, environment, "-n", "other")

    assert done.returncode == 0, done.stderr
    (manifest,) = (tmp_path / "output").glob("other_manifest_*.json")
    assert len(json.loads(manifest.read_text())["statements_digest"]) == 64
