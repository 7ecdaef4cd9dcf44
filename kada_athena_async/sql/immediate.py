"""The statement that EXECUTE IMMEDIATE runs, which stands in a literal of another."""

from __future__ import annotations

from kada_athena_async.sql.engine_choice import first_words
from kada_athena_async.sql.tokens import Engine, Kind, tokenize


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

    strings = (token for token in tokenize(sql, Engine.TRINO) if token.kind is Kind.STRING)
    first = next(strings, None)
    text = sql[first.start : first.end] if first else ""
    return text[1:-1].replace("''", "'") if text[:1] == "'" else None


def immediate_statement(inner: str) -> str:
    """The EXECUTE IMMEDIATE that runs *inner*."""
    return "EXECUTE IMMEDIATE '" + inner.replace("'", "''") + "'"
