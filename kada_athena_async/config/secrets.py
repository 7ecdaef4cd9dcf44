"""Secret fields: what may stand in them, and every secret value that has to be kept out of sight.

Instead of its value a secret field takes a reference, so that the file holds none:
``{"env": NAME}`` or ``{"file": PATH}``, read with the configuration.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BeforeValidator, SecretStr, WithJsonSchema

from kada_athena_async.errors import Problem

_KINDS = ("env", "file")

_FORMS = 'write the secret in quotes, or {"env": NAME}, or {"file": PATH}'

# Keys of Azure have 88 characters, SAS tokens some 300; a file of more is another file.
MAX_SECRET_BYTES = 65_536


def _secret(value: object) -> object:
    """The value of a secret field; references were replaced before.

    Raises:
        ValueError: With the remedy, which quotes nothing.
    """
    if isinstance(value, str | SecretStr):
        return value

    raise ValueError(_FORMS)


def _reference_schema() -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    return {
        "anyOf": [
            {"type": "string", "format": "password", "writeOnly": True},
            *(
                {
                    "type": "object",
                    "properties": {kind: text},
                    "required": [kind],
                    "additionalProperties": False,
                }
                for kind in _KINDS
            ),
        ]
    }


SecretField = Annotated[
    SecretStr, BeforeValidator(_secret), WithJsonSchema(_reference_schema(), mode="validation")
]
"""Type of every field that holds a secret; what is of this type is never shown."""


def resolve_references(
    values: Mapping[str, object], fields: frozenset[str], environment: Mapping[str, str]
) -> tuple[dict[str, object], list[Problem]]:
    """*values* with the references to variables and files replaced by what these hold.

    Args:
        fields: The names of secret fields, at any depth.

    Returns:
        The values, and a problem for each reference that leads nowhere, whose field is left out.
    """
    found: dict[str, object] = {}
    problems: list[Problem] = []
    for key, value in values.items():
        if key in fields and isinstance(value, Mapping) and _is_local(value):
            kind, name = next(iter(value.items()))
            try:
                found[key] = _read(str(kind), name, environment)
            except ValueError as error:
                problems.append(Problem(key, f'{{"{kind}": {name!a}}}', str(error)))
        elif isinstance(value, Mapping) and key not in fields:
            found[key], below = resolve_references(value, fields, environment)
            problems += [problem._replace(key=f"{key}.{problem.key}") for problem in below]
        elif isinstance(value, list):
            found[key], below = _resolve_list(value, fields, environment)
            problems += [problem._replace(key=f"{key}{problem.key}") for problem in below]
        else:
            found[key] = value

    return found, problems


def _resolve_list(
    values: list[object], fields: frozenset[str], environment: Mapping[str, str]
) -> tuple[list[object], list[Problem]]:
    found: list[object] = []
    problems: list[Problem] = []
    for index, value in enumerate(values):
        if isinstance(value, Mapping):
            value, below = resolve_references(value, fields, environment)
            problems += [problem._replace(key=f"[{index}].{problem.key}") for problem in below]

        found.append(value)

    return found, problems


def _is_local(value: Mapping[str, object]) -> bool:
    return len(value) == 1 and next(iter(value)) in _KINDS


def _read(kind: str, name: object, environment: Mapping[str, str]) -> str:
    if not isinstance(name, str) or not name:
        raise ValueError(_FORMS)

    if kind == "file":
        return read_secret_file(name)

    if not environment.get(name):
        raise ValueError(f"the variable {name!a} is not set; export it")

    return environment[name]


def read_secret_file(name: str) -> str:
    """The text of a file that holds one value, without the line end behind it.

    Raises:
        ValueError: With the remedy, which quotes nothing of the file.
    """
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_SECRET_BYTES + 1)

        text = data.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ValueError(
            f"the file cannot be read: {reason}; name one that this user may read"
        ) from None
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text; write the secret alone into it") from None

    if not text or "\n" in text or len(data) > MAX_SECRET_BYTES:
        raise ValueError("the file must hold one line, the value alone")

    return text


def secrets_in(values: Mapping[str, object], fields: frozenset[str]) -> Iterator[str]:
    """Every secret that raw *values* may hold, however wrong they are.

    Args:
        fields: The names of secret fields, at any depth.
    """
    for key, value in values.items():
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, Mapping):
            yield from secrets_in(value, fields)
        elif isinstance(value, list):
            for item in value:
                yield from secrets_in({key: item}, fields)
        elif isinstance(value, str):
            yield from ((value,) if key in fields else _url_secrets(value))


def _url_secrets(text: str) -> Iterator[str]:
    """Password, SAS token and its signature, of a text that is a URL."""
    if "://" not in text:
        return

    try:
        parts = urlsplit(text)
    except ValueError:
        return

    if parts.query:
        yield parts.query
        yield from parse_qs(parts.query).get("sig", ())

    if "@" in parts.netloc:
        password = parts.netloc.rpartition("@")[0].partition(":")[2]
        yield from {password, unquote(password)}


def variables_or_own(environment: Mapping[str, str] | None) -> Mapping[str, str]:
    """*environment*, or that of this process: never a default argument, which `help` prints."""
    return os.environ if environment is None else environment
