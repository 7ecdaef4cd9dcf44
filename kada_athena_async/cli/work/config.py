"""Writes a configuration file to fill in, and checks one without a call."""

from __future__ import annotations

import json
import os
from pathlib import Path

from kada_athena_async.cli.invocation import suggestion
from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import (
    RunRequest,
    configured_sites,
    overrides_of,
)
from kada_athena_async.config import (
    DEFAULT_FILE,
    Config,
)
from kada_athena_async.config.problems import find_problems, shown_value, unknown_key
from kada_athena_async.config.region import REGION_VARIABLES
from kada_athena_async.config.text_values import parse_text
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.redact import hide_secrets


def write_starter(output: Output, file: Path | None, settings: tuple[str, ...]) -> int:
    """Write the vendor's ten fields to a new file, for its owner only; the exit code.

    Raises:
        ConfigError: The file exists or cannot be written, or a setting is none.
    """
    path = file or Path(DEFAULT_FILE)
    values = {**_starter(), **_settings(settings)}
    _write(path, _text(values, path.suffix.lower()).encode())
    output.say(f"wrote {path}, readable for you only")
    for problem in find_problems(values):
        output.say(f"  fill in {problem.key}: {problem.remedy}")

    output.say("what each field means: docs/configuration.md, or for editors:")
    output.say(f"  {suggestion('config', 'schema')}")
    output.say("then:")
    for words in (("config", "check"), ("doctor",), ("plan",), ("run",)):
        output.say(f"  {suggestion(*words, *(('-c', str(path)) if file else ()))}")

    return 0


def check_configuration(output: Output, request: RunRequest) -> int:
    """Say whether the configuration can be used, and what it means; the exit code.

    Raises:
        ConfigError: With every problem.
    """
    for site in configured_sites(output, request):
        config = site.config
        facts: dict[str, object] = {
            **({"site": site.name} if site.name else {}),
            "region": config.region,
            # Any text may be a profile or a catalog: a secret that was pasted there, too.
            "catalogs": [hide_secrets(catalog) for catalog in config.catalogs],
            "identity": hide_secrets(_identity(config)),
            "output_path": str(config.output_path),
            "metadata_source": config.metadata_source,
            "mask": config.mask,
        }
        lines = [f"{name.replace('_', ' ')}: {_shown(value)}" for name, value in facts.items()]
        output.data(facts, kind="config", lines=lines)

    output.say("the configuration can be used; nothing was called. Next:")
    file = ("-c", str(request.config)) if request.config else ()
    output.say(f"  {suggestion('doctor', *file)}")
    return 0


def _starter() -> dict[str, object]:
    """The vendor's fields; what only the user can know is empty, and refused until it is not."""
    values = {name: field.get_default() for name, field in Config.model_fields.items()}
    region = next((os.environ[name] for name in REGION_VARIABLES if os.environ.get(name)), "")
    return {
        "key": "",
        "secret": "",
        "server": "athena",
        "bucket": "",
        "catalogs": list(values["catalogs"]),
        "region": region,
        "role": "",
        "output_path": str(Path.cwd() / "extracts"),
        "mask": values["mask"],
        "compress": values["compress"],
    }


def _text(values: dict[str, object], suffix: str) -> str:
    """*values* as the file's suffix says; YAML and TOML with what each field means."""
    if suffix not in (".yaml", ".yml", ".toml"):
        return json.dumps(values, indent=2) + "\n"

    equals = " = " if suffix == ".toml" else ": "
    lines = []
    for name, field in Config.model_fields.items():
        # What is not filled in stays a comment, with an example.
        given = name in values
        value = values.get(name, next(iter(field.examples or ()), None))
        # A text, a number, a list or a boolean of JSON is one of YAML and of TOML, too.
        line = f"{name}{equals}{json.dumps(value)}"
        lines += [f"# {field.description}", line if given else f"# {line}", ""]

    return "\n".join(lines)


def _settings(settings: tuple[str, ...]) -> dict[str, object]:
    """The values of ``--set``, typed as in the file."""
    values: dict[str, object] = {}
    problems = []
    for key, text in overrides_of(RunRequest(settings=settings)).items():
        if key not in Config.model_fields:
            problems.append(unknown_key(key))
            continue

        try:
            values[key] = parse_text(key, str(text))
        except ValueError as error:
            problems.append(Problem(key, shown_value(key, text), str(error)))

    if problems:
        raise ConfigError(problems, source="command")

    return values


def _write(path: Path, data: bytes) -> None:
    # `config check` writes nothing.
    from kada_athena_async.files import Files

    remedy = ""
    try:
        Files().write_new(path, data)
    except FileExistsError:
        remedy = "is there already and stays as it is; name another file"
    except OSError as error:
        remedy = f"cannot be written ({error.strerror or type(error).__name__}); name another file"
        if isinstance(error, FileNotFoundError):
            remedy = f"make the directory {str(path.parent)!a} first, or name another file"

    if remedy:
        raise ConfigError([Problem("file", ascii(str(path)), remedy)], source="command")


def _identity(config: Config) -> str:
    who = "the usual AWS credentials"
    if config.key.get_secret_value():
        who = "key and secret"
    elif config.profile:
        who = f"profile {config.profile}"

    return f"{who}, assuming {config.role}" if config.role else who


def _shown(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)
