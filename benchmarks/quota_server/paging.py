"""Pages: the window that a request asks for, within the service's limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.quota_server.errors import ServiceError


class Page(NamedTuple):
    """Items from *start* to before *stop*; *token* leads to the next page, if there is one."""

    start: int
    stop: int
    token: str | None


def page(
    request: Mapping[str, object], *, total: int, limit: int, default: int | None = None
) -> Page:
    """The page of *total* items that *request* asks for by MaxResults and NextToken.

    Raises:
        ServiceError: MaxResults is beyond *limit*, or the token is not ours.
    """
    size = request.get("MaxResults")
    if size is None:
        size = limit if default is None else default

    if not isinstance(size, int) or not 0 <= size <= limit:
        raise ServiceError("InvalidRequestException", f"MaxResults is not in [0, {limit}]")

    token = request.get("NextToken") or "0"
    if not isinstance(token, str) or not token.isdigit():
        raise ServiceError("InvalidRequestException", "Invalid NextToken")

    start = int(token)
    stop = min(total, start + (size or limit))
    return Page(start, stop, str(stop) if stop < total else None)


def tail(token: str | None) -> str:
    """The NextToken member, as the end of a JSON object that has members before it."""
    return "}" if token is None else f',"NextToken":"{token}"' + "}"
