"""A run in JSON lines."""

from __future__ import annotations

import json
from datetime import datetime, timezone

from kada_athena_async.events import Event, SiteEvent, Warned
from kada_athena_async.observers.jsonlines import JsonLines
from kada_athena_async.redact import Redactor

NOW = datetime(2026, 11, 23, 5, 0, 1, 500_000, tzinfo=timezone.utc)


def told(events: list[Event]) -> list[str]:
    lines: list[str] = []
    observer = JsonLines(lines.append, redact=Redactor(['can"ary-secret']), clock=lambda: NOW)
    for event in events:
        observer(event)

    return lines


def test_every_event_is_one_object(run_events: list[Event]) -> None:
    """Its name, the time, and all its facts; times in ISO 8601."""
    objects = [json.loads(line) for line in told(run_events)]

    assert len(objects) == len(run_events)
    assert objects[0] == {
        "event": "run_started",
        "at": "2026-11-23T05:00:01.500Z",
        "run_id": "01J",
        "name": "athena",
        "start": "2026-10-09T05:00:00.000Z",
        "end": "2026-11-23T05:00:00.000Z",
        "output_path": "/tmp/output",
        "endpoint_url": "http://127.0.0.1:4566",
        "is_resumed": False,
    }
    assert objects[3]["units"] == ["metadata/a", "history/b"]
    assert objects[-1]["calls"] == {"athena:ListQueryExecutions": 14}


def test_an_event_of_a_site_says_which() -> None:
    """As the event itself, with one member more."""
    (line,) = told([SiteEvent(site="au", event=Warned(code="gap", message="a gap"))])

    assert json.loads(line) == {
        "event": "warned",
        "at": "2026-11-23T05:00:01.500Z",
        "site": "au",
        "code": "gap",
        "message": "a gap",
        "hint": "",
    }


def test_hostile_names_stay_in_their_line(hostile_events: list[Event]) -> None:
    """A terminal that shows the lines comes to no harm, and a reader gets the name as it is."""
    lines = told(hostile_events)

    assert all(line.isascii() and line.isprintable() for line in lines)
    assert json.loads(lines[3])["unit_id"].startswith("tables\x1b]52")


def test_secrets_do_not_show() -> None:
    """Found before JSON escapes their quotes."""
    assert "ary-secret" not in "".join(told([Warned(code="x", message='a can"ary-secret b')]))
