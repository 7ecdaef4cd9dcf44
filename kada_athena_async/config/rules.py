"""Rules for the values of the configuration: one small function each.

Each returns the value as the engine wants it or raises ValueError, whose text is the remedy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import SecretStr

from kada_athena_async.config.endpoint import check_endpoint, webhook_remedy

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_IPV4 = re.compile(r"\d+\.\d+\.\d+\.\d+")

_EXAMPLE_CHARACTERS = 200

# Partition, twelve digits, a path of its own: all are legal.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/([!-~]+/)?[\w+=,.@-]{1,64}")

# us-east-1, us-gov-west-1, us-isob-east-1, eusc-de-east-1: the third word is always a direction.
_REGION = re.compile(
    r"[a-z]{2,5}(-[a-z]{2,5})?-(north|south|east|west|central)(east|west)?-\d{1,2}"
)

# https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateWorkGroup.html
_WORKGROUP = re.compile(r"[a-zA-Z0-9._-]{1,128}")

# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)

HASH_KEY_CHARS = 16

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

# Joined to the instance's name by a hyphen, it begins the names of files; the two have room in 64.
_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def of_form(
    pattern: re.Pattern[str], remedy: str, *, or_empty: bool = False
) -> Callable[[str], str]:
    """The rule that a text matches *pattern* as a whole."""

    def rule(value: str) -> str:
        if not pattern.fullmatch(value) and (value or not or_empty):
            raise ValueError(remedy)

        return value

    return rule


instance_name = of_form(_NAME, "write 1 to 64 letters, digits, _ and -, not starting with a sign")
"""The name of a collector's instance: the first part of its files' names."""

site_name = of_form(_SITE, "write 1 to 40 letters, digits, _ and -, not starting with a sign")
"""The name of a site: a part of its files' names."""

workgroup = of_form(_WORKGROUP, "write a workgroup's name: 1 to 128 letters, digits, dots, _ and -")
external_id = of_form(
    _EXTERNAL_ID, "write 2 to 1224 letters, digits and any of _+=,.@:/-", or_empty=True
)
"""An external id as a trust policy can demand it; or empty."""

session_name = of_form(_SESSION_NAME, "write 2 to 64 letters, digits and any of _+=,.@-")
"""The name under which an assumed role appears in CloudTrail."""


def plain_text(value: str) -> str:
    """Text without control characters, not blank."""
    if not value.strip():
        raise ValueError("must not be empty")

    if _CONTROL.search(value):
        raise ValueError("remove the control characters")

    return value


def bucket_url(value: str) -> str:
    """An ``s3://bucket/prefix`` URL, without a slash at its end; or empty."""
    if not value:
        return value

    if not value.startswith("s3://"):
        raise ValueError("write s3://bucket/prefix")

    bucket, _, prefix = value.removeprefix("s3://").partition("/")
    if not _BUCKET.fullmatch(bucket) or ".." in bucket or _IPV4.fullmatch(bucket):
        raise ValueError(
            "the bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, "
            "as in s3://my-bucket/athena-results"
        )

    if _CONTROL.search(prefix) or "//" in prefix:
        raise ValueError("the prefix has control characters or empty parts (//)")

    return value.rstrip("/")


def region(value: str) -> str:
    """The code of an AWS region, not checked for Athena."""
    if not value:
        raise ValueError(
            "required: write the code of an AWS region, such as ap-southeast-2, or set AWS_REGION"
        )

    if not _REGION.fullmatch(value):
        raise ValueError("write the code of an AWS region, such as ap-southeast-2")

    return value


def role_arn(value: str) -> str:
    """The ARN of an IAM role; or empty."""
    if not value or _ROLE.fullmatch(value):
        return value

    if ":assumed-role/" in value:
        raise ValueError("this is a session; write the role: arn:aws:iam::<account>:role/<name>")

    raise ValueError("write a whole ARN, such as arn:aws:iam::123456789012:role/KadaAthenaRole")


def hash_key(value: SecretStr) -> SecretStr:
    """The key of the pseudonyms, long enough that nobody finds it by trying; or empty."""
    if 0 < len(value.get_secret_value()) < HASH_KEY_CHARS:
        raise ValueError(f"write {HASH_KEY_CHARS} characters or more")

    return value


def absolute_path(value: str) -> Path:
    """An absolute path of this operating system; it is not tried here."""
    if not value:
        raise ValueError("write an absolute directory, such as /tmp/output")

    if _CONTROL.search(value):
        raise ValueError("remove the control characters")

    if "://" in value:
        raise ValueError("write an absolute directory of this machine; this is a URL")

    if value.startswith("~"):
        raise ValueError(f"write the directory in full: {_example(Path(value).expanduser())}")

    if not Path(value).is_absolute():
        example = _example(Path(value).absolute())
        raise ValueError(f"write an absolute directory, such as {example}")

    return Path(value)


def _example(path: Path) -> str:
    """*path* as a message can show it; another example if it is long, unprintable or unexpanded."""
    text = str(path)
    is_fit = len(text) <= _EXAMPLE_CHARACTERS and text.isprintable() and "$" not in text
    return text if is_fit else "/tmp/output"


def directory(value: object) -> object:
    """A text as an ``absolute_path``; whatever else it is, its type is refused elsewhere."""
    return absolute_path(value) if isinstance(value, str) else value


def names(values: Sequence[str]) -> tuple[str, ...]:
    """At least one name, none twice, whatever its case; ``*`` stands alone."""
    if not values:
        raise ValueError('write at least one name, or ["*"] for all')

    # Athena ignores the case of catalogs.
    _check_texts(values, key=str.lower)
    if "*" in values and len(values) > 1:
        raise ValueError('"*" means all and stands alone')

    for value in values:
        if value != "*" and re.search(r"[*?\[\]]", value):
            raise ValueError(f'write whole names, or "*" alone for all; {value!a} is a pattern')

    return tuple(values)


def patterns(values: Sequence[str]) -> tuple[str, ...]:
    """Glob patterns, each once, with closed brackets; may be empty."""
    _check_texts(values)
    for value in values:
        if value.count("[") != value.count("]"):
            raise ValueError(f"close the bracket in {value!a}")

    return tuple(values)


def some_patterns(values: Sequence[str]) -> tuple[str, ...]:
    """Glob patterns, at least one."""
    if not values:
        raise ValueError('write at least one pattern, or ["*"] for all')

    return patterns(values)


def schema_patterns(values: Sequence[str]) -> tuple[str, ...]:
    """Glob patterns for ``catalog.schema``."""
    for value in values:
        if value != "*" and "." not in value:
            raise ValueError(f"write catalog.schema, such as *.{value or 'sales_*'}")

    return patterns(values)


def some_schema_patterns(values: Sequence[str]) -> tuple[str, ...]:
    """Glob patterns for ``catalog.schema``, at least one."""
    some_patterns(values)
    return schema_patterns(values)


def endpoint(value: str) -> str:
    """A URL that ``check_endpoint`` lets pass."""
    problem = check_endpoint(value)
    if problem:
        raise ValueError(problem.remedy)

    return value.rstrip("/")


def command(values: Sequence[str]) -> tuple[str, ...]:
    """A program and its arguments, or nothing."""
    if any("\0" in value for value in values):
        raise ValueError("remove the control characters")

    if values and not values[0].strip():
        raise ValueError('write the program first, such as ["/usr/local/bin/notify"]')

    return tuple(values)


def webhook(value: SecretStr) -> SecretStr:
    """A URL that receives runs, or nothing; it is never quoted, for it may hold a token."""
    url = value.get_secret_value()
    remedy = webhook_remedy(url) if url else ""
    if remedy:
        raise ValueError(remedy)

    return value


def _check_texts(values: Sequence[str], *, key: Callable[[str], str] = str) -> None:
    seen = set()
    for value in values:
        plain_text(value)
        if key(value) in seen:
            raise ValueError(f"{value!a} is there twice")

        seen.add(key(value))
