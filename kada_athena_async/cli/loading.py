"""Loads the modules that the first call of a run needs, and no more."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kada_athena_async.errors import ConfigError

_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 64 * 1024

_read_certificates = ssl.SSLContext.set_default_verify_paths


def load_at_least() -> None:
    """Load aiohttp and the configuration without the work that a run has no use for."""
    with certificates_read_late():
        import aiohttp  # noqa: F401

    with _no_plugins():
        import kada_athena_async.config  # noqa: F401


def keep_gaps_small() -> None:
    """Have the C library map large buffers by themselves: between them gaps of 5 MB would stay.

    Its own threshold rises to the largest buffer that was ever freed. Of this process only, and
    only where there is glibc.
    """
    with suppress(ImportError, OSError, AttributeError, TypeError):
        import ctypes

        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def beside(load: Callable[[], object]) -> None:
    """Call *load* in a thread beside the imports; a failure is left to the code that needs it."""

    def try_to() -> None:
        with suppress(ImportError, ConfigError):
            load()

    threading.Thread(target=try_to, daemon=True).start()


@contextmanager
def certificates_read_late() -> Iterator[None]:
    """Within the block, a new context reads the machine's certificates when it is first used.

    aiohttp makes two when it is imported: 40 ms in which nothing else runs. A run's calls go by a
    context of their own; a client that takes aiohttp's, as Azure's does, finds it filled.
    """
    ssl.SSLContext.set_default_verify_paths = _postpone  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        del ssl.SSLContext.set_default_verify_paths


def _postpone(context: ssl.SSLContext) -> None:
    context.__class__ = _LateContext


class _LateContext(ssl.SSLContext):
    """A context whose certificates are still to be read."""

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        return _filled(self).wrap_bio(*args, **options)

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        return _filled(self).wrap_socket(*args, **options)


def _filled(context: ssl.SSLContext) -> ssl.SSLContext:
    _read_certificates(context)
    context.__class__ = ssl.SSLContext
    return context


@contextmanager
def _no_plugins() -> Iterator[None]:
    """Within the block, pydantic searches nothing that is installed for plugins: 5 ms."""
    name = "PYDANTIC_DISABLE_PLUGINS"
    before = os.environ.get(name)
    os.environ[name] = "__all__"
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before
