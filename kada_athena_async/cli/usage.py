"""Mistakes of a command line, as errors like all others."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from kada_athena_async.cli.invocation import help_page, options, suggestion
from kada_athena_async.errors import ConfigError, Problem

# What typer and click say -> what to do instead. Their words for it have changed before.
_REMEDIES = (
    (r".*greater than or equal to (\S+)", r"write \1 or more"),
    (r".*less than or equal to (\S+)", r"write \1 or less"),
    (r"(?:.* )?(\S+) is not in the range (\S+?)\.?", r"must lie in the range \2"),
    (r".*valid integer.*", "write a whole number"),
    (r".*valid (?:number|float).*", "write a number"),
    (r".*is not one of (.*?)\.?", r"write one of \1"),
)


def usage_error(error: Any) -> ConfigError:
    """The error of click's that typer raised, as one of ours.

    Args:
        error: A ``UsageError`` of click's, or of the copy that typer brings along; neither has
            public types.
    """
    return ConfigError([_problem(error)], source="command", hint=_help_of(error))


def _problem(error: Any) -> Problem:
    if (name := getattr(error, "option_name", None)) is not None:
        return _option_problem(name, getattr(error, "possibilities", None), str(error.message))

    if (param := getattr(error, "param", None)) is None:
        return _words_problem(error.format_message())

    names = [*param.opts]
    is_option = names[0].startswith("-")
    key = max(names, key=len) if is_option else (param.metavar or names[0].upper()).strip("[]")
    if "Missing" in type(error).__name__:
        return Problem(key, "(missing)", "give it")

    value = _value(names, str(error.message))
    choices = re.findall(r"'([^']*)'", str(error.message).partition("is not one of")[2])
    guess = get_close_matches(value.strip("'"), choices, n=1)
    near = f"did you mean {guess[0]}? " if guess else ""
    return Problem(key, value, near + _remedy(str(error.message)))


def _option_problem(name: str, near: Any, said: str) -> Problem:
    if "requires" in said:
        return Problem(name, "(missing)", "give a value after it")

    names = " or ".join(sorted(near or ()))
    more = f"; did you mean {names}?" if names else ""
    return Problem(name, "(unknown)", f"there is no such option{more}")


def _words_problem(message: str) -> Problem:
    """Of words that are neither options nor their values."""
    if found := re.match(r"No such command '(.*?)'\.?(.*)", " ".join(message.split())):
        said = found[2].strip(" ()").replace("', '", "' or '")
        near = f"; {said[:1].lower()}{said[1:]}" if said else ""
        remedy = f"there is no such command{near}"
        return Problem("command", ascii(found[1][:80]), remedy)

    if found := re.match(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", message):
        return Problem("command", ascii(found[1][:80]), "leave it out; quote what has blanks")

    sentence = " ".join(message.split()).rstrip(".")
    return Problem("command", "(wrong)", sentence[:1].lower() + sentence[1:])


def _value(names: list[str], said: str) -> str:
    """The given value, as far as the command line or the message shows it."""
    given = options(*names)
    value = given[-1].partition("=")[2] or given[-1] if given else ""
    if not value and (found := re.search(r"'(.*?)' is not one of", said)):
        value = found[1]

    return ascii(value[:80]) if value else "(wrong)"


def _remedy(said: str) -> str:
    sentence = " ".join(said.removeprefix("Value error, ").split())
    for pattern, remedy in _REMEDIES:
        if found := re.fullmatch(pattern, sentence):
            return found.expand(remedy).replace("'", "")

    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _help_of(error: Any) -> str:
    if error.ctx is None:
        return help_page()

    return suggestion(*error.ctx.command_path.split()[1:], "--help")
