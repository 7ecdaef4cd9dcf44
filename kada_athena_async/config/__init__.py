"""The configuration: its fields, its rules, and the places it is read from."""

from __future__ import annotations

from kada_athena_async.config.endpoint import check_endpoint
from kada_athena_async.config.load import config_warnings, load_config
from kada_athena_async.config.model import Config, config_digest
from kada_athena_async.config.problems import make_config

__all__ = [
    "Config",
    "check_endpoint",
    "config_digest",
    "config_warnings",
    "load_config",
    "make_config",
]
