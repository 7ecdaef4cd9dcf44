"""The peers' own environment, and how a peer is run in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ("PyAthena[SQLAlchemy]==4.2.1", "awswrangler==3.17.1")
"""Both bring their own boto3, newer than the one that aioboto3 allows us."""

_STAMP = ".requirements"


def default_place() -> Path:
    """Place of the environment between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kada_athena_async_benchmarks" / "peers"


def make_environment(place: Path) -> Path:
    """Install the peers into a virtual environment at *place*; returns its interpreter."""
    python = place / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    stamp = place / _STAMP
    wanted = "\n".join(REQUIREMENTS)
    if stamp.exists() and stamp.read_text() == wanted:
        return python

    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS],
        check=True,
        stdout=sys.stderr,
    )
    stamp.write_text(wanted)
    return python


def aws_environment(url: str) -> dict[str, str]:
    """An environment in which the SDKs speak to the stand-in and to nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "AKIDBENCHMARK",
        "AWS_SECRET_ACCESS_KEY": "invented",
        "AWS_DEFAULT_REGION": "ap-southeast-2",
        "AWS_REGION": "ap-southeast-2",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PYTHONWARNINGS": "ignore",
    }


def run_module(
    python: Path | str,
    module: str,
    url: str,
    *,
    arguments: Sequence[str] = (),
    extra: Mapping[str, str] | None = None,
    timeout_s: float = 7200.0,
) -> dict[str, object]:
    """Report of the script *module*, run against the stand-in at *url*.

    Raises:
        subprocess.CalledProcessError: It failed; what it said has gone to stderr.
    """
    done = subprocess.run(
        [str(python), "-m", module, *arguments],
        cwd=ROOT,
        env={**aws_environment(url), **(extra or {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=timeout_s,
    )
    document = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(document, dict)
    return document
