"""Hides the literals and comments of SQL text, and the values that error messages repeat.

All functions fail closed: text that cannot be masked with certainty gives way to a remark on its
length. Neither raises, and masking what is masked already changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kada_athena_async.sql.bare_values import find_bare_values
from kada_athena_async.sql.engine_choice import EngineChoice, choose_engine
from kada_athena_async.sql.literals import PLACEHOLDER, Literal, find_literals, splice
from kada_athena_async.sql.locations import find_locations
from kada_athena_async.sql.messages import mask_message, words_of
from kada_athena_async.sql.quoted_names import without_table_names
from kada_athena_async.sql.tokens import Engine
from kada_athena_async.sql.wrong_quotes import find_wrong_quotes, with_doubled_quotes

MAX_MASKABLE_CHARS = 524_288
"""Longer texts are not looked at. Athena takes statements of 262,144 bytes and Glue view texts of
409,600 characters (Athena service quotas; Glue API, TableInput.ViewOriginalText)."""

MAX_MESSAGE_CHARS = 16_384
"""Reasons of failures are a few hundred characters; the event loop waits for what is matched."""

_MAX_READINGS = 4
"""Of a message, until reading it again finds nothing more to hide; then nothing of it is shown."""

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
            quotes, which is a name to Trino, is hidden too, unless it is the name of a table.
        keep_s3_locations: True if a literal that is an S3 location as a whole, right after
            LOCATION, TO or ``external_location =``, stays.
    """
    read = SqlText(
        text,
        statement_type=statement_type,
        substatement_type=substatement_type,
        dialect=dialect,
        is_failed=is_failed,
    )
    return read.masked(keep_s3_locations=keep_s3_locations)


class SqlText:
    """A text whose literals are found once, however often it is masked.

    Args:
        text: The text; the others as for ``mask_sql``.
    """

    def __init__(
        self,
        text: str,
        *,
        statement_type: str | None = None,
        substatement_type: str | None = None,
        dialect: str | None = None,
        is_failed: bool = False,
    ) -> None:
        self._text = text
        self._is_failed = is_failed
        self._engines: tuple[Engine, ...] = ()
        self._literals: list[Literal] | None = None  # None if it cannot be masked
        if len(text) > MAX_MASKABLE_CHARS:
            return

        try:
            choice = choose_engine(
                text, statement_type=statement_type, substatement_type=substatement_type
            )
            if dialect in HIVE_DIALECTS:
                choice = EngineChoice(Engine.HIVE, True)
            elif dialect not in (None, "athena"):
                choice = EngineChoice(Engine.TRINO, False)
            self._find(choice)
        except Exception:
            # Whatever went wrong, the text itself must not get out in a traceback.
            self._literals = None

    def _find(self, choice: EngineChoice) -> None:
        text, is_failed = self._text, self._is_failed
        literals, is_clean = find_literals(text, choice.engine)
        found = {choice.engine: literals}
        self._engines = (choice.engine,)
        if is_failed or not (choice.is_certain and is_clean):
            self._engines = tuple(Engine)
            for engine in self._engines:
                if engine is not choice.engine:
                    found[engine] = find_literals(text, engine)[0]
            if is_failed:
                found[Engine.HIVE] = without_table_names(text, found[Engine.HIVE])
            literals = _merge([*found[Engine.TRINO], *found[Engine.HIVE]])
        if is_failed:
            literals = with_doubled_quotes(text, literals)
            readings = list(found.values())
            wrong = find_wrong_quotes(text, readings, literals, choice.engine)
            literals = _merge([*literals, *wrong])
        if Engine.HIVE in self._engines:
            literals = _merge([*literals, *find_bare_values(text, literals)])
        self._literals = literals

    def masked(self, *, keep_s3_locations: bool = False) -> str:
        """The text as ``mask_sql`` returns it."""
        text, literals = self._text, self._literals
        if _REMARK.fullmatch(text):
            return text

        if literals is None:
            return _remark(text)

        try:
            if keep_s3_locations:
                literals = _without_locations(text, literals)
            masked = splice(text, literals)
            is_masked = _is_masked(masked, self._engines, keep_s3_locations, self._is_failed)
            return masked if is_masked else _remark(text)
        except Exception:
            # As above.
            return _remark(text)


def mask_text(text: str, statement: str = "") -> str:
    """Return a message with ``?`` for what it may repeat of a statement or of the data.

    Only words stay that the engines and services use themselves, and those of *statement*; nothing
    in quotes stays but a name that *statement* has, and nothing after a colon. Of an error that the
    author of a statement or of a Lambda function words only the code stays. The position that Trino
    gives, such as ``line 12:7``, parameters of types and S3 buckets stay. Of a message longer than
    ``MAX_MESSAGE_CHARS`` the rest is hidden.

    Args:
        statement: What the message is about, masked.
    """
    if _REMARK.fullmatch(text):
        return text

    names = words_of(statement)
    masked = text
    for _ in range(_MAX_READINGS):
        before, masked = masked, _masked_message(masked, names)
        if masked == before:
            return masked

    return _remark(text)


def _masked_message(text: str, names: frozenset[str]) -> str:
    masked = mask_message(text[:MAX_MESSAGE_CHARS], names)
    is_cut = len(text) > MAX_MESSAGE_CHARS and not masked.endswith(PLACEHOLDER)
    return masked + PLACEHOLDER if is_cut else masked


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


def _is_masked(
    masked: str, engines: Iterable[Engine], keep_s3_locations: bool, is_failed: bool
) -> bool:
    """The check of the result: reading it again finds nothing more to hide."""
    for engine in engines:
        literals = find_literals(masked, engine)[0]
        if is_failed and engine is Engine.HIVE:
            literals = without_table_names(masked, literals)
        if Engine.HIVE in engines:
            literals = _merge([*literals, *find_bare_values(masked, literals)])
        if keep_s3_locations:
            literals = _without_locations(masked, literals)
        for start, end, replacement in literals:
            if masked[start:end] != replacement:
                return False

    return True
