"""Mutation: each alternative of each pattern that masks is needed by some test statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from kada_athena_async.sql import engine_choice, literals, locations, messages, tokens
from kada_athena_async.sql.masking import mask_sql, mask_text
from tests.unit.sql.labelled import LABELLED
from tests.unit.sql.test_masking import EXACT, MESSAGES
from tests.unit.sql.test_messages import KEPT, VALUES

PATTERNS: dict[str, list[tuple[ModuleType, str]]] = {
    "tokens": [(tokens, "_TRINO"), (tokens, "_HIVE")],
    "GROUP BY, ORDER BY": [(literals, "_BEFORE_BY")],
    "end of ordinals": [(literals, "_ENDS_ORDINALS")],
    "after an ordinal": [(literals, "_AFTER_ORDINAL")],
    "numbers": [(literals, "_NUMBER_SHAPE")],
    "words before a location": [(locations, "_BEFORE")],
    "verbs of Trino": [(engine_choice, "_TRINO_VERB")],
    "announced data": [(messages, "_INPUT"), (messages, "_REST_IS_WRITTEN")],
    "quotes in messages": [(messages, "_QUOTED")],
    "pieces of messages": [(messages, "_PIECE")],
    "names of persons": [(messages, "_PERSON")],
}


ONLY_JOINS = (
    *("-(?!-)", r"/(?!\*)", r"\.(?![0-9])", r"\$(?!\$)", r"[^\D0-9]", r"[\s\S]", r"[^\w\s"),
)
"""Beginnings of alternatives that make one token of what may as well be several."""


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


def _begin(alternative: str) -> str:
    """An alternative without the space and the groups that it begins with."""
    return re.sub(r"^(?:\s|\((?!\?!)(?:\?:)?)+", "", alternative)


def failures() -> int:
    """Count of the labelled statements and messages that are masked wrongly."""
    count = 0
    for case in LABELLED:
        masked = mask_sql(case.sql, **case.types)
        count += any(secret in masked for secret in case.secret)
        count += any(text not in masked for text in case.keep)

    count += sum(mask_sql(sql, **facts) != (masked or sql) for sql, facts, masked in EXACT)
    told = [*MESSAGES, *VALUES, *((message, None) for message in KEPT)]
    return count + sum(mask_text(text) != (masked or text) for text, masked in told)


def mutants(places: list[tuple[ModuleType, str]]) -> Iterator[dict[tuple[ModuleType, str], str]]:
    """For each alternative of the patterns: the patterns in which it never matches."""
    patterns = {place: getattr(*place).pattern for place in places}
    found: dict[str, dict[tuple[ModuleType, str], list[tuple[int, int]]]] = {}
    for place, pattern in patterns.items():
        for start, end in alternatives(pattern):
            if _begin(pattern[start:end]).startswith(ONLY_JOINS):
                continue
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
