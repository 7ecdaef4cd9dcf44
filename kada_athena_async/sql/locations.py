"""Finds the S3 locations that a statement names, which are literals and yet no one's data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kada_athena_async.sql.literals import Literal

# A bucket's name has 3 to 63 of these characters (S3 User Guide, "Bucket naming rules"). With a
# quote or a backslash inside it would be open where the string ends.
_LOCATION = re.compile(r"""(?P<quote>['"])(?P<url>s3a?://[a-z0-9.-]{3,63}/[^\s'"\\]*)(?P=quote)""")
_BEFORE = re.compile(r"(?:\blocation|\bto|\bexternal_location\s*=)\s*\Z", re.IGNORECASE)
_LOOK_BACK_CHARS = 60


def find_locations(text: str, literals: Iterable[Literal]) -> Iterator[tuple[Literal, str]]:
    """Yield those of *literals* that are an S3 location as a whole, with the location.

    Only right after LOCATION, TO or ``external_location =``, for elsewhere it may be anything.

    Args:
        literals: Literals and comments of *text*, in order and apart, so that no word of a comment
            counts as the word before.
    """
    position = 0
    for literal in literals:
        start, end, _ = literal
        match = _LOCATION.fullmatch(text, start, end)
        if match and _BEFORE.search(text, max(position, start - _LOOK_BACK_CHARS), start):
            yield literal, match["url"]
        position = end
