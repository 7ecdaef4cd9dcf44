"""The configuration file: found, read and parsed by its suffix; values are not checked here."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from kada_athena_async.errors import ConfigError, Problem

ENVIRONMENT_PREFIX = "KADA_ATHENA_"

DEFAULT_FILE = "kada_athena_extractor_config.json"
"""Looked for in the working directory; the vendor's name."""

# A configuration has 35 short values; what is larger is another file.
_MAX_FILE_BYTES = 1_000_000

_AN_OBJECT = 'write an object: {"server": "athena", ...}'

_NO_COMMENT = "leave out the comment, or write YAML or TOML, which have some"

_JSON = "check quotes, commas and brackets there"

# What the parser says -> what to do instead; its words for it have changed before.
_JSON_REMEDIES = {
    "Expecting ',' delimiter": "a comma or the closing bracket is missing there",
    "Expecting property name enclosed in double quotes": "a name in double quotes belongs there; "
    "leave out the comma behind the last field",
    "Illegal trailing comma before end of object": "leave out the comma behind the last field",
    "Illegal trailing comma before end of array": "leave out the comma behind the last item",
    "Invalid \\escape": "write / or \\\\ for a backslash",
    "Extra data": "leave out what follows; one file holds one object",
    "Invalid control character at": "a text ends on its own line; write \\\\n or close the quotes",
    "Expecting value": "a value is missing there: a text in double quotes, a number, true, false, "
    "null, a list or an object",
}

_YAML_SUFFIXES = (".yaml", ".yml")
_TOML_SUFFIX = ".toml"

# Python's own words would quote it, or name a function of Python.
UNREADABLE_NUMBER = "holds a number that cannot be read; this is no configuration"

Source: TypeAlias = Mapping[str, object] | Path | str
"""A configuration's file, or what would stand in it."""


def config_path(given: Path | None, *, environment: Mapping[str, str] | None = None) -> Path | None:
    """The file to read: *given*, else the default one, else none if the environment says all.

    Args:
        environment: Variables; None for those of this process.
    """
    if given is not None:
        return given

    default = Path(DEFAULT_FILE)
    variables = os.environ if environment is None else environment
    says_something = any(name.startswith(ENVIRONMENT_PREFIX) for name in variables)
    return default if default.exists() or not says_something else None


def read_source(source: Source) -> dict[str, object]:
    """The keys and values of a configuration file, or a copy of *source*; nothing is checked yet.

    The key ``$schema``, by which editors find the JSON Schema, is left out.

    Args:
        source: A file is YAML if its name ends in ``.yaml`` or ``.yml``, TOML if it ends in
            ``.toml``, else JSON.

    Raises:
        ConfigError: The file cannot be read.
    """
    if isinstance(source, Mapping):
        return {key: value for key, value in source.items() if key != "$schema"}

    values, problems = _read(source)
    if problems:
        raise ConfigError(problems, source=f"configuration file {str(source)!a}")

    values.pop("$schema", None)
    return values


def is_readable_by_others(path: Path) -> bool:
    """True if other users of this machine can read the file."""
    # Windows answers with made-up bits; its access lists are not read here.
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _read(path: Path | str) -> tuple[dict[str, object], list[Problem]]:
    shown = ascii(str(path))
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return {}, [Problem("config", shown, "no such file; write one or name another")]
    except IsADirectoryError:
        example = ascii(str(Path(path) / DEFAULT_FILE))
        remedy = f"cannot be read: is a directory; name the file in it, such as {example}"
        return {}, [Problem("config", shown, remedy)]
    except OSError as error:
        remedy = f"cannot be read: {error.strerror or type(error).__name__}; name another file"
        return {}, [Problem("config", shown, remedy)]

    if len(data) > _MAX_FILE_BYTES:
        return {}, [Problem("config", shown, "larger than 1 MB; this is no configuration")]

    if not data.strip():
        return {}, [Problem("config", shown, f"is empty; {_AN_OBJECT}")]

    try:
        values, twice = _parse(data.decode("utf-8-sig"), Path(path).suffix.lower())
    except UnicodeDecodeError as error:
        remedy = f"not UTF-8 at byte {error.start}; save it as UTF-8"
        return {}, [Problem("config", shown, remedy)]
    except RecursionError:
        return {}, [Problem("config", shown, "nested too deeply; this is no configuration")]
    except ValueError as error:
        return {}, [Problem("config", shown, str(error))]

    if not isinstance(values, dict):
        return {}, [Problem("config", shown, _AN_OBJECT)]

    problems = [
        Problem(key if key.isidentifier() else ascii(key), "(twice)", "keep one of the two")
        for key in twice
    ]
    return {str(key): value for key, value in values.items()}, problems


def _parse(text: str, suffix: str) -> tuple[object, list[str]]:
    """The values in *text*, and the keys that stand twice in it.

    Raises:
        ValueError: It is not what its suffix says; the text quotes no value of the file.
    """
    if suffix in _YAML_SUFFIXES:
        # Loaded here: most files are JSON, and the library takes a tenth of what a command takes.
        from kada_athena_async.config.yaml_file import parse_yaml  # noqa: PLC0415

        return parse_yaml(text)

    if suffix == _TOML_SUFFIX:
        return _parse_toml(text), []

    twice: list[str] = []

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        keys = [key for key, _ in pairs]
        twice.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once), twice
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        is_comment = text.startswith(("//", "/*", "#"), error.pos)
        remedy = _NO_COMMENT if is_comment else _JSON_REMEDIES.get(error.msg, _JSON)
        raise ValueError(f"not JSON at {place}: {remedy}") from None
    except ValueError:
        raise ValueError(UNREADABLE_NUMBER) from None


def _parse_toml(text: str) -> dict[str, object]:
    # Most files are JSON.
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415
    else:
        import tomli as tomllib  # noqa: PLC0415

    try:
        values: dict[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # "(at line 3, column 7)": the words before it may quote the file.
        _, found, place = str(error).rpartition("(at ")
        where = f" at {place.rstrip(')')}" if found else ""
        raise ValueError(f"not TOML{where}; texts stand in quotes, each key once") from None
    except ValueError:
        raise ValueError(UNREADABLE_NUMBER) from None

    return values
