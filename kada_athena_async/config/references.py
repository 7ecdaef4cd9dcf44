"""The references of a configuration to secrets in AWS."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from kada_athena_async.config.model import PLACE_FIELDS, Config
from kada_athena_async.config.secrets import SecretReference


def references_of(config: Config) -> dict[str, SecretReference]:
    """Field -> reference, for the secrets that AWS holds; of a place ``landing.sas_token``."""
    return dict(_references(config))


def _references(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, SecretReference]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SecretReference):
            yield f"{prefix}{name}", value
        elif name in PLACE_FIELDS and isinstance(value, BaseModel):
            yield from _references(value, f"{name}.")
