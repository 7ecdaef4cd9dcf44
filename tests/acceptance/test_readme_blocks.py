"""The README's first commands work as they stand there, one after the other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.kit.estates import few_schemas

ROOT = Path(__file__).parents[2]


def first_commands() -> str:
    """The block of *Run it on AWS*, but for the virtual environment of the reader."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Run it on AWS")[2]
    (block,) = re.findall(r"```bash\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    first, rest = block.split("\n", 1)
    assert first.startswith(". .venv/bin/activate")
    return str(rest)


def test_the_way_from_nothing_to_the_first_run(tmp_path: Path) -> None:
    """Each command succeeds with what the one before it left; only AWS is another."""
    program = tmp_path / "bin" / "kada-athena-async"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m kada_athena_async "$@"\n')
    program.chmod(0o755)
    with few_schemas(scale=0.05) as sandbox:
        config = sandbox.config(tmp_path / "extracts")
        done = subprocess.run(
            ["bash", "-euxc", first_commands()],
            cwd=tmp_path,
            env={
                "PATH": f"{program.parent}:{os.environ['PATH']}",
                "HOME": str(tmp_path),
                "PYTHONPATH": str(ROOT),
                "AWS_EC2_METADATA_DISABLED": "true",
                "KADA_ATHENA_KEY": str(config["key"]),
                "KADA_ATHENA_SECRET": str(config["secret"]),
                "KADA_ATHENA_BUCKET": str(config["bucket"]),
                "KADA_ATHENA_REGION": str(config["region"]),
                "KADA_ATHENA_ENDPOINT_URL": sandbox.endpoint_url,
            },
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert "committed after" in done.stderr
    template = yaml.safe_load((tmp_path / "kada-policy.yaml").read_text())
    (resource,) = template["Resources"].values()
    assert resource["Properties"]["PolicyDocument"]["Statement"]
