"""Pages with opaque tokens, and AWS's refusal of sizes out of range."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from kada_athena_async.sandbox.wire import AwsError, text

Item = TypeVar("Item")


class PageRule(NamedTuple):
    """Paging of an operation.

    Attributes:
        error_code: What a bad size or token is refused with.
    """

    smallest: int
    largest: int
    default: int
    error_code: str = "InvalidRequestException"


def page_size(parameters: Mapping[str, object], rule: PageRule) -> int:
    """The MaxResults of a request, or the operation's default.

    Raises:
        AwsError: It is out of the operation's range.
    """
    asked = parameters.get("MaxResults")
    if asked is None:
        return rule.default

    if not isinstance(asked, int) or isinstance(asked, bool):
        raise AwsError("SerializationException", "MaxResults: expected an integer")

    if rule.smallest <= asked <= rule.largest:
        return asked or rule.default

    bound = "less than or equal to" if asked > rule.largest else "greater than or equal to"
    limit = rule.largest if asked > rule.largest else rule.smallest
    raise AwsError(
        rule.error_code,
        f"1 validation error detected: Value '{asked}' at 'maxResults' failed to satisfy "
        f"constraint: Member must have value {bound} {limit}",
    )


def write_token(scope: str, position: object) -> str:
    """An opaque token for *position* that is good for *scope* only."""
    return base64.urlsafe_b64encode(msgspec.json.encode([scope, position])).decode().rstrip("=")


def read_token(parameters: Mapping[str, object], scope: str, rule: PageRule) -> object | None:
    """The position of a request's NextToken; None without one.

    Raises:
        AwsError: The token was never given out, or for something else.
    """
    token = text(parameters, "NextToken")
    if not token:
        return None

    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        token_scope, position = msgspec.json.decode(raw, type=tuple[str, object])
    except (binascii.Error, UnicodeError, ValueError, msgspec.DecodeError):
        token_scope, position = None, None

    if token_scope != scope:
        raise AwsError(rule.error_code, "The NextToken is invalid or has expired")

    return position


def page(
    items: Sequence[Item],
    parameters: Mapping[str, object],
    *,
    scope: str,
    rule: PageRule,
    at_most: int | None = None,
) -> tuple[Sequence[Item], str | None]:
    """The page of *items* that a request asks for, and the token of the next one.

    Args:
        at_most: Cuts the page shorter, as AWS may; the token then goes on from there.
    """
    size = page_size(parameters, rule)
    position = read_token(parameters, scope, rule)
    start = position if isinstance(position, int) else 0
    end = start + (size if at_most is None else min(size, at_most))
    token = write_token(scope, end) if end < len(items) else None
    return items[start:end], token
