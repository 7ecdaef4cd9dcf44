# ruff: noqa: E501 (one table a line reads best)
"""A very small estate: one table or two of each kind, for tests that look at every row."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from kada_athena_async.sandbox.estate.catalogs import (
    fill_schemas,
    glue_catalog,
    other_catalogs,
)
from kada_athena_async.sandbox.estate.executions import ExecutionMaker
from kada_athena_async.sandbox.estate.failing import typo_failure
from kada_athena_async.sandbox.estate.model import Estate, Execution, Table
from kada_athena_async.sandbox.estate.oddities import dropped_column
from kada_athena_async.sandbox.estate.queries import Query
from kada_athena_async.sandbox.estate.statements import compile_template
from kada_athena_async.sandbox.estate.tables import TableLine, TableMaker
from kada_athena_async.sandbox.estate.tags import add_tags
from kada_athena_async.sandbox.estate.view_catalogue import ViewSpec
from kada_athena_async.sandbox.estate.views import add_view
from kada_athena_async.sandbox.estate.workgroups import build_workgroups

_TABLES = """
[default] The default database
[sales] Orders
orders | parquet | order_id bigint, customer_id bigint, total double, tags array<string> | dt date | Orders, "all" of them
customers | csv | customer_id bigint, full_name string, email string
[empty] Nothing in it
"""
_DYNAMO = """
[default]
carts | EXTERNAL | cart_id string, total double
"""
_WORKGROUPS = ("primary", "adhoc", "spark_notebooks")
_STATEMENTS = (
    "SELECT * FROM {sales.orders} WHERE customer_id = <<id>>",
    "SELECT full_name FROM {sales.customers} WHERE email = <<email>>",
    "CREATE TABLE {+sales.big_orders} AS SELECT * FROM {sales.orders} WHERE total > 100",
    "SHOW TABLES IN sales",
)


def tiny_estate(
    now: datetime,
    *,
    seed: int = 7,
    account_id: str = "123456789012",
    region: str = "ap-southeast-2",
    results_bucket: str = "kada-athena-results",
) -> Estate:
    """Two catalogs, four tables, two views, three workgroups, seven executions before *now*.

    The executions were submitted 1 to 7 hours ago: four that succeeded, one that failed, one
    cancelled without a completion time, one that still runs. One of the workgroups is Spark's.
    """
    rng = Random(seed)
    maker = TableMaker(rng, now)
    glue, dynamo = glue_catalog(account_id), other_catalogs(account_id, region)[0]
    fill_schemas(glue, maker, _TABLES)
    fill_schemas(dynamo, maker, _DYNAMO)
    returns = dropped_column(maker)
    glue.schemas["sales"].tables[returns.name] = returns
    estate = Estate(
        account_id=account_id,
        region=region,
        catalogs={catalog.name: catalog for catalog in (glue, dynamo)},
        workgroups={
            name: group
            for name, group in build_workgroups(now=now, results_bucket=results_bucket).items()
            if name in _WORKGROUPS
        },
    )
    for spec in _views():
        add_view(estate, maker, spec)

    _add_executions(estate, rng, now, results_bucket)
    add_tags(estate)
    return estate


def make_table(
    name: str,
    columns: str,
    *,
    now: datetime,
    schema: str = "sales",
    kind: str = "parquet",
    partitions: str = "",
    comment: str | None = None,
    seed: int = 7,
) -> Table:
    """A table of the Glue catalog with sample rows, for a test to put into a schema.

    Args:
        columns: Such as ``a bigint, b array<string>``, in Hive's types; ``partitions`` alike.
        kind: A key of ``tables.STORAGE``: parquet, csv, iceberg, ...
    """
    line = TableLine(schema, name, kind, columns, partitions, comment)
    return TableMaker(Random(seed), now).table(line)


def make_execution(
    number: int,
    *,
    submitted_at: datetime,
    query: str = "SELECT 1",
    workgroup: str = "primary",
    state: str = "SUCCEEDED",
    took_ms: int | None = 900,
) -> Execution:
    """An execution for a test to submit; its id is a UUID made of *number*.

    It completed *took_ms* after *submitted_at*; an unfinished one, or one with None, has no
    completion time.
    """
    identifier = str(UUID(int=number, version=4))
    ended = state in ("SUCCEEDED", "FAILED", "CANCELLED") and took_ms is not None
    return Execution(
        query_execution_id=identifier,
        query=query,
        workgroup=workgroup,
        submitted_at=submitted_at,
        state=state,
        statement_type="DML",
        substatement_type="SELECT",
        catalog="AwsDataCatalog",
        database="default",
        completed_at=submitted_at + timedelta(milliseconds=took_ms or 0) if ended else None,
        total_ms=took_ms if ended else None,
        output_location=f"s3://kada-athena-results/{identifier}.csv",
    )


def _views() -> tuple[ViewSpec, ...]:
    return (
        ViewSpec(
            "sales.orders_by_customer",
            Query(
                outputs=("c.full_name AS customer", "sum(o.total) AS total :: double"),
                source="{sales.orders o} JOIN {sales.customers c} ON o.customer_id = c.customer_id",
                tail="GROUP BY c.full_name",
            ),
        ),
        ViewSpec(
            "sales.best_customers",
            Query(
                outputs=("*",), source="{sales.orders_by_customer b}", tail="WHERE b.total > 10.5"
            ),
        ),
    )


def _add_executions(estate: Estate, rng: Random, now: datetime, results_bucket: str) -> None:
    maker = ExecutionMaker(estate, rng, now, results_bucket)
    hours = [now.replace(microsecond=0) - timedelta(hours=hour) for hour in range(8)]
    made = [
        maker.succeeded(
            compile_template(text).fill(rng, now), "primary", hours[index], engine_ms=900
        )
        for index, text in enumerate(_STATEMENTS, start=1)
    ]
    wrong = compile_template("SELECT * FROM {sales.order} WHERE customer_id = <<id>>")
    statement = wrong.fill(rng, now)
    failure = typo_failure("table", "sales", statement.sql, statement.reads[0])
    made.append(maker.failed(statement, failure, "adhoc", hours[5]))

    right = compile_template("SELECT count(*) FROM {sales.orders}").fill(rng, now)
    made.append(maker.cancelled_in_queue(right, "adhoc", hours[6]))
    made[-1].completed_at = None
    made.append(maker.unfinished_one(right, "RUNNING", "adhoc", hours[7]))
    for execution in sorted(made, key=lambda execution: execution.submitted_at):
        estate.executions[execution.query_execution_id] = execution
