"""The typed keywords of ``Extractor`` are the fields of the configuration."""

from __future__ import annotations

from typing import Literal, get_args, get_origin, get_type_hints

from kada_athena_async.config import Config, ConfigFields


def test_the_keywords_are_the_fields() -> None:
    """Each field of the model, in its order, and no other."""
    assert list(ConfigFields.__annotations__) == list(Config.model_fields)


def test_choices_are_those_of_the_model() -> None:
    """Where the model takes some words only, the keyword takes the same."""
    hints = get_type_hints(ConfigFields)
    choices = {
        name: get_args(field.annotation)
        for name, field in Config.model_fields.items()
        if get_origin(field.annotation) is Literal
    }

    assert choices
    assert {name: get_args(hints[name]) for name in choices} == choices
