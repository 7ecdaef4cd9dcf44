"""The SDK's model files, read once a process.

Each extractor reads them anew, 60 ms of computing, and gives them back when it is done. Thousands
of tests run extractors one after another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import IO

from botocore.loaders import Loader

from kada_athena_async.aws import sdk_models

_SHIPPED = Path(Loader.BUILTIN_DATA_PATH)
_FILES = sdk_models._ModelFiles()


def keep_models() -> None:
    """From now on keep what was read of the models that the SDK brings along."""
    read = sdk_models._ModelFiles._load_file
    read_once = lru_cache(maxsize=None)(read)

    def load(
        self: sdk_models._ModelFiles, full_path: str, open_method: Callable[..., IO[bytes]]
    ) -> object:
        if _SHIPPED in Path(full_path).parents:
            return read_once(_FILES, full_path, open_method)

        return read(self, full_path, open_method)

    sdk_models._ModelFiles._load_file = load  # type: ignore[method-assign]


def preload_models() -> None:
    """Keep the models that almost every run needs, for the processes that are forked from here."""
    keep_models()
    loader = sdk_models._Models(
        file_loader=_FILES,
        extra_search_paths=[Loader.BUILTIN_DATA_PATH],
        include_default_search_paths=False,
    )
    for service in ("athena", "glue", "s3", "sts"):
        for kind in ("service-2", "endpoint-rule-set-1"):
            loader.load_service_model(service, kind, api_version=None)

    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        loader.load_data(name)
