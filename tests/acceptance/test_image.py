"""The steps of the Dockerfile, run without an engine of containers, and what they make."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kada_athena_async.sandbox import Sandbox
from tests.acceptance.conftest import ROOT

DOCKERFILE = ROOT / "docs" / "operation" / "Dockerfile"

# A root of its own: of the machine it has the libraries, and Python in place of the base image.
ROOT_OF_ITS_OWN = r"""
set -e
new=$(mktemp -d)
mount -t tmpfs tmpfs "$new"
mkdir -p "$new$PYTHON_HOME" "$new"/usr "$new"/etc "$new"/opt "$new"/proc "$new"/dev "$new"/tmp \
    "$new"/src "$new"/venv "$new"/data
for name in bin lib lib64; do
    [ -L "/$name" ] && cp -P "/$name" "$new/$name"
done
for name in usr etc opt; do
    mount --bind "/$name" "$new/$name"
    mount -o remount,ro,bind "$new/$name"
done
mount --bind "$PYTHON_HOME" "$new$PYTHON_HOME"
mount -o remount,ro,bind "$new$PYTHON_HOME"
mount --bind /dev "$new/dev"
mount -t proc proc "$new/proc"
mount -t tmpfs tmpfs "$new/tmp"
mount --bind "$SOURCE" "$new/src"
printf '%s\n' "$STEPS" > "$new/tmp/steps"
PATH="$PYTHON_HOME/bin:$PATH" HOME=/tmp chroot "$new" /bin/sh -e /tmp/steps >&2
umount "$new/src"
umount "$new/tmp"
mount -t tmpfs -o mode=1777 tmpfs "$new/tmp"
mount -o remount,ro "$new"
PATH="/venv/bin:$PATH" HOME=/tmp PYTHONDONTWRITEBYTECODE=1 \
    chroot --userspec="$IMAGE_USER" "$new" /bin/sh -c "cd /tmp && $COMMAND"
"""

COMMAND = (
    "! touch /venv/x 2>/dev/null && ! touch /data/x 2>/dev/null && ! touch /x 2>/dev/null && "
    "kada-athena-async run -q --json && ls -A / /tmp /tmp/out && id -u"
)


def may_mount() -> bool:
    """True if this user may make mounts and change the root, as tests of this kind need."""
    try:
        command = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt && chroot / true"]
        done = subprocess.run(command, env=environment(), capture_output=True, check=False)
        return done.returncode == 0
    except OSError:
        return False


def environment() -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not may_mount(), reason="may not mount here")
def test_the_image_runs_with_nothing_writable_but_tmp(tmp_path: Path) -> None:
    """Its steps install into an empty root; there its user commits a run below /tmp."""
    text = DOCKERFILE.read_text()
    steps = re.findall(r"^RUN (.+)$", text, flags=re.MULTILINE)
    (user,) = re.findall(r"^USER (\d+:\d+)$", text, flags=re.MULTILINE)
    source = tmp_path / "src"
    source.mkdir()
    names = ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", "kada_athena_async")
    subprocess.run(["cp", "-r", *(str(ROOT / name) for name in names), str(source)], check=True)
    with Sandbox(scale=0.05) as sandbox:
        fields = sandbox.config(Path("/tmp/out"), workgroups=["primary"])
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", ROOT_OF_ITS_OWN],
            cwd="/",
            env={
                **environment(),
                "PYTHON_HOME": sys.base_prefix,
                "SOURCE": str(source),
                "STEPS": "\n".join(re.sub(r"^python ", "python3 ", step) for step in steps),
                "IMAGE_USER": user,
                "COMMAND": COMMAND,
                **{f"KADA_ATHENA_{name.upper()}": text for name, text in texts.items()},
                **{k: v for k, v in os.environ.items() if k.startswith("PIP_")},
            },
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stderr[-4000:]
    *_, uid = done.stdout.split()
    assert uid == user.partition(":")[0]
    assert "athena_hwm.txt" in done.stdout
    assert re.search(r"^athena_manifest_\w+\.json$", done.stdout, flags=re.MULTILINE)
