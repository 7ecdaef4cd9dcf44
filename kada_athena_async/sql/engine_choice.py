"""Decides which of Athena's two engines a statement is for, and whether that is certain."""

from __future__ import annotations

import re
from typing import NamedTuple

from kada_athena_async.sql.literals import find_literals, splice
from kada_athena_async.sql.tokens import Engine, Kind, tokenize


class EngineChoice(NamedTuple):
    """The engine, and False if another reading of the text cannot be ruled out."""

    engine: Engine
    is_certain: bool


# Athena User Guide, "Considerations and limitations for SQL queries": DDL is Hive's, everything
# else, views included, is Trino's.
_TRINO_VERB = re.compile(
    "select|with|insert|delete|update|merge|unload|values|table|explain|prepare|execute|deallocate"
    "|optimize|vacuum|using|call|refresh|grant|revoke|commit|rollback|start"
)
_HIVE_VERB = re.compile("msck|show|describe|desc|alter|use|set|reset|truncate")
_BEGIN = re.compile(r"[\s(]*([A-Za-z]+)(?!\w)")  # most statements begin without a comment
_HIVE_SUBSTATEMENT = re.compile("(?:CREATE|DROP|ALTER)_(?:TABLE|DATABASE|SCHEMA)|MSCK")
_BEFORE_NOUN = re.compile("or|replace|external|temporary|protected|multi|dialect")
_AS_QUERY = re.compile(
    r"\bas(?:\s|--\?|/\*\?\*/)*(?P<query>\(|(?:select|with|table|values)\b)", re.IGNORECASE
)
_QUOTED_NAME = re.compile(r'"[^"]*"|`[^`]*`')
_PASSED_OVER = (Kind.LINE_COMMENT, Kind.BLOCK_COMMENT, Kind.PAREN)
_SIGNIFICANT_WORDS = 8


def choose_engine(
    text: str, *, statement_type: str | None = None, substatement_type: str | None = None
) -> EngineChoice:
    """Choose the engine whose lexical rules apply to *text*.

    Args:
        statement_type: Athena's ``StatementType``: DML is always Trino's. DDL and UTILITY cover
            both engines, so the text decides there.
        substatement_type: Athena's ``SubstatementType``, such as ``CREATE_TABLE_AS_SELECT``.
    """
    by_text = _by_text(text)
    by_service = _by_service(statement_type, substatement_type)
    if by_service is None:
        return by_text

    return EngineChoice(by_service, by_text.engine is by_service)


def _by_service(statement_type: str | None, substatement_type: str | None) -> Engine | None:
    if statement_type == "DML" or substatement_type == "CREATE_TABLE_AS_SELECT":
        return Engine.TRINO

    if substatement_type and _HIVE_SUBSTATEMENT.match(substatement_type):
        return Engine.HIVE

    return None


def _by_text(text: str) -> EngineChoice:
    begin = _BEGIN.match(text)
    words = [begin[1].lower()] if begin else first_words(text)
    verb = words[0] if words else ""
    if _TRINO_VERB.fullmatch(verb):
        return EngineChoice(Engine.TRINO, True)

    if _HIVE_VERB.fullmatch(verb):
        return EngineChoice(Engine.HIVE, True)

    if verb in ("create", "drop"):
        return _by_noun(text, verb, first_words(text)[1:])

    return EngineChoice(Engine.TRINO, False)


def _by_noun(text: str, verb: str, words: list[str]) -> EngineChoice:
    """For CREATE and DROP: what is created or dropped decides."""
    noun = next((word for word in words if not _BEFORE_NOUN.fullmatch(word)), "")
    if noun == "view":
        return EngineChoice(Engine.TRINO, True)

    if noun != "table" or verb == "drop" or "external" in words[: words.index("table")]:
        return EngineChoice(Engine.HIVE, noun in ("table", "database", "schema"))

    has_query = {engine: _has_query(text, engine) for engine in Engine}
    engine = Engine.TRINO if has_query[Engine.TRINO] else Engine.HIVE
    return EngineChoice(engine, has_query[Engine.TRINO] == has_query[Engine.HIVE])


def first_words(text: str) -> list[str]:
    """The first words in lower case, comments passed over; ``?`` for anything that is no word."""
    words: list[str] = []
    for token in tokenize(text, Engine.TRINO):
        kind, start, end = token
        if kind is Kind.WORD:
            words.append(text[start:end].lower())
        elif kind not in _PASSED_OVER and not text[start:end].isspace():
            words.append("?")

        if len(words) == _SIGNIFICANT_WORDS:
            break

    return words


def _has_query(text: str, engine: Engine) -> bool:
    return find_query(splice(text, find_literals(text, engine)[0])) > 0


def find_query(masked: str) -> int:
    """Start of the query of ``CREATE ... AS query`` in masked text; 0 if there is none."""
    bare = _QUOTED_NAME.sub(lambda name: "x" * len(name.group()), masked)
    depth = position = 0
    for match in _AS_QUERY.finditer(bare):
        start = match.start()
        depth += bare.count("(", position, start) - bare.count(")", position, start)
        position = start
        if depth == 0:
            return match.start("query")

    return 0
