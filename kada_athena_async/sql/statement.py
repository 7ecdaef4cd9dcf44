"""A statement as lineage sees it: free of literals, its kind known, its query cut out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from kada_athena_async.sql.engine_choice import find_query
from kada_athena_async.sql.names import NAME_PATTERN, QUALIFIED_PATTERN, split_name

NOT_UNDERSTOOD = frozenset(("unknown", "execute", "immediate"))
"""Problems of a statement of which nothing is known: what it reads, nobody can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """Kind of a statement, from its first words.

    Attributes:
        kind: QUERY, INSERT, CTAS, VIEW, UNLOAD, DELETE, UPDATE, MERGE, CREATE, ALTER, RENAME,
            DROP, MAINTAIN (OPTIMIZE, VACUUM), EXECUTE, IMMEDIATE, NONE or UNKNOWN.
        target: Parts of the name of what it writes; empty if there is none.
        renamed: Parts of the name that *target* had before a RENAME.
        target_columns: The columns of the target that the statement names.
        partition: The columns in Hive's PARTITION (...), each True if its value is given there.
        query: The text to parse; empty if there is nothing to parse.
        is_explained: EXPLAIN without ANALYZE, or PREPARE: nothing is run.
        name: Of the prepared statement that EXECUTE runs.
    """

    kind: str
    target: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    target_columns: tuple[str, ...] = ()
    partition: tuple[tuple[str, bool], ...] = ()
    query: str = ""
    is_explained: bool = False
    name: str = ""


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    route: Callable[[re.Match[str], str], Routed]


def route(text: str) -> Routed:
    """Tell what *text* is, which has no comments and ``?`` for each literal."""
    return _route(text.strip().rstrip("; \t\r\n"), _RULES)


def _route(text: str, rules: Sequence[_Rule]) -> Routed:
    for pattern, build in rules:
        if match := pattern.match(text):
            return build(match, text)

    return Routed(kind="UNKNOWN", query=text)


def _target(match: re.Match[str], group: str = "target") -> tuple[str, ...]:
    """The parts of a target's name; Hive knows no dot in a name: `schema.table` are two.

    SHOW CREATE TABLE prints the names in this way.
    """
    parts = split_name(match[group])
    if "`" not in match[group]:
        return parts

    return tuple(piece for part in parts for piece in part.split("."))


def _names(kind: str, *, has_query: bool = False) -> Callable[[re.Match[str], str], Routed]:
    """A statement with a target, and perhaps a query that is the whole of it."""

    def build(match: re.Match[str], text: str) -> Routed:
        query = text if has_query else ""
        return Routed(kind=kind, target=_target(match), query=query)

    return build


def _query(match: re.Match[str], text: str) -> Routed:
    return Routed(kind="QUERY", query=text[match.start("query") :])


def _insert(match: re.Match[str], text: str) -> Routed:
    columns = split_name(match["columns"] or "")
    spec = (match["partition"] or "").split(",")
    partition = tuple((name, "=" in item) for item in spec for name in split_name(item)[:1])
    return Routed(
        kind="INSERT",
        target=_target(match),
        target_columns=columns,
        partition=partition,
        query=text[match.end() :],
    )


def _create(match: re.Match[str], text: str) -> Routed:
    target = _target(match)
    begin = find_query(text)
    listed = _COLUMN_LIST.match(text, match.end())
    columns = split_name(_COMMENT.sub("", listed["columns"])) if listed else ()
    if match["view"]:
        query = text[begin:] if begin else ""
        return Routed(kind="VIEW", target=target, target_columns=columns, query=query)

    if match["external"] or not begin:
        return Routed(kind="CREATE", target=target)

    query = _WITH_DATA.sub("", text[begin:])
    return Routed(kind="CTAS", target=target, target_columns=columns, query=query)


def _rename(match: re.Match[str], text: str) -> Routed:
    return Routed(kind="RENAME", target=_target(match), renamed=_target(match, "renamed"))


def _unload(match: re.Match[str], text: str) -> Routed:
    return Routed(kind="UNLOAD", query=match["query"])


def _explain(match: re.Match[str], text: str) -> Routed:
    inner = _route(text[match.end() :], _PLAIN_RULES)
    return inner if match["analyze"] else replace(inner, is_explained=True)


def _using(match: re.Match[str], text: str) -> Routed:
    return _route(text[match.end() :], _PLAIN_RULES)


def _prepare(match: re.Match[str], text: str) -> Routed:
    inner = _route(text[match.end() :], _UNPREPARED_RULES)
    return replace(inner, is_explained=True)


def _execute(match: re.Match[str], text: str) -> Routed:
    return Routed(kind="EXECUTE", name=split_name(match["name"], keeps_case=True)[0])


def _none(match: re.Match[str], text: str) -> Routed:
    return Routed(kind="NONE")


def _immediate(match: re.Match[str], text: str) -> Routed:
    return Routed(kind="IMMEDIATE")


def _rule(pattern: str, build: Callable[[re.Match[str], str], Routed]) -> _Rule:
    # No space need stand before a quote: INSERT INTO"t".
    spaced = pattern.replace(" ", r"(?:\s+|(?=[\"`]))").replace("TARGET", "(?P<target>QUALIFIED)")
    spaced = spaced.replace("QUALIFIED", QUALIFIED_PATTERN)
    return _Rule(re.compile(spaced.replace("NAME", NAME_PATTERN), re.IGNORECASE), build)


_COMMENT = re.compile(r"\scomment\s*\?", re.IGNORECASE)
_LISTED = rf"{NAME_PATTERN}(?:\s+comment\s*\?)?"
_COLUMN_LIST = re.compile(
    rf"\s*\((?P<columns>\s*{_LISTED}(?:\s*,\s*{_LISTED})*)\s*\)", re.IGNORECASE
)
_WITH_DATA = re.compile(r"\swith\s+(?:no\s+)?data\s*\Z", re.IGNORECASE)
_PLAIN_RULES = (
    _rule(r"(?P<query>[(\s]*(?:select|with|values|table)\b)", _query),
    _rule(
        r"insert (?:into|overwrite) (?:table )?TARGET\s*"
        r"(?:partition\s*\((?P<partition>[^()]*)\)\s*(?:if not exists )?)?"
        r"(?P<columns>\(\s*(?!select\b|with\b|values\b|table\b)NAME(?:\s*,\s*NAME)*\s*\))?\s*",
        _insert,
    ),
    _rule(
        r"create (?:or replace )?(?P<external>external )?(?:protected )?(?:multi dialect )?"
        r"(?:table|(?P<view>(?:materialized )?view)) (?:if not exists )?TARGET",
        _create,
    ),
    _rule(r"unload\s*\((?P<query>[\s\S]*)\)\s*to\b", _unload),
    _rule(r"delete from TARGET", _names("DELETE", has_query=True)),
    _rule(r"update TARGET", _names("UPDATE", has_query=True)),
    _rule(r"merge into TARGET", _names("MERGE", has_query=True)),
    _rule(r"execute immediate\b", _immediate),
    _rule(r"execute (?P<name>NAME)", _execute),
    _rule(r"(?:optimize|vacuum) TARGET", _names("MAINTAIN")),
    _rule(r"alter table (?:if exists )?(?P<renamed>QUALIFIED) rename to TARGET\Z", _rename),
    _rule(r"alter (?:table|view) (?:if exists )?TARGET", _names("ALTER")),
    _rule(r"msck repair table TARGET", _names("ALTER")),
    _rule(r"drop (?:table|(?:materialized )?view) (?:if exists )?TARGET", _names("DROP")),
    _rule(r"refresh materialized view TARGET", _names("MAINTAIN")),
    _rule(r"truncate (?:table )?TARGET", _names("MAINTAIN")),
    _rule(
        r"(?:show|describe|desc|use|set|reset|deallocate|create|drop|alter|msck|grant|revoke|call"
        r"|analyze|refresh|start|commit|rollback|comment)\b",
        _none,
    ),
)
_EXPLAIN = _rule(
    r"explain\b\s*(?P<analyze>analyze\b\s*)?(?:verbose\b\s*)?"
    r"(?:\((?!\s*(?:select|with|values|table)\b)[^()]*\)\s*)?",
    _explain,
)
_USING = _rule(
    r"using (?:external )?function [\s\S]*?"
    r"(?:\b(?:lambda|sagemaker)\s*\?|\bwith\s*\([^()]*\))(?!\s*,)\s*",
    _using,
)
# Neither explains an EXPLAIN nor prepares a PREPARE: however often the words are repeated.
_UNPREPARED_RULES = (*_PLAIN_RULES, _EXPLAIN, _USING)
_RULES = (*_UNPREPARED_RULES, _rule(r"prepare NAME from ", _prepare))
