"""Messages of errors: no row's value, no person and no piece of a statement stays in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kada_athena_async.sql.masking import mask_text

WORDINGS = [
    line
    for line in (Path(__file__).parent / "data" / "wordings.txt").read_text().splitlines()
    if line and line[0] != "#"
]
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
        "Encountered an exception[?] from your LambdaFunction[?] with message[?",
    ),
    (
        "HIVE_CURSOR_ERROR: Failed to read s3://bkt/orders/customer=alice/part-0",
        "HIVE_CURSOR_ERROR: Failed to read s3://bkt/?",
    ),
    (
        "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://bkt/dt=1/Ann Kestrel/part-0.parquet "
        "(offset=0, length=41): Corrupted",
        "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://bkt/? (offset=?, length=?): ?",
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
    "Cannot cast varchar(3), char(2) or Decimal(10,2) to time(3) and timestamp(6)",
    "Column 3, field 12 and code: 7",
    "Query exceeded the limit of 30.00m, limit of 12GB and limit of 100ms",
    "Access Denied to s3://scf-exports, (arn:aws:s3:::scf-exports)",
    "The table's keys don't match; it's what they're",
    "Value is not a valid number",
    "Cannot parse date with time zone",
]

# A word of the engines where a row's value stands: "open" is a value of many columns.
VALUES += [
    ("Cannot cast open to date", "Cannot cast ? to date"),
    ("Value not open cannot be cast to date", "Value not open cannot be cast to date"),
    ("Value open is out of range", "Value ? is out of range"),
    ("Invalid value long open for month", "Invalid value ? for month"),
    ("Duplicate map keys (open) are not allowed", "Duplicate map keys (?) are not allowed"),
    ("Expected a json array, but got open", "Expected a json array, but got ?"),
    ("Illegal base64 character open", "Illegal base64 character ?"),
    ("Can not read value open at 0 in block -1", "Can not read value ? at ? in block ?"),
    ("Failed to read s3://bkt/open/data/orders", "Failed to read s3://bkt/?"),
    ("Partition value open is not a valid bigint", "Partition value ? is not a valid bigint"),
    ("Cannot parse timestamp open", "Cannot parse timestamp ?"),
    ("Partition not found {status=open}", "Partition not found {status=?}"),
    ("Partition already exists: Partition(values:[open])", "Partition already exists: ?"),
    ("Value of column x (open) exceeds the limit", "Value of column ? (?) exceeds the limit"),
    ("open is not a valid value", "? is not a valid value"),
]

# What else is written in a statement, and messages about it in which that may be repeated.
STATEMENT = "SELECT cutsomer_id, CAST(amount AS date) FROM sales.orders WHERE status = ? AND x = ?"
NAMED = [
    ("COLUMN_NOT_FOUND: line 1:8: Column 'cutsomer_id' cannot be resolved", None),
    ("TABLE_NOT_FOUND: line 1:50: Table 'awsdatacatalog.sales.orders' does not exist", None),
    ("line 1:50: mismatched input 'FROM'. Expecting: '*'", "mismatched input 'FROM'. Expecting: ?"),
    ("line 1:50: mismatched input 'alice'. Expecting: '*'", "mismatched input ?"),
    ("ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update to table: sales.orders", None),
    ("The column 'amount' in table 'sales.orders' is declared as type 'int'", None),
    ("EXPRESSION_NOT_AGGREGATE: line 1:8: 'cutsomer_id' must be an aggregate expression", None),
    ("DUPLICATE_COLUMN_NAME: line 1:8: Column name 'amount' specified more than once", None),
    ("line 1:8: 'alice' is not a valid date literal", "line 1:8: ? is not a valid date literal"),
    ("Column 'alice' cannot be resolved", "Column ? cannot be resolved"),
    ("Column 'status or alice' cannot be resolved", "Column ? cannot be resolved"),
    ("Cannot cast 'amount' to date", "Cannot cast ? to date"),
    ("HIVE_BAD_DATA: Malformed Parquet file. Field amount's type INT64 is alice", "Field amount's"),
    ("TABLE_NOT_FOUND: Table: alice, 12", "TABLE_NOT_FOUND: Table: ?"),
]


KINDS = [
    (
        "FAILED: ParseException line 2:4 cannot recognize input near 'FORMAT' ''alice'' in type",
        "FAILED: ParseException line 2:4 cannot recognize input near ?",
    ),
    (
        "FAILED: SemanticException [Error 10001]: Line 1:22 Table not found 'alice'",
        "FAILED: SemanticException [Error ?]: ?",
    ),
    (
        "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask."
        " Database alice already exists",
        "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask."
        " Database ? already exists",
    ),
    (
        "[ErrorCode: INTERNAL_ERROR_QUERY_ENGINE] Amazon Athena experienced an internal error while"
        " executing this query. Please try submitting the query again",
        None,
    ),
    (
        "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets."
        " You may need to manually clean the data at location 's3://bkt/alice' before retrying.",
        "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets."
        " You may need to manually clean the data at location ? before retrying.",
    ),
    ("TYPE_MISMATCH: line 3:9: Cannot apply operator: varchar(13) = integer", None),
    (
        "PERMISSION_DENIED: Access Denied: Cannot select from columns [alice] in sales.orders",
        "PERMISSION_DENIED: Access Denied: Cannot select from columns [?] in sales.orders",
    ),
    (
        "PERMISSION_DENIED: Insufficient Lake Formation permission(s): Required Select on alice",
        "PERMISSION_DENIED: Insufficient Lake Formation permission(s): Required Select on ?",
    ),
    ("Cannot parse 4111 Main Street as date", "Cannot parse ? as date"),
    (
        "Query exhausted resources at this scale factor. This query ran against the database,"
        " unless qualified by the query. Please post the error message on our forum or contact"
        " customer support",
        None,
    ),
    (
        "HIVE_METASTORE_ERROR: com.amazonaws.services.gluecatalog.model.AccessDeniedException:"
        " User: arn:aws:sts::1:assumed-role/analyst/alice is not authorized to perform:"
        " glue:GetTable because no identity-based policy allows the glue:GetTable action (Service:"
        " AWSGlue)",
        "HIVE_METASTORE_ERROR: com.amazonaws.services.gluecatalog.model.AccessDeniedException:"
        " User: arn:aws:sts::1:assumed-role/analyst/? is not authorized to perform: glue:GetTable"
        " because no identity-based policy allows the glue:GetTable action (Service: AWSGlue)",
    ),
]


@pytest.mark.parametrize(("message", "masked"), KINDS)
def test_the_kind_of_an_error_can_be_read(message: str, masked: str | None) -> None:
    """Hive's and Athena's own introductions stay, and what engine and service say after a colon."""
    assert mask_text(message, STATEMENT) == (masked or message)


@pytest.mark.parametrize(("message", "masked"), NAMED)
def test_names_of_the_statement_stay(message: str, masked: str | None) -> None:
    """They are published beside the message; what follows no word for a name is no name."""
    told = mask_text(message, STATEMENT)
    assert (masked or message) in told
    assert "alice" not in told


@pytest.mark.parametrize("value", ["alice", "Alice-7", "O'Kestrel", "a.lice@x.org", "12", "-1.5e7"])
def test_no_wording_shows_a_value(value: str) -> None:
    """Wherever engines put a row's value, and however it is written, it is hidden."""
    shown = {}
    for wording in WORDINGS:
        masked = mask_text(wording.replace("{}", value), STATEMENT)
        if re.search(rf"(?<![\w.]){re.escape(value)}(?![\w.])", masked):
            shown[wording] = masked

    assert shown == {}


def test_the_engine_s_own_words_stay() -> None:
    """Of what engines say before they come to data hardly a word is lost."""
    hidden, words = [], 0
    for wording in WORDINGS:
        before = re.split(r"\{\}|:\s+|['\"]", wording.partition(": ")[2] or wording)[0]
        masked = mask_text(before)
        words += len(before.split())
        if "?" in masked:
            hidden.append(masked)

    assert len(hidden) < words / 25, hidden


@pytest.mark.parametrize(("message", "masked"), VALUES)
def test_values_and_persons_are_hidden(message: str, masked: str) -> None:
    """After words that announce data all is hidden; of errors that users word the code stays."""
    assert mask_text(message) == masked
    assert mask_text(masked) == masked
    assert not any(secret in masked for secret in SECRETS)


@pytest.mark.parametrize("message", KEPT)
def test_the_words_of_the_service_stay(message: str) -> None:
    """Words that help and repeat no data are left as they are."""
    assert mask_text(message) == message
