"""Finds the S3 locations that a statement names, which are literals but hold no data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from kada_athena_async.sql.engine_choice import find_query
from kada_athena_async.sql.literals import Literal, splice

# A bucket's name has 3 to 63 of these characters (S3 User Guide, "Bucket naming rules"). With a
# quote or a backslash inside it would be open where the string ends.
_LOCATION = re.compile(r"""(?P<quote>['"])(?P<url>s3a?://[a-z0-9.-]{3,63}/[^\s'"\\]*)(?P=quote)""")
_BEFORE = re.compile(r"(?:\blocation|\bto|\bexternal_location\s*=)\s*\Z", re.IGNORECASE)
_PROPERTY = re.compile(r"\blocation\s*=\s*\Z", re.IGNORECASE)
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


def find_table_location(text: str, literals: Sequence[Literal]) -> list[str]:
    """The location of the Iceberg table that a CTAS makes: its property ``location``, if any.

    Athena user guide, "CREATE TABLE AS", table properties. Of any other statement ``location = ``
    may compare a column, so that the mask hides it.
    """
    for index, (start, end, _) in enumerate(literals):
        match = _LOCATION.fullmatch(text, start, end)
        if match and _PROPERTY.search(text, max(0, start - _LOOK_BACK_CHARS), start):
            is_property = not find_query(splice(text[:start], literals[:index]))
            return [match["url"]] if is_property else []

    return []
