"""Statements that stand for something: every planted secret, every lexical trap, the largest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

from kada_athena_async.sandbox.estate import sentinels as s
from kada_athena_async.sandbox.estate.failing import Typo
from kada_athena_async.sandbox.estate.kinds import SELECT, UNKNOWN
from kada_athena_async.sandbox.estate.model import Failure
from kada_athena_async.sandbox.estate.statements import Statement, compile_template

MAX_QUERY_BYTES = 262_144  # Athena's quota for a query string, UTF-8 (user guide, "Service Quotas")

# Templates; SQL braces do not occur here.
_SECRETS = (
    f"SELECT * FROM {{customers.customer}} WHERE email = '{s.EMAIL}'",
    (
        f"-- for {s.COMMENT_NAME} <{s.COMMENT_EMAIL}>, ticket {s.TICKET}\n"
        f"SELECT customer_id /* lives at {s.STREET} */ FROM {{customers.customer}}\n"
        f"WHERE full_name = '{s.FULL_NAME}' OR phone IN ('{s.PHONE}', '{s.PHONE_PLAIN}')"
    ),
    (
        f"SELECT * FROM {{customers.customer}} WHERE tax_file_number = '{s.TAX_FILE_NUMBER}' "
        f"OR customer_id = {s.TAX_FILE_NUMBER_PLAIN} OR full_name = '{s.UNICODE_NAME}'"
    ),
    (
        f"SELECT * FROM {{finance.payments}} WHERE method = '{s.CARD}' OR method = "
        f"'{s.CARD_SPACED}' OR payment_id = {s.CARD} OR method LIKE '%{s.IBAN}%'"
    ),
    (
        f"SELECT * FROM {{hr.employees}} WHERE hired = DATE '{s.DATE_OF_BIRTH}' OR "
        f"full_name IN ('{s.MEDICARE}', '{s.PASSPORT}')"
    ),
    (
        f"SELECT * FROM {{iot_telemetry.sensors}} WHERE firmware = X'{s.HEX_SECRET}' "
        f"OR model = 'x\\' OR CAST(model AS ipaddress) = IPADDRESS '{s.IP_ADDRESS}'"
    ),
    (
        f"INSERT INTO {{+customers.contacts}} SELECT 1, 2, 'login', '{s.PASSWORD}', "
        f"ARRAY['{s.API_TOKEN}'] FROM {{customers.addresses}} a"
    ),
    f"UNLOAD (SELECT * FROM {{customers.loyalty}}) TO '{s.S3_SECRET}' WITH (format = 'JSON')",
    f"EXECUTE customer_by_mail USING '{s.PREPARED_VALUE}', 865",
    (
        "EXECUTE IMMEDIATE 'SELECT customer_id FROM customers.customer WHERE full_name = "
        f"''{s.IMMEDIATE_VALUE}'''"
    ),
    (
        f'ALTER TABLE {{+`customers.addresses}} SET TBLPROPERTIES ("steward" = '
        f"\"{s.HIVE_VALUE}\", 'note' = 'it\\'s {s.HIVE_VALUE}')"
    ),
)

_TRAPS = (
    "SELECT U&'\\0041\\+01F69A' UESCAPE '\\', .5, 5., 1E10, 0xFF, 1_000_000",
    "SELECT 'a''b', '-- no comment', '/* none */', \"select\" FROM {data-quality.select}",
    "SELECT * FROM {sales.orders} -- CR only\rWHERE order_id = 1",
    "SELECT 'line\u2028separator', 'tab\tand\x1b escape', 'a\x00b' FROM {sales.stores}",
    "-- Windows line ends\r\nSELECT 1;\r\n",
    "SELECT c_struct.b.d[1].e FROM {data-quality.every_type} WHERE c_char = 'x'",
    "SELECT \"länge\" FROM {default.größen_übersicht} WHERE paket = '🚚'",
    "SELECT code FROM {default.promo$codes} WHERE uses > 5",
)


def special_statements(rng: Random, now: datetime, *, extremes: bool) -> Iterator[Statement]:
    """Statements that every estate has, at any scale; the largest only with *extremes*."""
    for text in (*_SECRETS, *_TRAPS):
        statement = compile_template(text).fill(rng, now)
        if "IMMEDIATE" in text:
            inner = compile_template("{customers.customer}")
            statement = statement._replace(reads=inner.reads, database=None)

        yield statement

    if extremes:
        yield from _large(rng, now)


def special_failures(now: datetime) -> Iterator[Typo]:
    """Failed statements that every estate has: secrets in them and in their messages."""
    orders = compile_template("SELECT CAST(status AS bigint) FROM {sales.orders}")
    statement = orders.fill(Random(0), now)
    yield Typo(
        statement._replace(sql=f"{statement.sql} WHERE status = '{s.FAILED_VALUE}'"),
        Failure(2, 220, f"INVALID_CAST_ARGUMENT: Cannot cast '{s.FAILED_VALUE}' to bigint"),
    )
    yield Typo(
        statement,
        Failure(2, 100, f'HIVE_BAD_DATA: Error parsing field value "{s.ERROR_EMAIL}" for field 2'),
    )
    yield _broken(
        f"SELECT * FROM sales.orders WHERE status = '{s.UNTERMINATED}",
        f"line 1:43: mismatched input ''{s.UNTERMINATED}'. Expecting: <expression>",
    )
    yield _broken(
        f"SELECT * FROM customers.customer WHERE full_name = “{s.SMART_QUOTED}”",
        f"line 1:52: mismatched input '“{s.SMART_QUOTED}”'. Expecting: <expression>",
    )
    yield _broken("SELECT /* never closed", "line 1:8: mismatched input '/'. Expecting: '*'")
    yield _broken(";", "Only one sql statement is allowed. Got: ;")


def _broken(sql: str, message: str) -> Typo:
    return Typo(Statement(sql, UNKNOWN, None, (), ()), Failure(2, 1006, message))


def _large(rng: Random, now: datetime) -> Iterator[Statement]:
    head = compile_template("SELECT * FROM {sales.orders} WHERE order_id IN (")
    begun = head.fill(rng, now)
    items = ",".join(str(1000 + int(rng.random() * 9000)) for _ in range(50_000))
    yield begun._replace(sql=f"{begun.sql}{items})")

    nested = "(" * 5_000 + "1" + ")" * 5_000
    yield Statement(f"SELECT {nested}", SELECT, None, (), ())

    opening, closing = f"{begun.sql}1) AND status <> '", "'"
    fill = MAX_QUERY_BYTES - len(opening) - len(closing)
    wide = "貨物🚚 " * (fill // len("貨物🚚 ".encode()))
    padding = "x" * (fill - len(wide.encode()))
    yield begun._replace(sql=f"{opening}{wide}{padding}{closing}")
