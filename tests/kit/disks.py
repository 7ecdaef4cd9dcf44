"""Small file systems, for what happens when they are full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Mount = Callable[..., Path]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Mount]:
    """A function that mounts a file system of a given size at a directory."""
    mounted: list[Path] = []

    def mount(name: str, **options: object) -> Path:
        place = tmp_path / name
        place.mkdir(exist_ok=True)
        words = ",".join(
            key if value is True else f"{key}={value}" for key, value in options.items()
        )
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", words, "none", place], check=False)
        if done.returncode:
            pytest.skip("mounting a file system needs the right to")

        mounted.append(place)
        return place

    yield mount
    for place in reversed(mounted):
        subprocess.run(["umount", "-l", place], check=True)


def fill(place: Path) -> None:
    """Take every byte that is left."""
    filler = os.open(place / "filler", os.O_WRONLY | os.O_CREAT)
    try:
        while free := os.statvfs(place).f_bavail:
            os.write(filler, b"x" * free * 4096)
    finally:
        os.close(filler)
