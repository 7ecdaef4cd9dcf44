"""Numbers and runs in words: the same on a terminal, in plain lines and in a log."""

from __future__ import annotations

from datetime import datetime

from kada_athena_async.events import DeliveryFinished, DeliveryStarted, Event, RunStarted
from kada_athena_async.observers.picture import Picture
from kada_athena_async.observers.safe import safe

_SHOWN_TROUBLES = 5
_SHOWN_WARNINGS = 4


def moment(at: datetime) -> str:
    """A time as the high-water mark writes it."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def duration(seconds: float) -> str:
    """``4.2 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"

    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"

    return f"{minutes // 60} h {minutes % 60} min"


def size(number_bytes: int) -> str:
    """``512 B``, ``1.5 KB``, ``20 MB``: powers of 1,000, two digits where they matter."""
    amount = float(number_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"

        amount /= 1000

    return f"{amount:.1f} TB"


def counted(number: int, noun: str) -> str:
    """``1 unit``, ``1,200 units``, ``2 retries``."""
    if number == 1:
        return f"1 {noun}"

    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"


def opening(run: RunStarted) -> str:
    """The first line of a run."""
    verb = "continues" if run.is_resumed else "started"
    where = f", talking to {safe(run.endpoint_url)}" if run.endpoint_url else ""
    return (
        f"run {run.run_id} of {safe(run.name)} {verb}: "
        f"{moment(run.start)} to {moment(run.end)} UTC{where}"
    )


def delivery(event: Event) -> list[str]:
    """What is said of the way to the landing: its beginning and its end."""
    match event:
        case DeliveryStarted():
            files = counted(event.files, "file")
            return [f"delivering {files}, {size(event.size_bytes)}, to {safe(event.place)}"]
        case DeliveryFinished():
            there = f"; {event.skipped:,} were there" if event.skipped else ""
            took = duration(event.duration_s)
            files = counted(event.sent, "file")
            return [f"delivered {files}, {size(event.sent_bytes)}, in {took}{there}"]
        case _:
            return []


def between(before: Picture, run: RunStarted) -> list[str]:
    """What is said of an interrupted run that was finished first, as *run* follows it."""
    if before.run is None or before.run.run_id == run.run_id or before.finished:
        return []

    files = counted(len(before.files), "file")
    rows = counted(sum(file.rows for file in before.files), "row")
    return [f"run {before.run.run_id} is finished: {files}, {rows}", *_troubles(before)]


def closing(picture: Picture) -> list[str]:
    """The last lines of a run: what came of it, in which files, and what went wrong.

    Every line is safe to show; together they fit a screen.
    """
    finished = picture.finished
    if finished is None:
        return []

    verb = "committed" if finished.committed else "nothing committed"
    lines = [f"{verb} after {duration(finished.duration_s)} ({_calls(picture)})"]
    for file in picture.files:
        rows = f"{file.rows:>10,} rows" if file.kind in finished.rows else " " * 15
        lines.append(f"  {rows} {size(file.size_bytes):>8}  {safe(file.name, limit=120)}")

    return lines + _troubles(picture) + _warnings(picture)


def _calls(picture: Picture) -> str:
    finished = picture.finished
    words = [counted(sum(finished.calls.values()), "call") if finished else ""]
    throttled = sum(picture.throttles.values())
    if throttled:
        words.append(f"{throttled:,} throttled")

    if picture.retries:
        words.append(counted(picture.retries, "retry"))

    if picture.scanned_bytes:
        words.append(f"{size(picture.scanned_bytes)} scanned")

    return ", ".join(words)


def _troubles(picture: Picture) -> list[str]:
    if not picture.troubles:
        return []

    lines = [
        f"  {unit.outcome}: {safe(unit.unit_id, limit=80)}: {safe(unit.reason)}"
        for unit in picture.troubles[:_SHOWN_TROUBLES]
    ]
    more = len(picture.troubles) - _SHOWN_TROUBLES
    if more > 0:
        lines.append(f"  and {more:,} more; the whole list: --json")

    return [f"{counted(len(picture.troubles), 'unit')} not done:", *lines]


def _warnings(picture: Picture) -> list[str]:
    # Each was shown when it came; here it is only recalled, for who looks at the end alone.
    codes = list(dict.fromkeys(warning.code for warning in picture.warnings))
    if not codes:
        return []

    more = ", ..." if len(codes) > _SHOWN_WARNINGS else ""
    return [
        f"{counted(len(picture.warnings), 'warning')}: {', '.join(codes[:_SHOWN_WARNINGS])}{more}"
    ]
