"""Mutation: each alternative of each pattern that masks is needed by some test statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from kada_athena_async.sql import (
    engine_choice,
    literals,
    locations,
    mask_sql,
    mask_text,
    masking,
    tokens,
)
from tests.unit.sql.labelled import LABELLED
from tests.unit.sql.test_masking import EXACT, MESSAGES

PATTERNS: dict[str, list[tuple[ModuleType, str]]] = {
    "tokens": [(tokens, "_TRINO"), (tokens, "_HIVE")],
    "parameters of types": [(literals, "_TYPE_PARAMETERS")],
    "GROUP BY, ORDER BY": [(literals, "_BY")],
    "end of ordinals": [(literals, "_ENDS_ORDINALS")],
    "after an ordinal": [(literals, "_AFTER_ORDINAL")],
    "numbers": [(literals, "_NUMBER_SHAPE")],
    "words before a location": [(locations, "_BEFORE")],
    "verbs of Trino": [(engine_choice, "_TRINO_VERB")],
    "announced data": [(masking, "_REST_IS_DATA")],
    "quotes in messages": [(masking, "_QUOTED")],
    "numbers and addresses in messages": [(masking, "_NUMBER_OR_ADDRESS")],
}


def alternatives(pattern: str) -> Iterator[tuple[int, int]]:
    """Where each alternative of *pattern* stands, at any depth."""
    starts, bars, position = [0], [False], 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position += 1
        elif character == "[":
            closing = pattern.index("]", position + (3 if pattern[position + 1] == "^" else 2))
            while pattern[closing - 1] == "\\" and pattern[closing - 2] != "\\":
                closing = pattern.index("]", closing + 1)
            position = closing
        elif character == "(":
            opening = re.compile(r"\((?:\?(?:[:=!]|<[=!]|P<\w+>|i:))?").match(pattern, position)
            assert opening
            position = opening.end() - 1
            starts.append(position + 1)
            bars.append(False)
        elif character in "|)":
            if character == "|" or bars[-1]:
                yield starts[-1], position
            if character == ")":
                starts.pop()
                bars.pop()
            else:
                starts[-1] = position + 1
                bars[-1] = True
        position += 1

    if bars[-1]:
        yield starts[-1], len(pattern)


def failures() -> int:
    """How many of the labelled statements and messages are masked wrongly."""
    count = 0
    for case in LABELLED:
        masked = mask_sql(case.sql, **case.types)
        count += any(secret in masked for secret in case.secret)
        count += any(text not in masked for text in case.keep)

    count += sum(mask_sql(sql, **facts) != (masked or sql) for sql, facts, masked in EXACT)
    return count + sum(mask_text(text) != (masked or text) for text, masked in MESSAGES)


def mutants(places: list[tuple[ModuleType, str]]) -> Iterator[dict[tuple[ModuleType, str], str]]:
    """For each alternative of the patterns: the patterns in which it never matches."""
    patterns = {place: getattr(*place).pattern for place in places}
    found: dict[str, dict[tuple[ModuleType, str], list[tuple[int, int]]]] = {}
    for place, pattern in patterns.items():
        for start, end in alternatives(pattern):
            found.setdefault(pattern[start:end], {}).setdefault(place, []).append((start, end))

    for spans_of in found.values():
        mutant = {}
        for place, spans in spans_of.items():
            text = patterns[place]
            for start, end in sorted(spans, reverse=True):
                text = f"{text[:start]}(?:(?!){text[start:end]}){text[end:]}"
            mutant[place] = text
        yield mutant


@pytest.mark.parametrize("places", PATTERNS.values(), ids=PATTERNS)
def test_every_alternative_is_needed(
    places: list[tuple[ModuleType, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any one alternative of a pattern something is masked wrongly."""
    assert failures() == 0
    survivors = []
    for mutant in mutants(places):
        with monkeypatch.context() as patched:
            for (module, name), text in mutant.items():
                flags = getattr(module, name).flags
                patched.setattr(module, name, re.compile(text, flags))
            if not failures():
                survivors.append(mutant)

    assert survivors == []
