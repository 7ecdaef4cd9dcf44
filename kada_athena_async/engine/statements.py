"""The statements that a caller may look at and overwrite."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.sources.statement_texts import (
    PLACEHOLDERS,
    STATEMENT_COLUMNS,
    default_texts,
)


def known_statement(texts: Mapping[str, str], name: str) -> str:
    """The text of the statement *name*.

    Raises:
        ConfigError: There is no such statement.
    """
    if name not in texts:
        known = ", ".join(texts)
        raise ConfigError([Problem("sql_name", repr(name), f"name one of {known}")], source="call")

    return texts[name]


def overwritten_digest(texts: Mapping[str, str]) -> str:
    """SHA-256 of the statements that differ from ours; empty if none does."""
    own = default_texts()
    changed = {name: text for name, text in texts.items() if text != own.get(name)}
    if not changed:
        return ""

    return hashlib.sha256(json.dumps(changed, sort_keys=True).encode()).hexdigest()


def check_overwritten(name: str, statement: str) -> None:
    """Refuse a *statement* that cannot stand in for *name*.

    Raises:
        ConfigError: It lacks a placeholder or a column.
    """
    from kada_athena_async.sql.projection import output_columns

    problems = [
        Problem(name, "statement", f"put the placeholder {placeholder} back")
        for placeholder in PLACEHOLDERS
        if placeholder not in statement
    ]
    filled = statement.replace("{0}", '"catalog"').replace("{1}", "1 = 1")
    found = output_columns(filled)
    if found is None:
        problems.append(Problem(name, "statement", "write one SELECT that Athena can parse"))
    else:
        lost = [column for column in STATEMENT_COLUMNS[name] if column not in found]
        problems += [Problem(name, "statement", f"put the column {column} back") for column in lost]

    if problems:
        raise ConfigError(problems, source="overwritten statement")
