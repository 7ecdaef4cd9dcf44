"""The files of docs/operation do what the guide says, without an engine of containers."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kada_athena_async.config import load_config
from tests.acceptance.conftest import ROOT
from tests.kit.estates import few_schemas

FILES = ROOT / "docs" / "operation"

# A root file system that is read-only but for /tmp, in a mount namespace of its own.
READ_ONLY = (
    "mount --bind / / && mount -o remount,ro,bind / && mount -t tmpfs tmpfs /tmp && "
    "cd /tmp && ! touch /root/x 2>/dev/null && {}"
)


def in_read_only_root(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", READ_ONLY.format(command)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/tmp"},
        capture_output=True,
        text=True,
        check=False,
    )


def can_mount() -> bool:
    try:
        return in_read_only_root("true").returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(str(ROOT).startswith("/tmp") or not can_mount(), reason="may not mount here")
def test_a_run_writes_nowhere_but_below_its_directory_and_tmp() -> None:
    """With a read-only root and an empty /tmp it commits."""
    words = [sys.executable, "-B", "-m", "kada_athena_async", "run", "--sandbox", "--set"]
    done = in_read_only_root(shlex.join([*words, "workgroups=primary"]) + "; ls kada-sandbox")

    assert "committed after" in done.stderr
    assert "athena_hwm.txt" in done.stdout


def test_the_lambda_handler_extracts(tmp_path: Path) -> None:
    """Configured by variables alone, it answers with what it committed."""
    code = "import json, lambda_handler; print(json.dumps(lambda_handler.handler({}, None)))"
    with few_schemas(scale=0.05) as sandbox:
        fields = sandbox.config(
            tmp_path / "out",
            metadata_source="api",
            workgroups=["primary"],
            hwm_store=f"file://{tmp_path}",
        )
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join([str(FILES), str(ROOT)]),
                **{f"KADA_ATHENA_{name.upper()}": text for name, text in texts.items()},
            },
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["committed"]
    assert answer["rows"]["metadata_tables"] > 1


def test_the_ecs_task_is_a_whole_configuration() -> None:
    """Its variables are fields, with values that fit each other; its root is read-only."""
    (container,) = json.loads((FILES / "ecs-task.json").read_text())["containerDefinitions"]

    config = load_config(
        None, environment={v["name"]: v["value"] for v in container["environment"]}
    )

    assert container["readonlyRootFilesystem"] is True
    assert config.landing is not None
    assert config.hwm_store is not None


def test_the_image_is_not_root_and_starts_the_command() -> None:
    """The user is a number other than 0; the extra that is installed and the command exist."""
    text = (FILES / "Dockerfile").read_text()
    project = (ROOT / "pyproject.toml").read_text()
    (user,) = re.findall(r"^USER (\d+):\d+$", text, flags=re.MULTILINE)
    (extra,) = re.findall(r'pip install .*"/src\[(\w+)\]"', text)
    (command,) = re.findall(r'^ENTRYPOINT \["([\w-]+)"\]$', text, flags=re.MULTILINE)

    assert int(user) > 0
    assert f"\n{extra} = [" in project
    assert f'\n{command} = "kada_athena_async' in project


def test_the_timer_starts_the_service_that_is_there() -> None:
    """Both have one name, and the service may write where it works and logs."""
    service = (FILES / "kada-athena.service").read_text()
    (place,) = re.findall(r"^ReadWritePaths=(.+)$", service, flags=re.MULTILINE)

    assert (FILES / "kada-athena.timer").exists()
    assert f"\nWorkingDirectory={place}\n" in service
    assert f"--log-file {place}/" in service
