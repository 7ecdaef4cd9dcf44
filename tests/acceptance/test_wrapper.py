"""The vendor's documented wrapper script runs with its two import lines changed, nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from kada_athena_async.sandbox import Sandbox
from tests.acceptance.conftest import in_sight

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
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=script.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


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
