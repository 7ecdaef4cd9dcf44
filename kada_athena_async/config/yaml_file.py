"""A configuration file in YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from typing import Any

import yaml

from kada_athena_async.config.config_file import UNREADABLE_NUMBER

_OF_ANOTHER_LOOK = (":timestamp", ":int", ":float")

_NUMBERS = {
    "int": r"-?(?:0|[1-9][0-9]*)$",
    "float": r"(?=-?\.?[0-9])-?(?:0|[1-9][0-9]*)?(?:\.[0-9]+)?(?:(?<=[0-9])[eE][-+]?[0-9]+)?$",
}
"""Kind -> numbers as in JSON, and such as .5."""


class _OnceLoader(yaml.SafeLoader):
    """Values of the types of JSON, and the keys that stand twice.

    A text that looks like a date stays a text, and so does what YAML 1.1 reads as another number
    than it looks like: 010 (8) and 12:30 (750).
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.twice: list[str] = []

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        keys = [str(key.value) for key, _ in node.value]
        self.twice.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return super().construct_mapping(node, deep=deep)


_OnceLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(_OF_ANOTHER_LOOK)]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _kind, _pattern in _NUMBERS.items():
    _OnceLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}", re.compile(_pattern), list("-.0123456789")
    )


def parse_yaml(text: str) -> tuple[object, list[str]]:
    """The values in *text*, and the keys that stand twice in it.

    Raises:
        ValueError: It is not YAML, or more than JSON can say; the message quotes no value of the
            file.
    """
    try:
        loader = _OnceLoader(text)
    except yaml.YAMLError:
        raise ValueError("not YAML: it holds characters that YAML does not allow") from None

    try:
        values = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        raise ValueError(_explain(error, text)) from None
    except ValueError:
        raise ValueError(UNREADABLE_NUMBER) from None
    finally:
        loader.dispose()

    try:
        json.dumps(values)
    except ValueError:
        raise ValueError("an anchor (&) stands inside itself; write the value out") from None
    except TypeError:
        raise ValueError("write texts, numbers, lists and mappings, without tags (!!)") from None

    # Nothing behind a colon is how YAML leaves a field empty.
    if isinstance(values, dict):
        values = {key: value for key, value in values.items() if value is not None}

    return values, loader.twice


def _explain(error: yaml.MarkedYAMLError, text: str) -> str:
    """Place and remedy: the parser's other words may quote the file."""
    mark = error.problem_mark
    place = f" at line {mark.line + 1} column {mark.column + 1}" if mark else ""
    remedy = "check indentation, quotes and colons"
    if isinstance(error, yaml.composer.ComposerError) and "single document" in str(error.context):
        remedy = "keep one document: remove the second ---"
    elif "alias" in f"{error.context} {error.problem}":
        remedy = 'put a text that begins with * in quotes, such as "*"'
    elif "\t" in text:
        remedy = "put blanks in place of tabs"

    return f"not YAML{place}; {remedy}"
