"""Values written as text: in a variable of the environment, or after ``--set``."""

from __future__ import annotations

import json
import typing

from kada_athena_async.config.model import Config

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")


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
        is_object = text.startswith("{")
        return _json(text, "write a JSON object or a URL") if is_object else text or None

    if kind == "sites":
        return _json(text, 'write a JSON list such as [{"name": "au", ...}]')

    if kind == "list":
        parts = [part.strip() for part in text.split(",") if part.strip()]
        is_json = text.lstrip().startswith("[")
        return _json(text, 'write a JSON list such as ["a", "b"], or a,b') if is_json else parts

    if kind == "bool":
        if text.strip().lower() in _TRUE + _FALSE:
            return text.strip().lower() in _TRUE

        raise ValueError("write true or false")

    if not text.strip() and type(None) in typing.get_args(Config.model_fields[field].annotation):
        return None

    try:
        number = int(text) if kind == "int" else float(text)
    except ValueError:
        number = None

    # Python reads 1_0 as 10.
    if number is None or "_" in text:
        raise ValueError(f"write a {'whole ' if kind == 'int' else ''}number")

    return number


def _kind(field: str) -> str:
    """The way to read the text of *field*, by the type of its model field."""
    if field == "sites":
        return "sites"

    annotation = Config.model_fields[field].annotation
    for kind in (bool, int):
        if annotation is kind:
            return kind.__name__

    # The types of a union, without what ``Annotated`` adds to them.
    members = typing.get_args(annotation)
    if float in (annotation, *(next(iter(typing.get_args(each)), each) for each in members)):
        return "number"

    if typing.get_origin(annotation) is tuple:
        return "list"

    return "optional" if type(None) in members else "text"


def _json(text: str, remedy: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError(remedy) from None
