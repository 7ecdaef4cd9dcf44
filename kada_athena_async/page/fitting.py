"""The data of a site, cut to a number of bytes, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kada_athena_async.page.packing import json_text, pack

_NO_EDGES = {
    "kinds": [],
    "rows": {
        name: [] for name in ("step", "target", "kind", "direct", "executions", "lastAt", "pairs")
    },
}
_LISTS = {
    "advice": ("findings",),
    "changes": ("tables", "columns", "leftOut"),
    "completeness": ("problems", "gaps", "warnings"),
    "estate": ("doubtful_schemas",),
    "history": ("statements", "workgroups", "people", "tools", "failures"),
}
_WHOLE_LISTS = ("runList", "files", "calls")


def fitted(head: dict[str, Any], parts: dict[str, bytes], max_bytes: int) -> dict[str, bytes]:
    """The parts of a site with its head, in *max_bytes*; none if only its summary fits.

    The head says what was left out (``leftOut``), beside what is left out already.
    """
    left_out: list[str] = [*head["leftOut"]]
    for words, smaller, kept in _steps(head, parts):
        left_out += [words] if words else []
        found = {"head": pack(json_text({**smaller, "leftOut": left_out})), **kept}
        if sum(map(len, found.values())) <= max_bytes:
            return found

    return {}


def _steps(
    head: dict[str, Any], parts: dict[str, bytes]
) -> Iterator[tuple[str, dict[str, Any], dict[str, bytes]]]:
    """Yield what is left out by then, with head and parts, each smaller than the one before."""
    yield "", head, parts

    kept = {name: part for name, part in parts.items() if not name.startswith("details-")}
    kept.pop("names", None)
    details = {**head["details"], "columns": 0, "packets": 0, "leftOut": []}
    head = {**head, "details": details}
    yield "columns, comments, users and view texts of all tables", head, kept

    words = "lineage of columns" if kept.pop("pairs", None) else ""
    head = {**head, "lineage": {**head["lineage"], "pairCap": 0}}
    yield words, head, kept

    head = _cut(head, 25)
    yield "the ends of long lists", head, kept

    kept["edges"] = pack(json_text(_NO_EDGES))
    head = {**head, "lineage": {**head["lineage"], "shown": 0}}
    yield "lineage of tables", head, kept

    yield "", _cut(head, 3), kept


def _cut(head: dict[str, Any], count: int) -> dict[str, Any]:
    """*head* with the first *count* entries of each of its lists, but for those by day."""
    found = {**head, **{name: head[name][:count] for name in _WHOLE_LISTS}}
    for name, lists in _LISTS.items():
        if head[name] is not None:
            found[name] = {**head[name], **{each: head[name][each][:count] for each in lists}}

    hours = head["history"]["hours"]
    found["history"]["hours"] = {name: values[:count] for name, values in hours.items()}
    return found
