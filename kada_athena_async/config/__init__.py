"""The configuration: its fields, its rules, and the places it is read from."""

from __future__ import annotations

from kada_athena_async.config.config_file import DEFAULT_FILE, Source, config_path, read_source
from kada_athena_async.config.endpoint import check_aws_endpoint_files, check_endpoint, shown_url
from kada_athena_async.config.fields import ConfigFields
from kada_athena_async.config.load import config_warnings, known_secrets
from kada_athena_async.config.model import SECRET_FIELDS, Config, config_digest, references_of
from kada_athena_async.config.problems import check_name, make_config
from kada_athena_async.config.schema import config_schema
from kada_athena_async.config.secrets import SecretReference
from kada_athena_async.config.sites import Site, load_config, load_sites, select_sites

__all__ = [
    "DEFAULT_FILE",
    "SECRET_FIELDS",
    "Config",
    "ConfigFields",
    "SecretReference",
    "Site",
    "Source",
    "check_aws_endpoint_files",
    "check_endpoint",
    "check_name",
    "config_digest",
    "config_path",
    "config_schema",
    "config_warnings",
    "known_secrets",
    "load_config",
    "load_sites",
    "make_config",
    "read_source",
    "references_of",
    "select_sites",
    "shown_url",
]
