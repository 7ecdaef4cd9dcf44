"""Names in the conditions of a statement, found without a parser, in linear time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""--[^\n]* | /\*(?:.*?\*/|.*) | '[^']*'?
    | (?P<quoted>"[^"]*"? | `[^`]*`?) | (?P<word>[^\W\d]\w*) | (?P<mark>[(),])""",
    re.VERBOSE | re.DOTALL,
)
# Other names for columns: WITH a (x) AS (SELECT ...), (SELECT ...) AS a (x).
_RENAMED = re.compile(
    r"\b(?:with|recursive)\s+\w+\s*\([^()]*\)\s*as\b|\)\s*(?:,\s*\w+\s*\([^()]*\)\s*as\b|as\s+\w+\s*\()",
    re.IGNORECASE,
)
_CONDITION = frozenset(("where", "on", "using", "having", "qualify"))
_OTHER = frozenset(
    ("from", "join", "group", "order", "limit", "offset", "window", "union", "intersect", "except")
)


@dataclass(slots=True)
class _Clause:
    """A clause, or what stands between parentheses in it.

    Attributes:
        item: The names of the item of a SELECT list that is being read.
    """

    is_condition: bool = False
    is_list: bool = False
    item: list[str] = field(default_factory=list)


def condition_names(sql: str) -> frozenset[str] | None:
    """Names in WHERE, ON, USING and HAVING, in lower case; None if *sql* does not say them.

    So is it where it reads from nothing, or gives columns other names by their place. A name that
    a SELECT list gives to an expression stands for the names in it. The names do not say which
    table they belong to.
    """
    reading = _Reading()
    for token in _TOKEN.finditer(sql):
        if mark := token["mark"]:
            reading.mark(mark)
        elif word := token["word"]:
            reading.word(word.lower())
        elif quoted := token["quoted"]:
            reading.name(quoted.strip('"`').lower())

    is_said = reading.has_from and not _RENAMED.search(sql)
    return reading.found() if is_said else None


class _Reading:
    def __init__(self) -> None:
        self._clauses = [_Clause()]
        self._names: set[str] = set()
        self._aliases: dict[str, set[str]] = {}
        self.has_from = False

    def mark(self, mark: str) -> None:
        clause = self._clauses[-1]
        if mark == "(":
            self._clauses.append(_Clause(is_condition=clause.is_condition))
        elif mark == ",":
            self._end_item(clause)
        elif len(self._clauses) > 1:
            # The item around the parentheses is made of what stands in them.
            self._end_item(clause)
            self._clauses.pop()
            around = self._clauses[-1]
            shorter, longer = sorted((around.item, clause.item), key=len)
            longer += shorter
            around.item = longer

    def word(self, word: str) -> None:
        clause = self._clauses[-1]
        if word in _CONDITION or word in _OTHER or word == "select":
            self._end_item(clause)
            clause.is_condition = word in _CONDITION
            clause.is_list = word == "select"
            self.has_from |= word == "from"
        else:
            self.name(word)

    def name(self, name: str) -> None:
        clause = self._clauses[-1]
        clause.item.append(name)
        if clause.is_condition:
            self._names.add(name)

    def _end_item(self, clause: _Clause) -> None:
        if clause.is_list and len(clause.item) > 1:
            self._aliases.setdefault(clause.item[-1], set()).update(clause.item[:-1])

        if clause.is_list or len(self._clauses) == 1:
            clause.item = []

    def found(self) -> frozenset[str]:
        names = set(self._names)
        waiting = [name for name in names if name in self._aliases]
        while waiting:
            new = self._aliases.pop(waiting.pop(), set()) - names
            names |= new
            waiting += [name for name in new if name in self._aliases]

        return frozenset(names)
