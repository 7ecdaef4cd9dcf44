"""The configuration from its three places: the file, the environment, the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from kada_athena_async.codes import WarningCode
from kada_athena_async.config.config_file import (
    ENVIRONMENT_PREFIX,
    Source,
    is_readable_by_others,
    read_source,
)
from kada_athena_async.config.landing import place_secrets
from kada_athena_async.config.model import PLACE_FIELDS, SECRET_FIELDS, Config
from kada_athena_async.config.problems import (
    TEMPORARY_KEY_REMEDY,
    field_of,
    shown_value,
    unknown_key,
)
from kada_athena_async.config.secrets import (
    SecretReference,
    read_secret_file,
    resolve_references,
    secrets_in,
    variables_or_own,
)
from kada_athena_async.config.text_values import parse_text
from kada_athena_async.errors import ConfigError, Problem

if TYPE_CHECKING:
    from kada_athena_async.events import Warned

# What the SDK reads by itself and what must therefore not show either.
_SECRET_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

# Behind a variable's name: the variable names a file that holds the value.
_FILE_SUFFIX = "_FILE"


class Layers(NamedTuple):
    """Field -> value, by the place it comes from.

    Attributes:
        top: The file's, under the environment's.
        command: Those given on the command line or in a call, which win over all others.
        problems: Keys that are no field, and texts that are no value; neither is in the others.
        variables: Field -> the variable of the environment that its value in *top* comes from.
    """

    top: dict[str, object]
    command: dict[str, object]
    problems: list[Problem]
    variables: Mapping[str, str] = MappingProxyType({})

    def named(self, problem: Problem) -> Problem:
        """*problem* under the name of the variable, where its value comes from the environment."""
        field = field_of(problem.key)
        if field not in self.variables or field in self.command:
            return problem

        return problem._replace(key=self.variables[field] + problem.key.removeprefix(field))


def read_layers(
    path: Source | None,
    environment: Mapping[str, str],
    overrides: Mapping[str, object] | None,
) -> Layers:
    """The values of file, environment and command line, not yet checked.

    Raises:
        ConfigError: The file cannot be read.
    """
    values, problems = resolve_references(
        read_source(path) if path is not None else {}, SECRET_FIELDS, environment
    )

    # A text that cannot be read is reported here, so what it would have replaced is checked
    # instead; otherwise one mistake would be reported twice.
    command: dict[str, object] = {}
    variables: dict[str, str] = {}
    for layer, given in (
        (values, _from_environment(environment, problems)),
        (command, [(k, k, v) for k, v in (overrides or {}).items() if v is not None]),
    ):
        for key, field, value in given:
            if field not in Config.model_fields and field != "sites":
                problems.append(unknown_key(key, spelt=_variable if key != field else str))
                continue

            try:
                found = parse_text(field, value) if isinstance(value, str) else value
            except ValueError as error:
                problems.append(Problem(key, shown_value(field, value), str(error)))
                continue

            resolved, unresolved = resolve_references({field: found}, SECRET_FIELDS, environment)
            problems += [problem._replace(key=key) for problem in unresolved]
            layer.update(resolved)
            if key != field:
                variables[field] = key

    return Layers(values, command, problems, variables)


def known_secrets(
    config: Config | None, *, environment: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Every secret value of configuration and environment, for redaction.

    Args:
        environment: Variables; None for those of this process.
    """
    found = [*_environment_secrets(variables_or_own(environment))]
    if config is not None:
        given = [getattr(config, name) for name in SECRET_FIELDS if name in Config.model_fields]
        found += [s.get_secret_value() for s in given if not isinstance(s, SecretReference)]
        found += [
            secret for name in PLACE_FIELDS for secret in place_secrets(getattr(config, name))
        ]

    return tuple(sorted({secret for secret in found if secret}))


def _environment_secrets(environment: Mapping[str, str]) -> Iterator[str]:
    yield from (environment.get(name, "") for name in _SECRET_VARIABLES)
    ignored: list[Problem] = []
    for _, field, text in _from_environment(environment, ignored):
        try:
            value = parse_text(field, str(text))
        except (KeyError, ValueError):
            value = text

        yield from secrets_in({field: value}, SECRET_FIELDS)


def config_warnings(path: Path | str | None, config: Config) -> list[Warned]:
    """Warnings about settings that are allowed but unwise; shown at the start of a run."""
    found: list[tuple[WarningCode, str, str]] = []
    if path is not None and _holds_secret(Path(path)) and is_readable_by_others(Path(path)):
        found.append(
            (
                WarningCode.READABLE_SECRET,
                f"{path} holds a secret and others on this machine can read it",
                f"chmod 600 {path}, or use a profile or role instead of a secret",
            )
        )

    if config.key.get_secret_value().startswith("ASIA"):
        found.append(
            (
                WarningCode.TEMPORARY_KEY,
                "key is a temporary one, which AWS refuses without its session token",
                TEMPORARY_KEY_REMEDY,
            )
        )

    if not found:
        return []

    # Not at the top: events take as long to load as all of the configuration's own rules.
    from kada_athena_async.events import Warned  # noqa: PLC0415

    return [Warned(code=code, message=message, hint=hint) for code, message, hint in found]


def _from_environment(
    environment: Mapping[str, str], problems: list[Problem]
) -> list[tuple[str, str, object]]:
    """Variable, field and text of each variable that is ours.

    Those whose file cannot be read are added to *problems* instead.
    """
    found: list[tuple[str, str, object]] = []
    for name, text in sorted(environment.items()):
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue

        plain = name.removesuffix(_FILE_SUFFIX)
        field = plain.removeprefix(ENVIRONMENT_PREFIX).lower()
        if plain == name or (field not in Config.model_fields and field != "sites"):
            field = name.removeprefix(ENVIRONMENT_PREFIX).lower()
            found.append((name, field, text))
        elif plain in environment:
            problems.append(Problem(name, "(twice)", f"{plain} is set too; unset one of the two"))
        else:
            try:
                found.append((name, field, read_secret_file(text)))
            except ValueError as error:
                problems.append(Problem(name, ascii(text), str(error)))

    return found


def _variable(field: str) -> str:
    return ENVIRONMENT_PREFIX + field.upper()


def _holds_secret(path: Path) -> bool:
    try:
        values = read_source(path)
    except ConfigError:
        return False

    # The id of a key is no secret; whoever has it still needs the key.
    return any(secrets_in(values, SECRET_FIELDS - {"key"}))
