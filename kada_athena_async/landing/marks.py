"""Chooses where the high-water mark is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kada_athena_async.config.landing import LocalPlace, Place
from kada_athena_async.files import in_thread
from kada_athena_async.hwm import FileHwmStore
from kada_athena_async.hwm.object_store import ObjectHwmStore
from kada_athena_async.landing import Surroundings, open_landing


@asynccontextmanager
async def open_hwm_store(
    place: Place, name: str, around: Surroundings
) -> AsyncIterator[FileHwmStore | ObjectHwmStore]:
    """The store of the marks of *name* at *place*; closes its connections in any case.

    Raises:
        ConfigError: The region is not AWS's, or an extra package is not installed.
        CredentialsError: There are no credentials.
    """
    if isinstance(place, LocalPlace):
        path = place.path / f"{name}_hwm.txt"
        yield await in_thread(lambda: FileHwmStore(path, around.files))
        return

    async with open_landing(place, around) as cells:
        yield ObjectHwmStore(cells, name)
