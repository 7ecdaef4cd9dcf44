"""Masks error messages: the values, names of persons and pieces of statements that they repeat.

Trino and Hive put a row's value after a colon, between quotes, or bare between their own words.
Kept are the error's code, the position and the service's own words.
"""

from __future__ import annotations

import re

PLACEHOLDER = "?"

# The code of the error and the position in the statement stay, whatever follows.
_PREFIX = re.compile(
    r"\s*(?:(?P<code>[A-Z][A-Z0-9_]{2,63}):\s*)?(?:line [0-9]{1,6}:[0-9]{1,6}:\s*)?"
)
# Their text is written by the author of the statement, fail('...'), or of a Lambda function.
_USER_CODES = frozenset(("GENERIC_USER_ERROR", "USER_ERROR"))

# Errors about a value of a row: of their text only words that are Trino's own are kept.
_DATA_CODES = re.compile(
    "INVALID_(?:CAST|FUNCTION)_ARGUMENT|INVALID_(?:ARGUMENTS?|LITERAL|VALUE|PARAMETER_USAGE)"
    "|NUMERIC_VALUE_OUT_OF_RANGE|[A-Z]+_BAD_DATA|[A-Z]+_INVALID_PARTITION_VALUE"
    "|HIVE_PARTITION_SCHEMA_MISMATCH|JSON_[A-Z_]+|PATH_EVALUATION_ERROR|CONSTRAINT_VIOLATION"
    "|CATALOG_STORE_ERROR|ARITHMETIC_OVERFLOW|MERGE_TARGET_ROW_MULTIPLE_MATCHES"
)
_ABOUT_VALUE = re.compile(
    r"\A\W*(?:cannot (?:cast|convert|parse)|value \w)|cannot be (?:cast|represented|converted)\b"
    r"|out of range\b|\bnot a valid\b",
    re.IGNORECASE,
)
_OWN_WORDS_TEXT = """
    a above allowed an and any are argument arguments array as at be beginning between bigint
    boolean bounds by cannot cast casting char character characters coercion column columns contain
    contains conversion convert converted could date day days decimal declared does double
    duplicate empty end error exceed exceeds expected exponent failed field file first for format
    found from function general greater had has hive hour iceberg in index input int integer
    interval invalid ipaddress is it json key keys last least length less line long map match
    matches max maximum may millisecond min minimum minute mismatch missing month more must
    negative new no non not null number numeric of on one only or out outside overflow parameter
    parse parsed parsing part partition path pattern positive precision present prohibited range
    read real regular represented represents required result row rows scale schema schemas second
    size smallint split string subscript supported table than that the there time timestamp tinyint
    to too type types unable unexpected union unit unknown unsupported uuid valid value values
    varbinary varchar when while with within without year zero zone
"""
_OWN_WORDS = frozenset(_OWN_WORDS_TEXT.split())
_WORD = re.compile(r"[^\s()\[\]{}<>,;:.!?\"'`]+")

# Trino's parser quotes the statement itself, quotes and all, so that no quote after "input" can be
# trusted to be the last one. After the others the offending value stands without any quotes.
_REST_IS_DATA = re.compile(
    r"(?:\b(?:at|mismatched|extraneous|illegal) input|malformed at|unparseable|could not parse"
    r"|failed to parse|duplicate map keys)\b:?\s*(?=\S)",
    re.IGNORECASE,
)
_REST_IS_WRITTEN = re.compile(r"\bmessage\s*[:=\[(]\s*(?=\S)", re.IGNORECASE)

# An apostrophe within a word opens nothing, and a closing quote has no word after it. What is
# never closed reaches to the end.
_QUOTED = re.compile(
    r"(?:(?<!\w)'|'(?!(?:s|re|ve|ll|d|m)\b)(?!(?<=n')t\b))(?:[^']|'(?=\w))*(?:'|\Z)"
    r'|"[^"]*(?:""[^"]*)*(?:"|\Z)'
    r"|`[^`]*(?:`|\Z)|´[^´]*(?:´|\Z)|＂[^＂]*(?:＂|\Z)|＇[^＇]*(?:＇|\Z)"
    r"|[“”„«»][^“”«»]*(?:[“”«»]|\Z)"
    r"|[‘‚‹›](?:[^’‹›]|[’](?=\w))*(?:[’‹›]|\Z)"
)

# What follows a colon is data, unless the words before it announce something of the service's own.
_COLON = re.compile(r":\s+(?=\S)")
_SERVICE_WORDS = re.compile(
    r"(?:status code|error code|\(service|code|request id|\buser|perform|on resource|location|url"
    r"|scanned|limit|cancell?ed!|requests|due to)\s*\Z",
    re.IGNORECASE,
)
_LABEL_CHARS = 24
_NO_WORD = re.compile(r"\W*\Z")

# Whom a session or a user belongs to (IAM user guide, "IAM identifiers"); the role stays.
_PERSON = re.compile(r"(\b(?:assumed-role/[^/\s]{1,200}|user)/)[^\s,;)\]]+")
_PARTITION = re.compile(r"(/[^/=\s]{1,200}=)[^/\s]+")
_TOKEN = re.compile(r"[^\s<>()\[\],;:=]+")
_NUMBER = re.compile(r"(?P<position>\bline [0-9]{1,6}:[0-9]{1,6}\b)|\d(?:[-./:_+ ]?\d)*")
_KEPT_DIGITS = 3


def mask_message(text: str) -> str:
    """Return *text* with ``?`` for what may be data, a person's name or a piece of a statement."""
    prefix = _PREFIX.match(text)
    code = prefix["code"] if prefix else None
    head, rest = (text[: prefix.end()], text[prefix.end() :]) if prefix else ("", text)
    if not rest:
        return text

    if code in _USER_CODES:
        return head + PLACEHOLDER

    for announcement in (_REST_IS_DATA, _REST_IS_WRITTEN):
        if found := announcement.search(rest):
            rest = rest[: found.end()] + PLACEHOLDER
    rest = _before_data(_QUOTED.sub(PLACEHOLDER, rest))
    rest = _PARTITION.sub(r"\1?", _PERSON.sub(r"\1?", rest))
    if "@" in rest:
        rest = _TOKEN.sub(_hide_address, rest)
    rest = _NUMBER.sub(_hide_long, rest)
    if _DATA_CODES.fullmatch(code) if code else _ABOUT_VALUE.search(rest):
        rest = _WORD.sub(_keep_own, rest)

    return head + rest


def _before_data(text: str) -> str:
    for colon in _COLON.finditer(text):
        start, end = colon.span()
        if _SERVICE_WORDS.search(text, max(0, start - _LABEL_CHARS), start):
            continue
        if not _NO_WORD.match(text, end):
            return text[:end] + PLACEHOLDER

    return text


def _hide_address(match: re.Match[str]) -> str:
    return PLACEHOLDER if "@" in match.group()[1:-1] else match.group()


def _hide_long(match: re.Match[str]) -> str:
    found = match.group()
    is_short = sum(map(str.isdecimal, found)) <= _KEPT_DIGITS
    return found if match["position"] or is_short else PLACEHOLDER


def _keep_own(match: re.Match[str]) -> str:
    word = match.group()
    is_number = word.isdecimal()
    return word if is_number or word.lower() in _OWN_WORDS else PLACEHOLDER
