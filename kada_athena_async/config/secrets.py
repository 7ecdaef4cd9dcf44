"""Secret fields: their forms, and every secret value, for redaction.

Instead of its value a secret field takes a reference, so that the file holds none:
``{"env": NAME}`` or ``{"file": PATH}``, read with the configuration, or
``{"aws_secretsmanager": ARN}`` or ``{"aws_ssm": NAME}``, read by the run (``engine.aws_secrets``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import (
    AfterValidator,
    SecretStr,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from kada_athena_async.errors import Problem

_KINDS = ("env", "file")

# A secret's ARN names its Region; a parameter's name may be its ARN, of another account too.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
_AWS_KINDS = {
    "aws_secretsmanager": (
        re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+"),
        "write the secret's ARN, such as "
        "arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:kada/sas-AbCdEf",
    ),
    "aws_ssm": (
        re.compile(r"(?:arn:aws[a-z-]*:ssm:[a-z0-9-]+:\d{12}:parameter)?[\w/.-]+"),
        "write the parameter's name, such as /kada/sas_token, or its ARN",
    ),
}

_FORMS = (
    'write the secret in quotes, or {"env": NAME}, or {"file": PATH}, or '
    '{"aws_secretsmanager": ARN}, or {"aws_ssm": NAME}'
)

# Keys of Azure have 88 characters, SAS tokens some 300; a file of more is another file.
MAX_SECRET_BYTES = 65_536


class SecretReference(SecretStr):
    """The place of a secret in AWS, until the run reads it.

    Its text is the place, which is no secret, and shown.

    Args:
        kind: ``aws_secretsmanager`` or ``aws_ssm``.
        name: The secret's ARN; the parameter's name or ARN.
    """

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f'{{"{kind}": "{name}"}}')
        self.kind, self.name = kind, name

    def __repr__(self) -> str:
        return f"SecretReference({self.kind!r}, {self.name!r})"

    def __str__(self) -> str:
        return self.get_secret_value()


def _secret(value: object, make: ValidatorFunctionWrapHandler) -> object:
    """The value of a secret field; references to this machine were replaced before.

    Raises:
        ValueError: With the remedy, which quotes nothing.
    """
    if isinstance(value, SecretReference):
        return value

    if isinstance(value, str | SecretStr):
        return make(value)

    raise ValueError(_FORMS)


def known_only(rule: Callable[[SecretStr], SecretStr]) -> AfterValidator:
    """*rule* for the values of a secret field that are known; a reference is checked when read."""
    return AfterValidator(
        lambda value: value if isinstance(value, SecretReference) else rule(value)
    )


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
                for kind in (*_KINDS, *_AWS_KINDS)
            ),
        ]
    }


SecretField = Annotated[
    SecretStr, WrapValidator(_secret), WithJsonSchema(_reference_schema(), mode="validation")
]
"""Type of every field that holds a secret; what is of this type is never shown."""


def resolve_references(
    values: Mapping[str, object], fields: frozenset[str], environment: Mapping[str, str]
) -> tuple[dict[str, object], list[Problem]]:
    """*values* with the references to variables and files replaced by what these hold.

    A reference to AWS becomes a ``SecretReference``.

    Args:
        fields: The names of secret fields, at any depth.

    Returns:
        The values, and a problem for each reference that leads nowhere, whose field is left out.
    """
    found: dict[str, object] = {}
    problems: list[Problem] = []
    for key, value in values.items():
        if key in fields and isinstance(value, Mapping) and _is_reference(value):
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


def _is_reference(value: Mapping[str, object]) -> bool:
    return len(value) == 1 and next(iter(value)) in (*_KINDS, *_AWS_KINDS)


def _read(kind: str, name: object, environment: Mapping[str, str]) -> str | SecretReference:
    if not isinstance(name, str) or not name:
        raise ValueError(_FORMS)

    if kind in _AWS_KINDS:
        pattern, remedy = _AWS_KINDS[kind]
        if not pattern.fullmatch(name):
            raise ValueError(remedy)

        return SecretReference(kind, name)

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
        if isinstance(value, SecretReference):
            continue

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
