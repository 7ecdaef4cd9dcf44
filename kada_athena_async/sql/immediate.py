"""The statement that EXECUTE IMMEDIATE runs, which stands in a literal of another."""

from __future__ import annotations

from itertools import islice

from kada_athena_async.sql.engine_choice import first_words
from kada_athena_async.sql.tokens import Engine, Kind, significant_tokens, unescaped


def immediate_text(sql: str) -> str | None:
    """The statement in the literal of EXECUTE IMMEDIATE; None if there is none."""
    # Reading words takes long; most texts do not even hold this one.
    if "immediate" not in sql.lower():
        return None

    words = first_words(sql)
    if words[:2] == ["explain", "analyze"]:  # which runs it
        words = words[3 if words[2:3] == ["verbose"] else 2 :]
    if words[:2] != ["execute", "immediate"]:
        return None

    return _first_string(sql)


def _first_string(sql: str) -> str | None:
    """The value of the first string of *sql*; None if there is none that can be read."""
    tokens = significant_tokens(sql, Engine.TRINO)
    first = next((token for token in tokens if token.kind is Kind.STRING), None)
    if first is None:
        return None

    text = sql[first.start : first.end]
    if text[0] == "'":
        return text[1:-1].replace("''", "'")

    if text[0] not in "uU":
        return None

    escape = "\\"
    after = [sql[token.start : token.end] for token in islice(tokens, 2)]
    if len(after) == 2 and after[0].lower() == "uescape":
        escape = after[1][1:-1]
    return unescaped(text[3:-1].replace("''", "'"), escape) if len(escape) == 1 else None


def immediate_statement(inner: str) -> str:
    """The EXECUTE IMMEDIATE that runs *inner*."""
    return "EXECUTE IMMEDIATE '" + inner.replace("'", "''") + "'"
