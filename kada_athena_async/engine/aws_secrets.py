"""Secrets that a configuration leaves in AWS: read once, with the run's credentials."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from pydantic import BaseModel, SecretStr, ValidationError

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.concurrency import Clock
from kada_athena_async.config import Config, SecretReference, references_of
from kada_athena_async.engine.connection import connect
from kada_athena_async.errors import (
    AccessDeniedError,
    ConfigError,
    NotFoundError,
    Problem,
    RequestError,
)
from kada_athena_async.events import Observer
from kada_athena_async.redact import hide_from_now_on

ACTIONS = {
    "aws_secretsmanager": "secretsmanager:GetSecretValue",
    "aws_ssm": "ssm:GetParameter",
}


async def with_aws_secrets(
    config: Config, *, clock: Clock, rng: Random, notify: Observer
) -> Config:
    """*config* with the secrets in place of its references; the same if it has none.

    Raises:
        ConfigError: There is no such secret, it may not be read, or it is no value for its field;
            the message never holds the value.
        CredentialsError: AWS does not accept us.
        UnitError: AWS does not answer.
    """
    references = references_of(config)
    if not references:
        return config

    found: dict[str, str] = {}
    problems: list[Problem] = []
    async with connect(config, clock=clock, rng=rng, notify=notify, texts={}) as connection:
        for key, reference in references.items():
            try:
                found[key] = _one_line(await _read(connection.client, reference))
            except ValueError as exc:
                problems.append(Problem(key, str(reference), str(exc)))
            except NotFoundError:
                remedy = f"there is none in {config.region}; create it, or correct the name"
                problems.append(Problem(key, str(reference), remedy))
            except AccessDeniedError as exc:
                remedy = f"{exc.action} is denied; allow it to the run's identity: see iam-policy"
                problems.append(Problem(key, str(reference), remedy))
            except RequestError as exc:
                remedy = f"AWS refuses it ({exc.code}); look at it in the console"
                problems.append(Problem(key, str(reference), remedy))

    if problems:
        raise ConfigError(problems)

    hide_from_now_on(found.values())
    return _filled(config, found, references)


async def _read(client: AwsClient, reference: SecretReference) -> str:
    service, _, operation = ACTIONS[reference.kind].partition(":")
    if reference.kind == "aws_ssm":
        answer = await client.call(service, operation, Name=reference.name, WithDecryption=True)
        value = (answer.get("Parameter") or {}).get("Value")
    else:
        answer = await client.call(service, operation, SecretId=reference.name)
        value = answer.get("SecretString")

    if not isinstance(value, str):
        raise ValueError("it holds no text; store the value alone, as a string")

    return value


def _one_line(text: str) -> str:
    value = text.removesuffix("\n")
    if not value or "\n" in value:
        raise ValueError("it must hold one line, the value alone")

    return value


def _filled(
    config: Config, found: Mapping[str, str], references: Mapping[str, SecretReference]
) -> Config:
    fields: dict[str, object] = dict(config)
    problems: list[Problem] = []
    for key, value in found.items():
        place, _, name = key.rpartition(".")
        model = fields[place] if place else None
        try:
            if isinstance(model, BaseModel):
                fields[place] = type(model).model_validate({**dict(model), name: SecretStr(value)})
            else:
                fields[key] = SecretStr(value)
                Config.model_validate(fields)
        except ValidationError as error:
            # Its own text would quote the value.
            [detail, *_] = error.errors(include_input=False)
            remedy = f"its value is wrong: {detail['msg'].removeprefix('Value error, ')}"
            problems.append(Problem(key, str(references[key]), remedy))

    if problems:
        raise ConfigError(problems)

    return Config.model_validate(fields)
