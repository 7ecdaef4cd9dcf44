"""A Config from a mapping of values, or all problems of these."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kada_athena_async.config import rules
from kada_athena_async.config.contradictions import contradictions
from kada_athena_async.config.endpoint import shown_url
from kada_athena_async.config.landing import kind_of, shown_place
from kada_athena_async.config.model import PLACE_FIELDS, SECRET_FIELDS, Config
from kada_athena_async.config.region import with_region
from kada_athena_async.config.secrets import (
    resolve_references,
    secrets_in,
    variables_or_own,
)
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.redact import Redactor, hide_secrets

_SHOWN_CHARACTERS = 80

# What is not even of the form was meant for another field, which may hold a secret.
_FORMS = {
    "role": re.compile(r"arn:[\w+=,.@:/-]*", re.ASCII),
    "region": re.compile(r"[A-Za-z]{0,9}(?:[ _-]?[A-Za-z]{1,9}){0,3}[ _-]?[0-9]{0,2}[a-f]?"),
}

# No text in UTF-8 has one. Bytes of a path that are no UTF-8 are handed over as the second kind.
_NO_CHARACTER = re.compile("[\ud800-\udfff]")
_NO_PATH_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")

# As shells and other tools write a variable.
_REFERENCE = re.compile(r"\$\{([^}]*)\}")

TEMPORARY_KEY_REMEDY = (
    "leave key and secret empty and export AWS_ACCESS_KEY_ID, "
    "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
)

MISSING = "(missing)"
"""The value of a problem whose key is not there."""

# In the file and the environment, though each site's Config is without it.
_ALSO_KNOWN = ("sites",)

# Names that other tools of AWS have for a field, without their prefix aws_.
_ELSEWHERE = {
    "access_key_id": "key",
    "secret_access_key": "secret",
    "region_name": "region",
    "assume_role": "role",
    "s3_staging_dir": "bucket",
}
_OPTIONS = frozenset({"config", "name", "hwm_path", "start_hwm", "end_hwm"})

_LIKENESS = 0.61
"""Of a misspelt key to the field that is offered; ``username`` is no ``session_name``."""

_REMEDIES = {
    "string_type": "write a string, in quotes",
    "bool_type": "write true or false, without quotes",
    "int_type": "write a whole number",
    "float_type": "write a number",
    "tuple_type": 'write a list of strings, such as ["a", "b"]',
    "finite_number": "write a number",
    "greater_than": "write a number greater than {gt}",
    "greater_than_equal": "write a number of at least {ge}",
    "less_than_equal": "write a number of at most {le}",
    "literal_error": "write {expected}",
    "path_type": "write an absolute directory, in quotes",
}
"""pydantic's kind of error -> what to do instead."""


def make_config(values: Mapping[str, object]) -> Config:
    """A Config from field values.

    Args:
        values: Field -> value, typed as in the JSON file.

    Raises:
        ConfigError: With every problem, in the order of the fields.
    """
    environment = variables_or_own(None)
    values, problems = resolve_references(values, SECRET_FIELDS, environment)
    values = with_region(values, environment)
    problems += find_problems(values)
    if problems:
        raise refusal(problems, values)

    return Config.model_validate(values)


def refusal(problems: Sequence[Problem], *given: Mapping[str, object]) -> ConfigError:
    """The error of *problems*, in which no secret of *given* stands, whatever quoted it."""
    redact = Redactor(secret for values in given for secret in secrets_in(values, SECRET_FIELDS))
    return ConfigError([Problem(*map(redact, problem)) for problem in problems])


def find_problems(values: Mapping[str, object]) -> list[Problem]:
    """Everything that is wrong with *values*; empty if they make a Config."""
    problems = field_problems(values)
    broken = {field_of(problem.key) for problem in problems}
    sound = {
        name: _stripped(values.get(name, field.get_default()))
        for name, field in Config.model_fields.items()
        if name not in broken
    }
    return in_order([*problems, *contradictions(sound)])


def _stripped(value: object) -> object:
    """*value* as the model takes it: of nothing but blanks it is empty."""
    return value.strip() if isinstance(value, str) else value


def in_order(problems: Sequence[Problem]) -> list[Problem]:
    """*problems* in the order of the fields; keys that are no field last."""
    order = {name: place for place, name in enumerate(Config.model_fields)}
    return sorted(problems, key=lambda p: order.get(field_of(p.key), len(order)))


def field_problems(values: Mapping[str, object]) -> list[Problem]:
    """Problems of each of *values* alone, and of missing ones."""
    found = [*_undecodable(values), *unexpanded(values)]
    try:
        Config.model_validate(dict(values))
    except ValidationError as error:
        details = [d for d in error.errors(include_url=False) if d["type"] != "contradiction"]
        known = {field_of(problem.key) for problem in found}
        others = [
            _problem(d)
            if d["loc"][:1] and d["loc"][0] in values
            else _problem(d)._replace(value=MISSING)
            for d in details
        ]
        found += [p for p in others if field_of(p.key) not in known]
        # One a key, the first: a union's branches each complain about the same value.
        return list({p.key: p for p in reversed(found)}.values())[::-1]

    return found


def _undecodable(values: Mapping[str, object]) -> Iterator[Problem]:
    """Problems of texts that no file could hold, such as a variable that is not in UTF-8."""
    for field, value in values.items():
        wrong = _NO_PATH_BYTE if field == "output_path" else _NO_CHARACTER
        for place, text in _texts(field, value) if field in Config.model_fields else ():
            if wrong.search(text):
                remedy = "holds what is no character; write it in UTF-8"
                yield Problem(place, shown_value(field, text), remedy)


def unexpanded(values: Mapping[str, object]) -> list[Problem]:
    """Problems of values that hold ``${NAME}``, which would be taken as it stands."""
    problems = []
    for field, value in values.items():
        if field not in Config.model_fields:
            continue

        for place, text in _texts(field, value):
            if found := _REFERENCE.search(text):
                name = hide_secrets(found[0])
                remedy = f"{name!a} is not expanded here; {_instead(place, found[1])}"
                problems.append(Problem(place, shown_value(field, text), remedy))

    return problems


def _texts(place: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(f"{place}.{shown_key(str(key))}", item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _texts(f"{place}[{index}]", item)


def _instead(place: str, name: str) -> str:
    if place.rpartition(".")[2] in SECRET_FIELDS:
        return f'write {{"env": "{name}"}}' if name.isidentifier() else 'write {"env": NAME}'

    return f"write the value, or set KADA_ATHENA_{field_of(place).upper()}"


def field_of(key: str) -> str:
    """The field that a problem's key, such as ``catalogs[1]``, belongs to."""
    return re.split(r"[.\[]", key, maxsplit=1)[0]


def check_name(name: str, *, key: str = "name") -> str:
    """*name*, if it may be the name of a collector's instance.

    Args:
        key: What the caller calls it, for the message.

    Raises:
        ConfigError: If it could not safely be part of a file's name.
    """
    try:
        return rules.instance_name(name)
    except ValueError as error:
        source = "command" if key.startswith("-") else "call"
        raise ConfigError(
            [Problem(key, shown_value("name", name), str(error))], source=source
        ) from None


def unknown_key(
    key: str, *, spelt: Callable[[str], str] = str, also: Iterable[str] = _ALSO_KNOWN
) -> Problem:
    """The problem of a key that is no field; its value may be a misnamed secret and stays away.

    Args:
        spelt: How the place that *key* comes from spells a field's name.
        also: What may stand there beside a Config's fields.
    """
    bare = re.sub("(?<=[a-z])(?=[A-Z])", "_", key.removeprefix(spelt(""))).lower()
    meant = bare.removeprefix("aws_")
    if close := [_ELSEWHERE[meant]] if meant in _ELSEWHERE else _near(bare, also):
        remedy = f"did you mean {spelt(close[0])}?"
    elif bare in _OPTIONS:
        remedy = f"no field, but an option of the command: --{bare.replace('_', '-')}"
    elif meant == "session_token":
        remedy = f"no field takes one; {TEMPORARY_KEY_REMEDY}"
    else:
        remedy = "unknown key; remove it"

    return Problem(shown_key(key), "(hidden)", remedy)


def _near(key: str, also: Iterable[str]) -> list[str]:
    names = [*Config.model_fields, *also]
    return [] if "token" in key else get_close_matches(key, names, n=1, cutoff=_LIKENESS)


def shown_key(key: str) -> str:
    """A key as it may stand in a message: plain if it is, else escaped."""
    return key if key.isidentifier() and key.isascii() else ascii(key[:_SHOWN_CHARACTERS])


def shown_value(key: str, value: object) -> str:
    """A value as it may stand in a message: one line, short, escaped, never a secret."""
    if key in SECRET_FIELDS or key == "external_id":
        return "(hidden)"

    form = _FORMS.get(key)
    if form and isinstance(value, str) and not form.fullmatch(value):
        return "(hidden)"

    if key == "sites":
        if isinstance(value, str):
            return "(hidden)"

        return "[]" if value == [] else kind_of(value)

    if key in PLACE_FIELDS:
        return shown_place(value)

    if key == "endpoint_url" and isinstance(value, str):
        return shown_url(value)

    try:
        text = json.dumps(value, default=str)
    except (TypeError, ValueError):
        text = f"({type(value).__name__})"

    # Before it is cut: half a secret does not look like one.
    text = hide_secrets(text)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."


def _problem(detail: ErrorDetails) -> Problem:
    key = str(detail["loc"][0]) if detail["loc"] else ""
    kind = detail["type"]
    if kind == "extra_forbidden":
        return unknown_key(key)

    if kind == "missing":
        description = Config.model_fields[key].description
        return Problem(key, MISSING, f"required: {description}")

    places = [f"[{part}]" for part in detail["loc"][1:] if isinstance(part, int)]
    is_null = detail["input"] is None and not Config.model_fields[key].is_required()
    remedy = f"leave it out, or {_remedy(detail)}" if is_null else _remedy(detail)
    return Problem(key + "".join(places), shown_value(key, detail["input"]), remedy)


def _remedy(detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return hide_secrets(str(detail["ctx"]["error"]))

    template = _REMEDIES.get(detail["type"])
    return template.format(**detail.get("ctx", {})) if template else detail["msg"]
