"""The configuration from its three places: the JSON file, the environment, the command line."""

from __future__ import annotations

import json
import os
import re
import stat
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

from kada_athena_async.codes import WarningCode
from kada_athena_async.config.endpoint import check_aws_endpoint_variables
from kada_athena_async.config.landing import place_secrets
from kada_athena_async.config.model import Config
from kada_athena_async.config.problems import (
    find_problems,
    make_config,
    shown_value,
    unknown_key,
)
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.events import Warned

ENVIRONMENT_PREFIX = "KADA_ATHENA_"

DEFAULT_FILE = "kada_athena_extractor_config.json"
"""Looked for in the working directory; the vendor's name."""

# What the SDK reads by itself and what must therefore not show either.
_SECRET_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

# A configuration has 35 short values; what is larger is another file.
_MAX_FILE_BYTES = 1_000_000

Source: TypeAlias = Mapping[str, object] | Path | str
"""A configuration's JSON file, or what would stand in it."""

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")


def load_config(
    path: Source | None,
    *,
    environment: Mapping[str, str] = os.environ,
    overrides: Mapping[str, object] | None = None,
) -> Config:
    """The configuration of *path*, under the environment, under *overrides*.

    Args:
        path: The JSON file, or its fields; None if environment and overrides say all.
        environment: Variables; ``KADA_ATHENA_<FIELD>`` wins over the file.
        overrides: Field -> value or its text; wins over both. None means not given.

    Raises:
        ConfigError: With all problems at once, or because there are several ``sites``.
    """
    layers = read_layers(path, environment, overrides)
    values = {**layers.top, **layers.command}
    if "sites" in values:
        remedy = "it takes one: choose it with --site NAME, or read them all with load_sites"
        raise ConfigError([Problem("sites", "(several sites)", remedy)])

    problems = [
        *layers.problems,
        *find_problems(values),
        *check_aws_endpoint_variables(environment),
    ]
    if problems:
        raise ConfigError(problems)

    return make_config(values)


class Layers(NamedTuple):
    """Field -> value, by the place it comes from.

    Attributes:
        top: The file's, under the environment's.
        command: Those given on the command line or in a call, which win over all others.
        problems: Keys that are no field, and texts that are no value; neither is in the others.
    """

    top: dict[str, object]
    command: dict[str, object]
    problems: list[Problem]


def read_source(source: Source) -> dict[str, object]:
    """The keys and values of a configuration file, or a copy of *source*; nothing is judged yet.

    Raises:
        ConfigError: The file cannot be read.
    """
    if isinstance(source, Mapping):
        return dict(source)

    values, problems = _read(source)
    if problems:
        raise ConfigError(problems, source=f"configuration file {str(source)!a}")

    return values


def read_layers(
    path: Source | None,
    environment: Mapping[str, str],
    overrides: Mapping[str, object] | None,
) -> Layers:
    """What file, environment and command line say, before anything is judged.

    Raises:
        ConfigError: The file cannot be read.
    """
    values = read_source(path) if path is not None else {}
    problems: list[Problem] = []

    # A text that cannot be read is reported here, so what it would have replaced is judged
    # instead; otherwise one mistake would be reported twice.
    command: dict[str, object] = {}
    for layer, given in (
        (values, _from_environment(environment)),
        (command, _given(overrides or {})),
    ):
        for key, field, value in given:
            if field not in Config.model_fields and field != "sites":
                problems.append(unknown_key(key, spelt=_variable if key != field else str))
                continue

            try:
                layer[field] = parse_text(field, value) if isinstance(value, str) else value
            except ValueError as error:
                shown = "(hidden)" if field == "sites" else shown_value(field, value)
                problems.append(Problem(key, shown, str(error)))

    return Layers(values, command, problems)


def config_path(given: Path | None, *, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file to read: *given*, else the default one, else none if the environment says all."""
    if given is not None:
        return given

    default = Path(DEFAULT_FILE)
    says_something = any(name.startswith(ENVIRONMENT_PREFIX) for name in environment)
    return default if default.exists() or not says_something else None


def known_secrets(
    config: Config | None, *, environment: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """Every secret value that we were given, for whoever has to keep them out of sight."""
    variables = [environment.get(name, "") for name in _SECRET_VARIABLES]
    variables += [
        environment.get(ENVIRONMENT_PREFIX + name.upper(), "") for name in ("key", "secret")
    ]
    fields = [config.key, config.secret] if config else []
    places = [config.landing, config.hwm_store] if config else []
    found = [
        *variables,
        *(field.get_secret_value() for field in fields),
        *(secret for place in places for secret in place_secrets(place)),
    ]
    return tuple(sorted({secret for secret in found if secret}))


def config_warnings(path: Path | str | None, config: Config) -> list[Warned]:
    """What is allowed but unwise: shown by the doors at the start of a run."""
    warnings = []
    if path is not None and _holds_secret(Path(path)) and _is_readable_by_others(Path(path)):
        warnings.append(
            Warned(
                code=WarningCode.READABLE_SECRET,
                message=f"{path} holds a secret and others on this machine can read it",
                hint=f"chmod 600 {path}, or use a profile or role instead of a secret",
            )
        )

    if config.key.get_secret_value().startswith("ASIA"):
        warnings.append(
            Warned(
                code=WarningCode.TEMPORARY_KEY,
                message="key is a temporary one, which AWS refuses without its session token",
                hint="leave key and secret empty and export AWS_ACCESS_KEY_ID, "
                "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
            )
        )

    return warnings


def parse_text(field: str, text: str) -> object:
    """The value of *field* that *text* stands for.

    Lists are JSON or separated by commas; booleans true/false, yes/no, on/off, 1/0.

    Raises:
        ValueError: With the remedy.
    """
    kind = _kind(field)
    if kind == "text":
        return text

    if kind == "optional":
        return _object(text) if text.startswith("{") else text or None

    if kind == "sites":
        return _sites(text)

    if kind == "list":
        return _list(text)

    if kind == "bool":
        if text.strip().lower() in _TRUE + _FALSE:
            return text.strip().lower() in _TRUE

        raise ValueError("write true or false")

    try:
        return int(text) if kind == "int" else float(text)
    except ValueError:
        raise ValueError(f"write a {'whole ' if kind == 'int' else ''}number") from None


def _kind(field: str) -> str:
    """How the text of *field* is read, by the type of its model field."""
    if field == "sites":
        return "sites"

    annotation = Config.model_fields[field].annotation
    for kind in (bool, int, float):
        if annotation is kind:
            return kind.__name__

    if typing.get_origin(annotation) is tuple:
        return "list"

    return "optional" if type(None) in typing.get_args(annotation) else "text"


def _list(text: str) -> list[str]:
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]

    try:
        values = json.loads(text)
    except ValueError:
        raise ValueError('write a JSON list such as ["a", "b"], or a,b') from None

    return typing.cast("list[str]", values)


def _sites(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError('write a JSON list such as [{"name": "au", ...}]') from None


def _object(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError("write a JSON object or a URL") from None


def _read(path: Path | str) -> tuple[dict[str, object], list[Problem]]:
    shown = ascii(str(path))
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return {}, [Problem("config", shown, "no such file; write one or name it with --config")]
    except OSError as error:
        remedy = f"cannot be read: {error.strerror or type(error).__name__}"
        return {}, [Problem("config", shown, remedy)]

    if len(data) > _MAX_FILE_BYTES:
        return {}, [Problem("config", shown, "larger than 1 MB; this is no configuration")]

    return _parse(data, shown)


def _parse(data: bytes, shown: str) -> tuple[dict[str, object], list[Problem]]:
    twice: list[str] = []

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        keys = [key for key, _ in pairs]
        twice.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return dict(pairs)

    try:
        values = json.loads(data.decode("utf-8-sig"), object_pairs_hook=once)
    except UnicodeDecodeError as error:
        remedy = f"not UTF-8 at byte {error.start}; save it as UTF-8"
        return {}, [Problem("config", shown, remedy)]
    except json.JSONDecodeError as error:
        remedy = f"not JSON at line {error.lineno} column {error.colno}: {error.msg}"
        return {}, [Problem("config", shown, remedy)]
    except RecursionError:
        return {}, [Problem("config", shown, "nested too deeply; this is no configuration")]

    if not isinstance(values, dict):
        return {}, [Problem("config", shown, 'write an object: { "server": "athena", ... }')]

    return values, [Problem(ascii(key), "(twice)", "keep one of the two") for key in twice]


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, str, object]]:
    """Variable, field and text of each variable that is ours."""
    return [
        (name, name.removeprefix(ENVIRONMENT_PREFIX).lower(), text)
        for name, text in sorted(environment.items())
        if name.startswith(ENVIRONMENT_PREFIX)
    ]


def _given(overrides: Mapping[str, object]) -> list[tuple[str, str, object]]:
    return [(key, key, value) for key, value in overrides.items() if value is not None]


def _variable(field: str) -> str:
    return ENVIRONMENT_PREFIX + field.upper()


def _holds_secret(path: Path) -> bool:
    values, _ = _read(path)
    sites = values.get("sites")
    levels = [values, *(sites if isinstance(sites, list) else [])]
    return any(_has_secret(level) for level in levels if isinstance(level, dict))


def _has_secret(values: Mapping[str, object]) -> bool:
    texts = (json.dumps(values.get(name)) for name in ("landing", "hwm_store"))
    return bool(values.get("secret")) or any(re.search(r"sig=|secret", text) for text in texts)


def _is_readable_by_others(path: Path) -> bool:
    # Windows answers with made-up bits; its access lists are not read here.
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
