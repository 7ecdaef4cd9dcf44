"""Masks error messages: the values, names of persons and pieces of statements that they repeat.

The rule is closed: a word stays that is the engine's or a service's own (message_words.py) or that
stands in the masked statement, which is published beside the message. So the wording of a message
need not be known for the row's value in it to be hidden. Kept are also the error's code, the
position, parameters of types, counts with their unit, and S3 buckets.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from kada_athena_async.sql.message_words import AFTER_SLOT, MESSAGE_WORDS, NAME_WORDS

PLACEHOLDER = "?"

# The code of the error and the position in the statement stay, whatever follows.
_PREFIX = re.compile(
    r"\s*(?:FAILED:\s*|\[ErrorCode: [A-Z][A-Z0-9]{0,40}(?:_[A-Z0-9]{1,40}){0,12}\]\s*)?"
    r"(?:(?P<code>[A-Z][A-Z0-9]{0,40}(?:_[A-Z0-9]{1,40}){1,12}):\s*)?"
    r"(?:line [0-9]{1,6}:[0-9]{1,6}:\s*)?"
)
# Their text is written by the author of the statement, fail('...'), or of a Lambda function.
_USER_CODES = frozenset(("GENERIC_USER_ERROR", "USER_ERROR"))

# Trino's parser quotes the statement itself, quotes and all, so that no quote after "input" can be
# trusted to be the last one.
_INPUT = re.compile(
    r"\b(?:at|mismatched|extraneous|illegal) input\b:?\s*(?=\S)",
    re.IGNORECASE,
)
# What follows is the text of a Lambda function's author, however it is set apart.
_REST_IS_WRITTEN = re.compile(r"\bmessage\s*[:=\[(]\s*(?=\S)", re.IGNORECASE)

# An apostrophe within a word opens nothing, and a closing quote has no word after it. What is
# never closed reaches to the end.
_QUOTED = re.compile(
    r"(?:(?<!\w)'|'(?!(?:s|re|ve)\b)(?!(?<=n')t\b))(?:[^']|'(?=\w))*(?:'|\Z)"
    r'|"[^"]*(?:""[^"]*)*(?:"|\Z)'
    r"|`[^`]*(?:`|\Z)|´[^´]*(?:´|\Z)|＂[^＂]*(?:＂|\Z)|＇[^＇]*(?:＇|\Z)"
    r"|[“”„«»][^“”«»]*(?:[“”«»]|\Z)"
    r"|[‘‚‹›](?:[^’‹›]|[’](?=\w))*(?:[’‹›]|\Z)"
)

# What a name of the statement, or of a type, may follow in quotes or after a colon; or nothing but
# the code and the position.
_NOUN = re.compile(
    r"\A\Z|\b(?:column|table|schema|catalog|database|view|function|relation|alias|input|type)s?"
    r"(?: name)?:?\s*\Z",
    re.IGNORECASE,
)

# What follows a colon is data, unless the words before it announce something of the service's own.
_COLON = re.compile(r":\s+(?=\S)")
_SERVICE_WORDS = re.compile(
    r"(?:status code|error code|\(service|code|request id|\buser|perform|on resource|location|url"
    r"|scanned|limit|cancell?ed!|requests|due to|operator|permission\(s\)|access denied)\s*\Z",
    re.IGNORECASE,
)
_LABEL_CHARS = 24
_FOLLOWING = re.compile(r"[^\s,;]+")
_WORDS = re.compile(r"\w+")

# Whom a session or a user belongs to (IAM user guide, "IAM identifiers"); the role stays.
_PERSON = re.compile(r"(\b(?:assumed-role/[^/\s]{1,200}|user)/)[^\s,;)\]]+")

# Where a value stands without quotes, though it may be a word that engines use too: "Cannot cast
# open to date", "duplicate key closed", "{status=open}", "open is not a valid value".
_NO_VALUE = rf"(?!(?:{'|'.join(AFTER_SLOT)})\b)"
_TYPE_NAMES = "date|timestamp|time|decimal|double|real|bigint|integer|number|boolean|interval|uuid"
_SLOT = re.compile(
    rf"""(?P<before>\b(?:cast|convert|parse|encode|decode|values?|keys?|entry|character|token|row|rows
        |record|string|index|group|bound|year|percentile|decimal|got|found|near|but|because|path|name
        |number|input|unparseable|partitions?|argument|parse\ (?:{_TYPE_NAMES}))\ \(?
        |\w=|:\[|\bcolumn\ [\w.]+\ \()
    (?P<data>{_NO_VALUE}[\w-]+(?:\ {_NO_VALUE}[\w-]+)*)
    | \A(?P<first>{_NO_VALUE}[\w-]+)(?=\ is\ not\ (?:a\ )?valid\b)""",
    re.VERBOSE | re.IGNORECASE,
)

_APART = r"""\s()\[\]{}<>,;:.!?"'`/="""
_WORD = rf"(?:[^{_APART}]|(?<=\w)'(?=\w{{1,2}}\b))+"
_PIECE = re.compile(
    rf"""
      \bline\ [0-9]{{1,6}}:[0-9]{{1,6}}\b
    | (?P<arn>\barn:aws[a-z-]{{0,20}}:(?!s3:)[a-z0-9-]{{1,40}}:[^\s,;()\[\]]*)
    | \b(?P<bucket>(?:s3[an]?://|arn:aws[a-z-]{{0,20}}:s3:::)[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9])
        (?:(?P<key>/[^\s,;)\]}}"'`]+)|(?![^/\s,;)]))
    | (?i:\b(?:varchar|char|decimal|time|timestamp)\([0-9]{{1,7}}(?:,\ ?[0-9]{{1,2}})?\))
    | (?i:\b(?:code|column|field):?\ [0-9]{{1,3}}(?!\w))
    | (?i:\blimit\ of\ [0-9]{{1,3}}(?:\.[0-9]{{1,2}})?[a-z]{{0,3}}(?![\w.]*[0-9]))
    | (?P<address>[^{_APART}@]*@[^\s,;()\[\]]*)
    | (?P<word>{_WORD})
    """,
    re.VERBOSE,
)
# With what seems a word of the engine within a value: 4111 Main Street.
_HIDDEN = re.compile(r"\?(?:[\s.:/=-]*(?:[A-Z][a-z]+[\s.,/-]+)?\?)+")
_PART = re.compile(r"S3|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W_]+|\W")
_LONG_NUMBER = re.compile(r"[0-9](?:-?[0-9]){3,}")


def words_of(text: str) -> frozenset[str]:
    """The words of a masked statement, in lower case: they may stay in a message about it."""
    return frozenset(match.group().lower() for match in re.finditer(_WORD, text))


def mask_message(text: str, names: Collection[str] = frozenset()) -> str:
    """Return *text* with ``?`` for what may be data, a person's name or a piece of a statement.

    Args:
        names: Words of the statement that may stay, as ``words_of`` returns them.
    """
    prefix = _PREFIX.match(text)
    code = prefix["code"] if prefix else None
    head, rest = (text[: prefix.end()], text[prefix.end() :]) if prefix else ("", text)
    if not rest:
        return text

    if code in _USER_CODES:
        return head + PLACEHOLDER

    if (found := _INPUT.search(rest)) and not _names_input(rest, found.end(), names):
        rest = rest[: found.end()] + PLACEHOLDER
    if found := _REST_IS_WRITTEN.search(rest):
        rest = rest[: found.end()] + PLACEHOLDER
    rest = _QUOTED.sub(lambda match: _quoted_name(match, names) or PLACEHOLDER, rest)
    rest = _PERSON.sub(r"\1?", _before_data(rest, names))
    rest = _SLOT.sub(lambda match: _without_value(match, names), rest)

    rest = _PIECE.sub(lambda match: _keep(match, names), rest)
    return head + _HIDDEN.sub(PLACEHOLDER, rest)


def _names_input(text: str, start: int, names: Collection[str]) -> bool:
    quoted = _QUOTED.match(text, start)
    return quoted is not None and _quoted_name(quoted, names) is not None


def _quoted_name(match: re.Match[str], names: Collection[str]) -> str | None:
    """The quoted text where the words before it announce a name, and the statement has it."""
    quoted = match.group()
    return quoted if _is_name(match.string, match.start(), quoted, names) else None


def _is_name(text: str, start: int, name: str, names: Collection[str]) -> bool:
    if not _NOUN.search(text, max(0, start - _LABEL_CHARS), start):
        return False

    words = words_of(name)
    return bool(words) and all(word in names or word in NAME_WORDS for word in words)


def _before_data(text: str, names: Collection[str]) -> str:
    last_word_end = max((word.end() for word in _WORDS.finditer(text)), default=0)
    for colon in _COLON.finditer(text):
        start, end = colon.span()
        is_service = _SERVICE_WORDS.search(text, max(0, start - _LABEL_CHARS), start)
        if is_service or text.startswith("User: arn:aws", end):
            continue

        following = _FOLLOWING.match(text, end)
        if following and _is_name(text, end, following.group(), names):
            continue

        return text[:end] + PLACEHOLDER if end < last_word_end else text

    return text


def _without_value(match: re.Match[str], names: Collection[str]) -> str:
    data = match["data"] or match["first"]
    is_named = all(word.lower() in names for word in data.split())
    return (match["before"] or "") + (data if is_named else PLACEHOLDER)


def _keep(match: re.Match[str], names: Collection[str]) -> str:
    if match["arn"]:
        return _LONG_NUMBER.sub(PLACEHOLDER, match.group())

    if match["key"]:
        return f"{match['bucket']}/{PLACEHOLDER}"

    word = match["word"]
    is_own = _is_own(word, names) if word else match["address"] is None
    return match.group() if is_own else PLACEHOLDER


def _is_own(word: str, names: Collection[str]) -> bool:
    """True for a word of the statement, and for words of messages joined by - and _ or in one."""
    lower = word.lower()
    if lower in MESSAGE_WORDS or lower in names:
        return True

    parts = _PART.findall(word)
    return all(part.lower() in MESSAGE_WORDS or _is_mark(part) for part in parts)


def _is_mark(part: str) -> bool:
    return part.isascii() and not part.isalnum()
