"""Failures of statements: typing errors that the message repeats, and trouble that can hit any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import NamedTuple

from kada_athena_async.sandbox.estate import sentinels
from kada_athena_async.sandbox.estate.kinds import SELECT, UNKNOWN, Kind
from kada_athena_async.sandbox.estate.model import Failure, TableRef
from kada_athena_async.sandbox.estate.queries import GLUE_CATALOG
from kada_athena_async.sandbox.estate.statements import LITERALS, Statement, compile_template

# Any statement can meet these. {secret} is a value of the data or the text.
TROUBLES: tuple[Failure, ...] = (
    Failure(1, 0, "Query exhausted resources at this scale factor", True),
    Failure(2, 206, "Query timeout"),
    Failure(
        2,
        1500,
        "Insufficient permissions to execute the query. User: arn:aws:sts::123456789012:"
        "assumed-role/analyst/m.delacroix is not authorized to perform: glue:GetTable",
    ),
    Failure(
        2,
        100,
        "HIVE_BAD_DATA: Error parsing field value '{secret}' for field 3: For input string: "
        '"{secret}"',
    ),
    Failure(
        1,
        200,
        "HIVE_CURSOR_ERROR: Failed to read s3://scf-sales/order_lines/dt=2026-10-01/part-0001",
    ),
    Failure(2, 204, "HIVE_METASTORE_ERROR: Required Table Storage Descriptor is not populated"),
    Failure(
        2,
        230,
        "HIVE_PARTITION_SCHEMA_MISMATCH: There is a mismatch between the table and partition "
        "schemas. The column 'quantity' in table 'sales.order_lines' is declared as type 'int'",
    ),
    Failure(1, 1403, "Please reduce your request rate. (Service: Amazon S3; Code: SlowDown)", True),
    Failure(1, 1401, "AWS Glue is throttling requests: Rate exceeded", True),
    Failure(2, 220, "INVALID_CAST_ARGUMENT: Cannot cast '{secret}' to bigint"),
    Failure(1, 232, "GENERIC_INTERNAL_ERROR: Unable to create class from s3 path", True),
    Failure(2, 401, "Access denied when writing output to url: s3://scf-exports/"),
)

_TYPOS: tuple[tuple[str, str, str], ...] = (
    ("column", "cutsomer_id", "SELECT cutsomer_id FROM {sales.orders} WHERE status = <<status>>"),
    ("column", "ammount", "SELECT sum(ammount) FROM {finance.invoices} WHERE customer_id = <<id>>"),
    ("column", "Sydney", 'SELECT * FROM {curated.dim_depot} WHERE depot_name = "Sydney"'),
    ("table", "oders", "SELECT * FROM {sales.oders} WHERE customer_id = <<id>>"),
    ("table", "custmer", "SELECT email FROM {customers.custmer} WHERE email = <<email>>"),
    ("syntax", "SELCT", "SELCT * FROM sales.orders WHERE order_id = <<id>>"),
    ("syntax", "LIMIT", "SELECT * FROM sales.orders WHERE LIMIT <<limit>>"),
    ("syntax", "FROM", "SELECT order_id, FROM sales.orders WHERE channel = <<region>>"),
    ("syntax", "<EOF>", "SELECT count(*) FROM (SELECT 1 FROM sales.orders WHERE x = <<email>>"),
    ("syntax", "}", "SELECT * FROM sales.orders WHERE region = '}}' AND } = 1"),
)


class Typo(NamedTuple):
    """A statement with an error in it, and what Athena answers."""

    statement: Statement
    failure: Failure


def _line_and_column(sql: str, wrong: str) -> str:
    """Position of the first spelling of *wrong* in *sql*; the end where it is not written."""
    found = [sql.find(spelling) for spelling in (f'"{wrong}"', wrong)]
    position = next((at for at in found if at >= 0), len(sql))
    line = sql.count("\n", 0, position) + 1
    return f"line {line}:{position - sql.rfind(chr(10), 0, position)}"


def typo_failure(what: str, wrong: str, sql: str, ref: TableRef | None = None) -> Failure:
    """Athena's failure of *sql*, whose mistake is the word *wrong*.

    *what* is ``column``, ``table`` (then *ref* names it) or ``syntax``.
    """
    at = _line_and_column(sql, wrong)
    if what == "column":
        return Failure(
            2,
            1006,
            f"COLUMN_NOT_FOUND: {at}: Column '{wrong.lower()}' cannot be resolved or requester is "
            "not authorized to access requested resources",
        )

    if what == "table" and ref is not None:
        at = _line_and_column(sql, f"{ref.schema}.{ref.table}")
        name = f"{GLUE_CATALOG.lower()}.{ref.schema}.{ref.table}"
        return Failure(2, 1301, f"TABLE_NOT_FOUND: {at}: Table '{name}' does not exist")

    return Failure(2, 1006, f"{at}: mismatched input '{wrong}'. Expecting: <expression>")


_COMPILED = tuple(
    (what, wrong, compile_template(text, kind=UNKNOWN if what == "syntax" else SELECT))
    for what, wrong, text in _TYPOS
)


def typo(rng: Random, now: datetime) -> Typo:
    """A statement that fails for what is typed in it."""
    return _typo(int(rng.random() * len(_TYPOS)), rng, now)


def every_typo(rng: Random, now: datetime) -> Iterator[Typo]:
    """One of each."""
    return (_typo(index, rng, now) for index in range(len(_TYPOS)))


def _typo(index: int, rng: Random, now: datetime) -> Typo:
    what, wrong, template = _COMPILED[index]
    statement = template.fill(rng, now)
    ref = statement.reads[0] if statement.reads else None
    return Typo(statement, typo_failure(what, wrong, statement.sql, ref))


def trouble(rng: Random, now: datetime, kind: Kind) -> Failure:
    """Trouble that a statement of *kind* runs into."""
    choices = TROUBLES if kind.type == "DML" else TROUBLES[2:3] + TROUBLES[8:9]
    failure = rng.choice(choices)
    secret = sentinels.FAILED_VALUE if rng.random() < 0.3 else LITERALS["email"](rng, now)[1:-1]
    return failure._replace(message=failure.message.replace("{secret}", secret))
