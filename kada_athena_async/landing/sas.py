"""SAS tokens of Azure, as far as they speak of themselves."""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import parse_qs


def sas_end(token: str) -> datetime | None:
    """Expiry of a SAS token; None if the token gives none in a form that can be read."""
    text = parse_qs(token).get("se", [""])[0].replace("Z", "+00:00")
    try:
        ends = datetime.fromisoformat(text)
    except ValueError:
        return None

    return ends if ends.tzinfo else ends.replace(tzinfo=timezone.utc)
