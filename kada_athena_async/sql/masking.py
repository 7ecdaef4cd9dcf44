"""Hides the literals and comments of SQL text, and the values that error messages repeat.

All functions fail closed: text that cannot be masked with certainty gives way to a remark on its
length. Neither raises, and masking what is masked already changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kada_athena_async.sql.engine_choice import EngineChoice, choose_engine
from kada_athena_async.sql.literals import PLACEHOLDER, Literal, find_literals, splice
from kada_athena_async.sql.locations import find_locations
from kada_athena_async.sql.tokens import Engine

MAX_MASKABLE_CHARS = 524_288
"""Longer texts are not looked at. Athena takes statements of 262,144 bytes and Glue view texts of
409,600 characters (Athena service quotas; Glue API, TableInput.ViewOriginalText)."""

# Trino's parser quotes the statement itself, quotes and all, so that no quote after "input" can be
# trusted to be the last one. After the others the offending value stands without any quotes.
_REST_IS_DATA = re.compile(
    r"(?:\b(?:at|mismatched|extraneous|invalid|illegal) input|recognition error at"
    r"|for input string|not present in map|cannot be cast to [^:\n]*(?=:)|malformed at|unparseable"
    r"|invalid format|could not parse|failed to parse|error parsing[^:\n]*(?=:)|duplicate map keys)"
    r"\b:?\s*(?=\S)",
    re.IGNORECASE,
)
# An apostrophe within a word opens nothing, and a closing quote has no word after it. What is
# never closed reaches to the end.
_QUOTED = re.compile(
    r"(?:(?<!\w)'|'(?!(?:s|re|ve|ll|d|m)\b)(?!(?<=n')t\b))(?:[^']|'(?=\w))*(?:'|\Z)"
    r'|"[^"]*(?:""[^"]*)*(?:"|\Z)'
    r"|`[^`]*(?:`|\Z)|´[^´]*(?:´|\Z)|＂[^＂]*(?:＂|\Z)|＇[^＇]*(?:＇|\Z)"
    r"|[“”„«»][^“”«»]*(?:[“”«»]|\Z)"
    r"|[‘‚‹›](?:[^’‹›]|[’](?=\w))*(?:[’‹›]|\Z)"
)
_NUMBER_OR_ADDRESS = re.compile(
    r"(?P<position>\bline [0-9]{1,6}:[0-9]{1,6}\b)"
    r"|[^\s<>()\[\],;:=]{1,64}@[^\s<>()\[\],;:=]+"
    r"|\d(?:[-./:_+ ]?\d)*"
)
_KEPT_DIGITS = 3

HIVE_DIALECTS = ("hive", "spark")
"""Dialects of views whose literals are Hive's."""

_REMARK = re.compile(r"<unmaskable: [0-9]+ characters>")


def mask_sql(
    text: str,
    *,
    statement_type: str | None = None,
    substatement_type: str | None = None,
    dialect: str | None = None,
    is_failed: bool = False,
    keep_s3_locations: bool = False,
) -> str:
    """Return *text* with ``?`` for every literal and with empty comments; all else is as it was.

    Kept are names, keywords, parameters of types, and ordinals of GROUP BY and ORDER BY. Where the
    text leaves it open which of Athena's engines reads it, what either takes for a literal is
    hidden.

    Args:
        statement_type, substatement_type: What Athena says that the statement is.
        dialect: Whose SQL the text of a view is: ``athena``, one of ``HIVE_DIALECTS``, or another
            such as ``redshift``, of which what any engine takes for a literal is hidden.
        is_failed: The statement never ran, so its author may have quoted wrongly: a text in double
            quotes, which is a name to Trino, is hidden too.
        keep_s3_locations: Whether a literal that is an S3 location as a whole, right after
            LOCATION, TO or ``external_location =``, stays.
    """
    if _REMARK.fullmatch(text):
        return text

    if len(text) > MAX_MASKABLE_CHARS:
        return _remark(text)

    try:
        choice = choose_engine(
            text, statement_type=statement_type, substatement_type=substatement_type
        )
        if dialect in HIVE_DIALECTS:
            choice = EngineChoice(Engine.HIVE, True)
        elif dialect not in (None, "athena"):
            choice = EngineChoice(Engine.TRINO, False)
        literals, is_clean = find_literals(text, choice.engine)
        engines = [choice.engine]
        if is_failed or not (choice.is_certain and is_clean):
            engines = list(Engine)
            literals = _merge(x for engine in Engine for x in find_literals(text, engine)[0])
        if keep_s3_locations:
            literals = _without_locations(text, literals)
        masked = splice(text, literals)
        return masked if _is_masked(masked, engines, keep_s3_locations) else _remark(text)
    except Exception:
        # Whatever went wrong, the text itself must not get out: not as a value, not in a traceback.
        return _remark(text)


def mask_text(text: str) -> str:
    """Return a message with ``?`` for what it may repeat of a statement or of the data.

    That is: everything in quotes, all that follows words that announce a value or a piece of the
    statement, numbers of more than three digits (dates and such count as one) and addresses with
    an ``@``. The position that Trino gives, such as ``line 12:7``, stays.
    """
    if _REMARK.fullmatch(text):
        return text

    if len(text) > MAX_MASKABLE_CHARS:
        return _remark(text)

    masked = _mask_message(text)
    return masked if _mask_message(masked) == masked else _remark(text)


def _mask_message(text: str) -> str:
    if announced := _REST_IS_DATA.search(text):
        text = text[: announced.end()] + PLACEHOLDER

    return _NUMBER_OR_ADDRESS.sub(_hide_long, _QUOTED.sub(PLACEHOLDER, text))


def _hide_long(match: re.Match[str]) -> str:
    found = match.group()
    is_short = "@" not in found and sum(map(str.isdecimal, found)) <= _KEPT_DIGITS
    return found if match["position"] or is_short else PLACEHOLDER


def is_unmaskable(masked: str) -> bool:
    """True if *masked* is the remark that stands for a text that could not be masked."""
    return _REMARK.fullmatch(masked) is not None


def _remark(text: str) -> str:
    return f"<unmaskable: {len(text)} characters>"


def _merge(literals: Iterable[Literal]) -> list[Literal]:
    """The union of what two readings hide: overlapping pieces become one."""
    merged: list[Literal] = []
    for literal in sorted(literals):
        last = merged[-1] if merged else None
        if last is None or literal.start >= last.end:
            merged.append(literal)
        elif literal != last:
            merged[-1] = Literal(last.start, max(last.end, literal.end), PLACEHOLDER)

    return merged


def _without_locations(text: str, literals: list[Literal]) -> list[Literal]:
    kept = {literal for literal, _ in find_locations(text, literals)}
    return [literal for literal in literals if literal not in kept] if kept else literals


def _is_masked(masked: str, engines: Iterable[Engine], keep_s3_locations: bool) -> bool:
    """The check of the result: reading it again finds nothing more to hide."""
    for engine in engines:
        literals = find_literals(masked, engine)[0]
        if keep_s3_locations:
            literals = _without_locations(masked, literals)
        for start, end, replacement in literals:
            if masked[start:end] != replacement:
                return False

    return True
