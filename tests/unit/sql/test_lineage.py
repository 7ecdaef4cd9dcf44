"""Lineage: what each column comes from, and what each statement reads and writes."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.sql.analysis import HIDDEN_LOCATION, Analysis, Statement, analyse, plan
from kada_athena_async.sql.lineage import read_query
from kada_athena_async.sql.masking import mask_sql
from kada_athena_async.sql.names import Context, TableName
from kada_athena_async.sql.parse_request import ParseRequest
from kada_athena_async.sql.prepared import PreparedStatements
from kada_athena_async.sql.schema_index import SchemaIndex
from tests.unit.sql.labelled import LABELLED, Labelled

AT = datetime(2026, 11, 23, tzinfo=timezone.utc)


def index() -> SchemaIndex:
    schema = SchemaIndex()
    schema.add("AwsDataCatalog", "sales", "orders", ["id", "cid", "total", "placed", "tags"])
    schema.add("AwsDataCatalog", "sales", "lines", ["id", "sku", "price", "info"])
    schema.add("AwsDataCatalog", "crm", "people", ["cid", "name", "email"])
    schema.add("pgCatalog", "Public", "Leads", ["Id", "Mail"])
    return schema


SCHEMA = index()


def run(sql: str, **facts: Any) -> Analysis:
    return analyse(Statement(sql=sql, schema="sales", **facts), SCHEMA)


def flows(analysis: Analysis) -> dict[str, set[str]] | None:
    """Output -> its sources as ``table.column``."""
    if analysis.outputs is None:
        return None

    return {
        output.name: {f"{source.table.table}.{source.column}" for source in output.sources}
        for output in analysis.outputs
    }


def full(name: str) -> TableName:
    parts = name.split(".")
    return TableName(*parts) if len(parts) == 3 else TableName("AwsDataCatalog", *parts)


@pytest.mark.parametrize("is_masked", [False, True], ids=["as written", "masked"])
@pytest.mark.parametrize("case", LABELLED, ids=[case.trap for case in LABELLED])
def test_tables_are_those_of_the_labels(case: Labelled, is_masked: bool) -> None:
    """Every labelled statement reads and writes what its label says, masked or not."""
    sql = mask_sql(case.sql, **case.types) if is_masked else case.sql
    analysis = analyse(Statement(sql=sql, schema="sales", **case.types), SchemaIndex())

    if not (is_masked and case.trap == "EXECUTE IMMEDIATE"):  # its SQL is the literal
        assert {read.table for read in analysis.reads} == {full(name) for name in case.reads}
    assert {analysis.target} - {None} == {full(name) for name in case.writes}
    hidden = {HIDDEN_LOCATION} if case.locations else set()
    assert set(analysis.locations) == (hidden if is_masked else set(case.locations))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT id, total t FROM orders", {"id": {"orders.id"}, "t": {"orders.total"}}),
        ("SELECT o.id FROM orders o", {"id": {"orders.id"}}),
        ("SELECT sales.orders.id FROM sales.orders", {"id": {"orders.id"}}),
        (
            "SELECT 'x', 1 AS one, count(*) FROM orders",
            {"_col0": set(), "one": set(), "_col2": set()},
        ),
        (
            "SELECT *, 1 z FROM lines",
            {
                "id": {"lines.id"},
                "sku": {"lines.sku"},
                "price": {"lines.price"},
                "info": {"lines.info"},
                "z": set(),
            },
        ),
        (
            "SELECT l.*, o.total FROM orders o, lines l",
            {
                "id": {"lines.id"},
                "sku": {"lines.sku"},
                "price": {"lines.price"},
                "info": {"lines.info"},
                "total": {"orders.total"},
            },
        ),
        (
            "SELECT * FROM orders JOIN crm.people USING (cid)",
            {
                "cid": {"orders.cid", "people.cid"},
                "id": {"orders.id"},
                "total": {"orders.total"},
                "placed": {"orders.placed"},
                "tags": {"orders.tags"},
                "name": {"people.name"},
                "email": {"people.email"},
            },
        ),
        (
            "SELECT coalesce(name, email) AS who FROM crm.people",
            {"who": {"people.name", "people.email"}},
        ),
        (
            "SELECT CASE WHEN total > 5 THEN name ELSE '' END x FROM orders JOIN crm.people"
            " ON orders.cid = people.cid",
            {"x": {"orders.total", "people.name"}},
        ),
        (
            "SELECT sum(price) OVER (PARTITION BY sku ORDER BY id) s FROM lines",
            {"s": {"lines.price", "lines.sku", "lines.id"}},
        ),
        (
            "WITH a AS (SELECT id, price * 2 p FROM lines), b (x, y) AS (SELECT * FROM a)"
            " SELECT x, y + 1 AS y FROM b",
            {"x": {"lines.id"}, "y": {"lines.price"}},
        ),
        (
            "SELECT q.m FROM (SELECT max(total) m FROM orders GROUP BY cid) q",
            {"m": {"orders.total"}},
        ),
        (
            "SELECT id FROM orders UNION ALL SELECT sku FROM lines",
            {"id": {"orders.id", "lines.sku"}},
        ),
        (
            "SELECT t.tag, n FROM orders CROSS JOIN UNNEST(tags) WITH ORDINALITY AS t(tag, n)",
            {"tag": {"orders.tags"}, "n": set()},
        ),
        (
            "SELECT k, v FROM orders CROSS JOIN UNNEST(tags) AS t(k, v)",
            {"k": {"orders.tags"}, "v": {"orders.tags"}},
        ),
        (
            "SELECT (SELECT max(price) FROM lines l WHERE l.id = o.id) AS p FROM orders o",
            {"p": {"lines.price"}},
        ),
        (
            "SELECT id FROM orders o WHERE EXISTS (SELECT sku FROM lines WHERE lines.id = o.id)",
            {"id": {"orders.id"}},
        ),
        ("SELECT id IN (SELECT id FROM lines) AS y FROM orders", {"y": {"orders.id"}}),
        ("SELECT info.a.b, l.info.c AS c FROM lines l", {"b": {"lines.info"}, "c": {"lines.info"}}),
        (
            "SELECT transform(tags, x -> x + total) f FROM orders",
            {"f": {"orders.tags", "orders.total"}},
        ),
        (
            "SELECT v.a, id FROM orders, (VALUES (1, 2)) AS v (a, b)",
            {"a": set(), "id": {"orders.id"}},
        ),
        (
            "WITH RECURSIVE t (n) AS (SELECT id FROM orders UNION ALL SELECT n + 1 FROM t)"
            " SELECT n FROM t",
            {"n": {"orders.id"}},
        ),
        (
            "WITH RECURSIVE t (a, b, c) AS (SELECT id, total, cid FROM orders UNION ALL"
            " SELECT b, c, 1 FROM t) SELECT a, b FROM t",
            {"a": {"orders.id", "orders.total", "orders.cid"}, "b": {"orders.total", "orders.cid"}},
        ),
        (
            'SELECT "Mail", "Id" FROM "pgcatalog"."public"."leads"',
            {"Mail": {"Leads.Mail"}, "Id": {"Leads.Id"}},
        ),
        ('SELECT id FROM U&"\\006frders"', {"id": {"orders.id"}}),
        ("SELECT ID, Total AS T FROM ORDERS", {"ID": {"orders.id"}, "T": {"orders.total"}}),
        ('SELECT "$path" p, id FROM orders', {"p": set(), "id": {"orders.id"}}),
        (
            "SELECT m.x FROM orders o CROSS JOIN LATERAL (SELECT o.total x) m",
            {"x": {"orders.total"}},
        ),
        ("SELECT id FROM (orders JOIN crm.people ON true)", {"id": {"orders.id"}}),
        ("SELECT total AS id2 FROM orders ORDER BY id2", {"id2": {"orders.total"}}),
        (
            "SELECT a, b FROM (VALUES (1, 2), (3, 4)) v (a, b)",
            {"a": set(), "b": set()},
        ),
        (
            "SELECT v FROM orders CROSS JOIN LATERAL (VALUES ('p', id), ('q', total)) AS t (k, v)",
            {"v": {"orders.id", "orders.total"}},
        ),
        (
            "SELECT n, v FROM (VALUES ROW ('a', (SELECT max(id) FROM orders)),"
            " ROW ('b', (SELECT max(sku) FROM lines))) AS t (n, v)",
            {"n": set(), "v": {"orders.id", "lines.sku"}},
        ),
        (
            "WITH b AS (SELECT * FROM elsewhere) SELECT b.id, x FROM b",
            {"id": {"elsewhere.id"}, "x": {"elsewhere.x"}},
        ),
        (
            "SELECT id, rn FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY at) rn"
            " FROM elsewhere) WHERE rn = 1",
            {"id": {"elsewhere.id"}, "rn": {"elsewhere.k", "elsewhere.at"}},
        ),
        (
            "SELECT a, x.b, y.c FROM elsewhere x JOIN elsewhere2 y USING (a)",
            {
                "a": {"elsewhere.a", "elsewhere2.a"},
                "b": {"elsewhere.b"},
                "c": {"elsewhere2.c"},
            },
        ),
        (
            "SELECT i.sku, i AS whole, o.id FROM orders o CROSS JOIN UNNEST(tags) AS i",
            {"sku": {"orders.tags"}, "whole": {"orders.tags"}, "id": {"orders.id"}},
        ),
    ],
)
def test_columns_are_traced(sql: str, expected: dict[str, set[str]]) -> None:
    """Each output comes from just the columns that its expression mentions, through all scopes."""
    analysis = run(sql)

    assert flows(analysis) == expected
    assert set(analysis.problems) <= ({"no_schema"} if "elsewhere" in sql else set())


@pytest.mark.parametrize(
    ("sql", "kind", "target", "expected"),
    [
        ("INSERT INTO lines (sku, id) SELECT name, cid FROM crm.people", "INSERT", "sales.lines",
         {"sku": {"people.name"}, "id": {"people.cid"}}),
        ("INSERT INTO lines SELECT cid, name, 1, 2 FROM crm.people", "INSERT", "sales.lines",
         {"id": {"people.cid"}, "sku": {"people.name"}, "price": set(), "info": set()}),
        ("CREATE TABLE crm.x AS SELECT id, total + 1 FROM orders", "CTAS", "crm.x",
         {"id": {"orders.id"}, "_col1": {"orders.total"}}),
        ("CREATE TABLE crm.x (a, b) AS SELECT id, total FROM orders", "CTAS", "crm.x",
         {"a": {"orders.id"}, "b": {"orders.total"}}),
        ("CREATE VIEW crm.v (a COMMENT 'x', b) AS SELECT id, total FROM orders", "VIEW", "crm.v",
         {"a": {"orders.id"}, "b": {"orders.total"}}),
        ("CREATE VIEW crm.v AS SELECT name n FROM crm.people", "VIEW", "crm.v",
         {"n": {"people.name"}}),
        ("UPDATE lines SET price = price * 2, sku = (SELECT max(name) FROM crm.people)", "UPDATE",
         "sales.lines", {"price": {"lines.price"}, "sku": {"people.name"}}),
        ("MERGE INTO lines t USING crm.people s ON t.id = s.cid WHEN MATCHED THEN UPDATE SET"
         " sku = s.name, price = t.price WHEN NOT MATCHED THEN INSERT (id, sku) VALUES (s.cid,"
         " s.email)", "MERGE", "sales.lines",
         {"sku": {"people.name", "people.email"}, "price": {"lines.price"}, "id": {"people.cid"}}),
        ("MERGE INTO lines USING crm.people s ON lines.id = s.cid WHEN NOT MATCHED THEN INSERT"
         " VALUES (s.cid, s.name, 1, 2)", "MERGE", "sales.lines",
         {"id": {"people.cid"}, "sku": {"people.name"}, "price": set(), "info": set()}),
        ("UPDATE lines SET (sku, price) = (info, id + 1), (info) = (1)", "UPDATE", "sales.lines",
         {"sku": {"lines.info"}, "price": {"lines.id"}, "info": set()}),
        ("UPDATE lines SET (sku, price) = (SELECT name, p.cid FROM crm.people p WHERE cid = id)",
         "UPDATE", "sales.lines", {"sku": {"people.name"}, "price": {"people.cid"}}),
        ("UNLOAD (SELECT id FROM orders) TO 's3://bkt/x/' WITH (format = 'JSON')", "UNLOAD", None,
         {"id": {"orders.id"}}),
    ],
)  # fmt: skip
def test_what_is_written_comes_from_what_is_read(
    sql: str, kind: str, target: str | None, expected: dict[str, set[str]]
) -> None:
    """The columns of the target are named by the statement, by position, or by the query."""
    analysis = run(sql)

    assert (analysis.kind, analysis.problems) == (kind, ())
    assert analysis.target == (full(target) if target else None)
    assert flows(analysis) == expected


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("SELECT * FROM elsewhere", "no_schema"),
        ("SELECT a FROM elsewhere, elsewhere2", "ambiguous_column"),
        ("SELECT id FROM orders, lines", "ambiguous_column"),
        ("SELECT nothing FROM orders", "unknown_column"),
        ("SELECT x.* FROM orders", "unknown_column"),
        (
            "SELECT sku FROM orders JOIN lines USING (id) MATCH_RECOGNIZE (PATTERN (A)"
            " DEFINE A AS true)",
            "match_recognize",
        ),
        ("SELECT * FROM TABLE(f(1))", "table_function"),
        ("INSERT INTO elsewhere SELECT id FROM orders", "unknown_target_columns"),
        (
            "MERGE INTO elsewhere t USING orders o ON t.id = o.id WHEN MATCHED THEN UPDATE SET"
            " v = o.cid WHEN NOT MATCHED THEN INSERT VALUES (o.id, o.cid)",
            "unknown_target_columns",
        ),
        ("UPDATE lines SET (sku, price) = (SELECT * FROM elsewhere)", "unknown_target_columns"),
        ("SELECT id FROM orders WHERE (", "ParseError"),
        ("EXECUTE p", "execute"),
        ("frobnicate", "unknown"),
    ],
)
def test_what_is_not_known_is_said(sql: str, problem: str) -> None:
    """Where columns cannot be traced there is a word for the reason, never a guess."""
    assert problem in (
        *run(sql).problems,
        *([run(sql).kind.lower()] if sql == "frobnicate" else []),
    )


def test_one_unknown_table_can_be_traced() -> None:
    """A column can only be of the one table there is, even if its columns are not known."""
    analysis = run("SELECT a, e.b FROM elsewhere e WHERE c = 1")

    assert flows(analysis) == {"a": {"elsewhere.a"}, "b": {"elsewhere.b"}}
    assert [set(read.columns or ()) for read in analysis.reads] == [{"a", "b", "c"}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM TABLE(f(input => TABLE(orders)))",
        "SELECT * FROM TABLE(f(input => TABLE(sales.orders) PARTITION BY id))",
        "SELECT * FROM TABLE(f(input => TABLE(SELECT id FROM orders)))",
    ],
)
def test_table_functions_read_the_tables_they_are_given(sql: str) -> None:
    """TABLE(name) within the arguments of a table function is read."""
    assert [read.table for read in run(sql).reads] == [full("sales.orders")]


def test_lateral_views_are_traced() -> None:
    """In a Hive view a column of LATERAL VIEW comes of what is exploded."""
    view = TableName("AwsDataCatalog", "crm", "v")
    sql = "SELECT o.id, t FROM sales.orders o LATERAL VIEW explode(o.tags) e AS t"
    analysis = analyse(Statement(sql=sql, view=view, dialect="hive"), SCHEMA)

    assert flows(analysis) == {"id": {"orders.id"}, "t": {"orders.tags"}}
    assert analysis.problems == ()


def test_columns_that_multiply_are_given_up() -> None:
    """Queries that double their columns or sources at each step end as a guess, soon."""
    doubled = "WITH c0 AS (SELECT * FROM orders)" + "".join(
        f", c{n} AS (SELECT a.*, b.* FROM c{n - 1} a, c{n - 1} b)" for n in range(1, 40)
    )
    summed = "WITH c0 AS (SELECT id + total + cid AS x FROM orders)" + "".join(
        f", c{n} AS (SELECT {', '.join(f'x + x AS x{i}' for i in range(50))}, x FROM c{n - 1})"
        for n in range(1, 40)
    )

    assert [read.table.table for read in run(f"{doubled} SELECT * FROM c39").reads] == ["orders"]
    assert [read.table.table for read in run(f"{summed} SELECT x FROM c39").reads] == ["orders"]


def test_columns_used_are_noted() -> None:
    """Of each table the columns used anywhere in the statement, outer queries included."""
    analysis = run(
        "SELECT o.id FROM orders o JOIN lines l ON o.id = l.id"
        " WHERE l.sku IN (SELECT name FROM crm.people p WHERE p.cid = o.cid) ORDER BY placed"
    )

    assert {read.table.table: set(read.columns or ()) for read in analysis.reads} == {
        "orders": {"id", "cid", "placed"},
        "lines": {"id", "sku"},
        "people": {"name", "cid"},
    }


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "SELECT a.t.id, b.t.id AS i, b.t.y FROM a.t, b.t",
            {"id": "a.id", "i": "b.id", "y": "b.y"},
        ),
        ("SELECT t.x, t.y FROM a.t, b.t", {"x": "a.x", "y": "b.y"}),
        ("SELECT b.t.*, a.t.x FROM a.t, b.t", {"id": "b.id", "y": "b.y", "x": "a.x"}),
        (
            "SELECT AwsDataCatalog.b.t.y FROM a.t JOIN AwsDataCatalog.b.t ON a.t.id = b.t.id",
            {"y": "b.y"},
        ),
        ("SELECT (SELECT max(a.t.x) FROM b.t WHERE b.t.id = a.t.id) AS m FROM a.t", {"m": "a.x"}),
        ("SELECT id, y FROM a.t NATURAL JOIN b.t", {"id": "a.id b.id", "y": "b.y"}),
    ],
)
def test_tables_of_one_name_keep_their_own_columns(sql: str, expected: dict[str, str]) -> None:
    """Without aliases it is the schema that tells them apart."""
    schema = SchemaIndex()
    schema.add("AwsDataCatalog", "a", "t", ["id", "x"])
    schema.add("AwsDataCatalog", "b", "t", ["id", "y"])
    analysis = analyse(Statement(sql=sql, schema="s"), schema)

    assert {
        output.name: " ".join(sorted(f"{s.table.schema}.{s.column}" for s in output.sources))
        for output in analysis.outputs or ()
    } == expected
    assert analysis.problems == ()
    assert all(source.is_sure for output in analysis.outputs or () for source in output.sources)


def test_a_column_of_several_arguments_of_unnest_is_not_sure() -> None:
    """Nobody says which of them is the map that gives two columns."""
    analysis = run("SELECT k FROM orders CROSS JOIN UNNEST(map_agg(id, cid), tags) AS t(k, v, w)")

    assert analysis.outputs
    assert {source.is_sure for source in analysis.outputs[0].sources} == {False}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM orders PIVOT (sum(total) FOR cid IN (1 AS a, 2 AS b))", None),
        ("SELECT * FROM (SELECT * FROM orders) UNPIVOT (v FOR k IN (id, cid))", None),
        (
            "SELECT stack(2, id, cid) AS (k, v) FROM orders",
            {name: {"orders.id", "orders.cid"} for name in "kv"},
        ),
        ("SELECT id, total AS v, cid AS w FROM orders", {"v": {"orders.total"}}),
    ],
)
def test_columns_that_spark_makes_are_not_those_of_the_table(
    sql: str, expected: dict[str, set[str]] | None
) -> None:
    """Nor is a column of a view told that the catalog does not know of it."""
    schema = index()
    schema.add("AwsDataCatalog", "sales", "made", ["k", "v"])
    made = TableName("AwsDataCatalog", "sales", "made")
    statement = Statement(sql=sql, schema="sales", view=made, dialect="spark")

    assert flows(analyse(statement, schema)) == expected


def test_prepared_statements_are_resolved() -> None:
    """EXECUTE does what was prepared; to prepare does nothing."""
    text = "INSERT INTO lines (id) SELECT id FROM orders WHERE total = ?"
    prepared = run(f"PREPARE p FROM {text}")
    statement = Statement(sql="EXECUTE p USING 5", schema="sales", workgroup="wg", submitted_at=AT)
    statements = PreparedStatements()
    statements.note("wg", f"PREPARE p FROM {text}", AT)
    executed = analyse(statement, SCHEMA, statements)
    elsewhere = analyse(replace(statement, workgroup="other"), SCHEMA, statements)

    assert prepared.is_explained
    assert not executed.is_explained
    assert elsewhere.problems == ("execute",)
    assert flows(executed) == flows(prepared) == {"id": {"orders.id"}}


def test_hive_views_are_read_as_hive_does() -> None:
    """In a Hive view backquotes are names and double quotes are text."""
    view = TableName("AwsDataCatalog", "crm", "v")
    statement = Statement(
        sql='SELECT `o`.`id` FROM `sales`.`orders` `o` WHERE total = "x"', view=view, dialect="hive"
    )
    analysis = analyse(statement, SCHEMA)

    assert (analysis.target, analysis.problems) == (view, ())
    assert flows(analysis) == {"id": {"orders.id"}}


@pytest.mark.parametrize("dialect", ["hive", "spark"])
def test_spark_has_a_name_of_its_own_for_the_catalog(dialect: str) -> None:
    """In a view that Spark made; in Athena's statements a catalog may be called so."""
    sql = "SELECT id FROM spark_catalog.sales.orders"
    view = TableName("AwsDataCatalog", "crm", "v")
    (read,) = run(sql, view=view, dialect=dialect).reads
    (other,) = run(sql).reads

    assert (read.table, other.table.catalog) == (full("sales.orders"), "spark_catalog")


def test_the_outputs_of_a_view_have_its_names() -> None:
    """The columns that the catalog has for a view name its outputs, by position."""
    schema = index()
    schema.add("AwsDataCatalog", "crm", "v", ["first", "second"])
    view = TableName("AwsDataCatalog", "crm", "v")
    analysis = analyse(Statement(sql="SELECT cid, name FROM crm.people", view=view), schema)

    assert flows(analysis) == {"first": {"people.cid"}, "second": {"people.name"}}


def test_long_unions_and_conditions_are_no_problem() -> None:
    """Hundreds of branches and conditions do not exhaust the stack."""
    sql = " UNION ALL ".join(["SELECT id FROM orders"] * 700)
    sql += " WHERE " + " AND ".join(["id = 1"] * 700)
    analysis = run(sql)

    assert analysis.is_parsed
    assert flows(analysis) == {"id": {"orders.id"}}


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The parser's own warnings repeat SQL that it does not know; none of them gets out."""
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "sqlglot"):
        for sql in (
            "GRANT kestrel",
            "WITH x AS (SHOW merlin) SELECT * FROM x",
            "SELECT (((kestrel",
        ):
            assert not read_query(ParseRequest(sql, "trino", Context("c", "s"))).is_parsed

    assert caplog.text == ""


@pytest.mark.parametrize("is_on_disk", [False, True])
def test_the_index_knows_tables_by_any_spelling(tmp_path: Path, is_on_disk: bool) -> None:
    """Tables may come in pieces; the last spelling counts, and what is not there is not known."""
    asked = TableName("awsdatacatalog", "SALES", "Orders")
    schema = SchemaIndex(tmp_path / "columns" if is_on_disk else None)

    assert (schema.columns(asked), schema.spelling(asked)) == (None, asked)
    schema.add("AwsDataCatalog", "sales", "ORDERS", ["a"])
    schema.add_many([("AwsDataCatalog", "sales", "orders", ["B", "\udc80"]), ("c", "s", "t", [])])
    assert schema.columns(asked) == ("a", "B", "\udc80")
    assert schema.spelling(asked) == TableName("AwsDataCatalog", "sales", "orders")
    assert schema.spelling(TableName("c", "s", "u")) == TableName("c", "s", "u")
    schema.close()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE EXTERNAL TABLE `audit.waf_hits` (a int) LOCATION 's3://bkt/x/'",
        "ALTER TABLE `audit.waf_hits` ADD COLUMNS (b int)",
        "DROP TABLE IF EXISTS `audit.waf_hits`",
        "DROP TABLE `audit`.`waf_hits`",
        "MSCK REPAIR TABLE `audit.waf_hits`",
    ],
)
def test_hive_quotes_schema_and_table_together(sql: str) -> None:
    """As SHOW CREATE TABLE prints it: the dot within backquotes parts the schema from the table."""
    assert run(sql).target == full("audit.waf_hits")


def test_the_word_after_a_hidden_name_is_no_table() -> None:
    """Where the mask hides the name of a table, a look at the text takes nothing for it."""
    assert run("SELECT * FROM ? FOR VERSION AS OF ?, ?").reads == ()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM orders USING crm.people",
        "DELETE FROM orders USING crm.people WHERE cid = 1",
        "UPDATE orders SET",
        "MERGE INTO orders USING",
        "SELECT * FROM orders PIVOT (",
        "VALUES",
    ],
)
def test_whatever_the_parser_raises_is_a_guess(sql: str, capfd: pytest.CaptureFixture[str]) -> None:
    """An error of the parser ends neither the process nor the analysis, and prints nothing."""
    read_query(ParseRequest(sql, "trino", Context(None, "sales")))

    assert capfd.readouterr() == ("", "")


def test_any_number_of_other_names_leaves_the_tables_known() -> None:
    """Only what stands where a table may stand is looked up, however many names there are."""
    names = ", ".join(f"c{number}" for number in range(40_000))
    planned = plan(Statement(sql=f"SELECT *, {names} FROM orders", schema="sales"), SCHEMA)

    assert planned.question is not None
    assert [table.name.table for table in planned.question.tables] == ["orders"]


def test_prefixes_without_end_are_no_statement() -> None:
    """EXPLAIN and PREPARE once more and again are of no statement, and exhaust no stack."""
    for prefix in ("EXPLAIN ", "PREPARE p FROM ", "EXPLAIN PREPARE p FROM "):
        assert run(prefix * 5_000 + "SELECT 1").kind == "UNKNOWN"
