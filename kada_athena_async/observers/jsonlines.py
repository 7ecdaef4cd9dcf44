"""A run as JSON lines: one object an event, for programs."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kada_athena_async.events import Event


class JsonLines:
    """Observer that writes each event as ``{"event": "unit_finished", "at": ..., ...}``.

    An event of one site of several carries ``"site"`` beside its own members.

    Args:
        write: Takes a line without its end.
        clock: Says what time it is, in UTC.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        redact: Callable[[str], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._write = write
        self._redact = redact
        self._clock = clock

    def __call__(self, event: Event) -> None:
        # Not at the top: commands that only show files in JSON have no use for it.
        from kada_athena_async.events import SiteEvent  # noqa: PLC0415

        site: dict[str, object] = {}
        if isinstance(event, SiteEvent):
            site, event = {"site": event.site}, event.event

        facts = {f.name: getattr(event, f.name) for f in dataclasses.fields(event)}
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
        self.notify(name, {**site, **facts})

    def notify(self, event: str, facts: Mapping[str, object]) -> None:
        """Write something that is no event of the engine, such as its report or an error."""
        redacted = {name: self._redacted(value) for name, value in facts.items()}
        line = {"event": event, "at": _iso(self._clock()), **redacted}
        # ASCII leaves no control character in a line, except the one that JSON does not escape.
        self._write(json.dumps(line, default=str).replace("\x7f", "\\u007f"))

    def _redacted(self, value: object) -> object:
        """*value* with secrets out of its texts, before JSON's quotes and escapes hide them."""
        if isinstance(value, datetime):
            return _iso(value)

        if isinstance(value, str):
            return self._redact(value)

        if isinstance(value, Mapping):
            return {self._redact(str(k)): self._redacted(v) for k, v in value.items()}

        if isinstance(value, (list, tuple)):
            return [self._redacted(part) for part in value]

        return value


def _iso(at: datetime) -> str:
    return at.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
