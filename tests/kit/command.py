"""The command line as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def command(
    arguments: list[str],
    config: Mapping[str, Any],
    directory: Path,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Exit code of a command under *config*, and all its output on one line.

    Args:
        environment: Added to that of the test.
    """
    (directory / "config.json").write_text(json.dumps(config))
    done = subprocess.run(
        [sys.executable, "-m", "kada_athena_async", *arguments, "-c", "config.json"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())
