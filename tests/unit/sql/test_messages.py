"""Messages of errors: no row's value, no person and no piece of a statement stays in them."""

from __future__ import annotations

import pytest

from kada_athena_async.sql import mask_text

SECRETS = ("alice", "kestrel", "delacroix")


VALUES = [
    (
        "INVALID_CAST_ARGUMENT: Cannot cast value to IPADDRESS: alice-laptop",
        "INVALID_CAST_ARGUMENT: Cannot cast value to IPADDRESS: ?",
    ),
    (
        "INVALID_CAST_ARGUMENT: Cannot cast value to UUID: alice",
        "INVALID_CAST_ARGUMENT: Cannot cast value to UUID: ?",
    ),
    (
        "INVALID_FUNCTION_ARGUMENT: Invalid month: alice",
        "INVALID_FUNCTION_ARGUMENT: Invalid month: ?",
    ),
    ("Invalid month: alice", "Invalid month: ?"),
    ("GENERIC_USER_ERROR: alice at kestrel", "GENERIC_USER_ERROR: ?"),
    (
        "INVALID_CAST_ARGUMENT: Value alice cannot be cast to date",
        "INVALID_CAST_ARGUMENT: Value ? cannot be cast to date",
    ),
    (
        "Value alice cannot be represented as integer",
        "Value ? cannot be represented as integer",
    ),
    (
        "Encountered an exception[X] from your LambdaFunction[f] with message[alice kestrel]",
        "Encountered an exception[X] from your LambdaFunction[f] with message[?",
    ),
    (
        "HIVE_CURSOR_ERROR: Failed to read s3://bkt/orders/customer=alice/part-0",
        "HIVE_CURSOR_ERROR: Failed to read s3://bkt/orders/customer=?/part-0",
    ),
    (
        "Insufficient permissions to execute the query. User: arn:aws:sts::1:assumed-role/"
        "analyst/m.delacroix is not authorized to perform: glue:GetTable",
        "Insufficient permissions to execute the query. User: arn:aws:sts::1:assumed-role/"
        "analyst/? is not authorized to perform: glue:GetTable",
    ),
    (
        "User: arn:aws:iam::1:user/m.delacroix is denied",
        "User: arn:aws:iam::1:user/? is denied",
    ),
]

VALUES += [
    ("error at: 'a' kestrel", "error at: ?"),
    ("see line 1234:12345 there", "see line 1234:12345 there"),
    ("arn:aws:sts::1:federated-user/alice left", "arn:aws:sts::1:federated-user/? left"),
]

KEPT = [
    "Query exhausted resources at this scale factor",
    "Access denied when writing output to url: s3://scf-exports/",
    "Please reduce your request rate. (Service: Amazon S3; Code: SlowDown)",
    "AWS Glue is throttling requests: Rate exceeded",
    "Query timeout",
]


@pytest.mark.parametrize(("message", "masked"), VALUES)
def test_values_and_persons_are_hidden(message: str, masked: str) -> None:
    """After words that announce data all is hidden; of errors that users word the code stays."""
    assert mask_text(message) == masked
    assert mask_text(masked) == masked
    assert not any(secret in masked for secret in SECRETS)


@pytest.mark.parametrize("message", KEPT)
def test_the_words_of_the_service_stay(message: str) -> None:
    """What helps and repeats no data is left as it is."""
    assert mask_text(message) == message
