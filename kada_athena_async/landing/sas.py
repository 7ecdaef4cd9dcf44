"""SAS tokens of Azure, as far as they speak of themselves.

Fields: https://learn.microsoft.com/rest/api/storageservices/create-service-sas
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs

_SKEW = timedelta(minutes=15)
"""So far a clock may be wrong: Azure's advice for the start of a token (the page above)."""


def sas_end(token: str) -> datetime | None:
    """Expiry of a SAS token; None if the token gives none in a form that can be read."""
    return _time(token, "se")


def why_untimely(token: str, now: datetime) -> str:
    """Reason why the token cannot be used at *now*, for the end of a sentence; empty if it can."""
    start, end = _time(token, "st"), _time(token, "se")
    if end is not None and now >= end:
        return f": it expired at {end:%Y-%m-%d %H:%M:%S} UTC"

    if start is not None and now + _SKEW < start:
        return f": it begins at {start:%Y-%m-%d %H:%M:%S} UTC"

    return ""


def _time(token: str, field: str) -> datetime | None:
    text = parse_qs(token).get(field, [""])[0].replace("Z", "+00:00")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None

    return found.astimezone(timezone.utc) if found.tzinfo else found.replace(tzinfo=timezone.utc)
