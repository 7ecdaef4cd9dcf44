"""Of what kind the file system of a path is."""

from __future__ import annotations

from pathlib import Path

import pytest

from kada_athena_async.files.mounts import find_mount, is_remote, kind_of_mount

# Lines of proc(5): a mount point with a blank, one mount over another, a bind mount, junk.
TABLE = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:40 / /mnt/share\\040one rw - nfs4 server:/x rw
31 22 0:41 / /mnt rw,nosuid shared:2 master:1 - xfs /dev/sdb1 rw
32 31 0:42 / /mnt/keys rw - ext4 /dev/sdc1 rw
33 32 0:43 / /mnt/keys rw - fuse.gocryptfs secret rw
junk
34 22 - tmpfs
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/mntx/out", "ext4"),
        ("/mnt/out", "xfs"),
        ("/mnt/share one/out/deep", "nfs4"),
        ("/mnt/share", "xfs"),
        ("/mnt/keys", "fuse.gocryptfs"),
    ],
)
def test_the_deepest_mount_that_is_not_hidden_counts(path: str, kind: str) -> None:
    """A path belongs to the last mount on the longest mount point above it."""
    assert find_mount(TABLE, Path(path)) == kind


def test_nobody_knows_without_a_table() -> None:
    """An empty table tells nothing, and that is no network."""
    assert find_mount("", Path("/")) == ""
    assert not is_remote("")


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="only Linux tells")
def test_this_machine_tells() -> None:
    """The kernel's own table is read."""
    assert kind_of_mount(Path("/proc/self")) == "proc"
    assert not is_remote(kind_of_mount(Path("/proc")))
