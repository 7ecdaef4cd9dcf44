"""Flows of values: what is called exact is a value that arrives, what only bears upon it is not."""

from __future__ import annotations

import pytest

from kada_athena_async.sql.names import TableName
from tests.unit.sql.test_lineage import run

# A capital says how: I identity, T transformation, A aggregation; of what only bears upon the
# output C conditional, W window, S sort. After the bar what bears upon all rows: F filter, J join,
# G group_by, S sort. ``p``, ``o`` and ``l`` are people, orders and lines.
HOW = {
    "identity": "I", "transformation": "T", "aggregation": "A", "conditional": "C", "window": "W",
    "sort": "S", "filter": "F", "join": "J", "group_by": "G",
}  # fmt: skip

FLOWS = [
    # MERGE, UPDATE, DELETE
    (
        "MERGE INTO lines t USING (SELECT cid, name, email FROM crm.people WHERE email > 'a') s"
        " ON t.id = s.cid WHEN MATCHED AND s.name = 'x' THEN DELETE WHEN MATCHED AND t.price > 5"
        " THEN UPDATE SET sku = upper(s.name) WHEN MATCHED THEN UPDATE SET sku = t.info, info ="
        " s.email WHEN NOT MATCHED THEN INSERT (id, sku) VALUES (s.cid, IF(s.email = 'q', s.name))",
        "sku: Cp.email Il.info Tp.name, info: Ip.email, id: Ip.cid"
        " | Fl.price Fp.email Fp.name Jl.id Jp.cid",
    ),
    ("UPDATE lines l SET price = o.total FROM orders o WHERE l.id = o.id",
     "price: Io.total | Fl.id Fo.id"),
    ("UPDATE lines SET price = CASE WHEN id > 5 THEN (SELECT avg(total) FROM orders) ELSE price"
     " END",
     "price: Ao.total Cl.id Tl.price |"),
    ("DELETE FROM lines WHERE EXISTS (SELECT o.total FROM orders o WHERE o.id = lines.id)",
     "| Fl.id Fo.id"),
    # INSERT
    ("INSERT INTO lines (price, id, sku) SELECT total, id, cid FROM orders",
     "price: Io.total, id: Io.id, sku: Io.cid |"),
    ('INSERT INTO lines ("SKU") SELECT name FROM crm.people', "sku: Ip.name |"),
    ("INSERT OVERWRITE TABLE lines SELECT id, cid, total, tags FROM orders",
     "id: Io.id, sku: Io.cid, price: Io.total, info: Io.tags |"),
    ("INSERT OVERWRITE lines PARTITION (sku = 'x') SELECT id, total, tags FROM orders",
     "id: Io.id, price: Io.total, info: Io.tags |"),
    ("INSERT INTO TABLE `sales.lines` PARTITION (sku, price = 5) SELECT id, tags, cid FROM orders",
     "id: Io.id, info: Io.tags, sku: Io.cid |"),
    # WITH
    ("WITH orders AS (SELECT cid AS id FROM crm.people) SELECT id FROM orders", "id: Ip.cid |"),
    ("WITH orders AS (SELECT * FROM orders WHERE cid > 1) SELECT id FROM orders",
     "id: Io.id | Fo.cid"),
    ("WITH orders AS (SELECT 1 x) SELECT id FROM sales.orders", "id: Io.id |"),
    ("WITH a AS (SELECT id FROM orders), b AS (WITH a AS (SELECT sku AS id FROM lines) SELECT id"
     " FROM a) SELECT a.id x, b.id y FROM a, b", "x: Io.id, y: Il.sku |"),
    # Grouping
    ("SELECT cid, grouping(cid, placed) g, sum(total) s FROM orders GROUP BY GROUPING SETS ((cid),"
     " (placed), ())", "cid: Io.cid, g:, s: Ao.total | Go.cid Go.placed"),
    ("SELECT cid c, count(DISTINCT id) n FROM orders GROUP BY 1 HAVING max(total) > 1 ORDER BY n",
     "c: Io.cid, n: Ao.id | Fo.total Go.cid So.id"),
    ("SELECT id AS total, total AS id FROM orders ORDER BY id",
     "total: Io.id, id: Io.total | So.total"),
    ("SELECT max(id) total FROM orders GROUP BY total", "total: Ao.id | Go.total"),
    # Windows and aggregates
    ("SELECT sum(total) OVER (PARTITION BY cid ORDER BY placed ROWS BETWEEN 2 PRECEDING AND CURRENT"
     " ROW) s, rank() OVER w r FROM orders WINDOW w AS (ORDER BY id)",
     "s: Ao.total Wo.cid Wo.placed, r: Wo.id |"),
    ("SELECT max_by(id, total) m, min_by(cid, placed, 3) n FROM orders",
     "m: Ao.id So.total, n: Ao.cid So.placed |"),
    ("SELECT sum(total) FILTER (WHERE placed > 'x') f, array_agg(id ORDER BY placed) a FROM orders",
     "f: Ao.total Co.placed, a: Ao.id So.placed |"),
    ("SELECT sum(CASE WHEN placed = 'a' THEN total END) a, max(IF(cid = 'b', id, 0)) b FROM orders",
     "a: Ao.total Co.placed, b: Ao.id Co.cid |"),
    ("SELECT approx_set(id) a, geometry_union_agg(tags) g, merge_set_digest(make_set_digest(cid))"
     " m, arbitrary(total) t FROM orders", "a: Ao.id, g: Ao.tags, m: Ao.cid, t: Ao.total |"),
    # Functions
    ("SELECT nullif(id, cid) n, coalesce(total, id) c FROM orders",
     "n: Co.cid To.id, c: To.id To.total |"),
    ("SELECT filter(tags, x -> x <> cid) f, transform(tags, id -> id || cid) t FROM orders",
     "f: Co.cid To.tags, t: To.cid To.tags |"),
    ("SELECT map_filter(m, (k, v) -> v > total) f FROM (SELECT map(ARRAY[id], ARRAY[cid]) m, total"
     " FROM orders)", "f: Co.total To.cid To.id |"),
    # Set operations
    ("SELECT id a, total b FROM orders UNION ALL BY NAME SELECT price b, sku c, id a FROM lines",
     "a: Il.id Io.id, b: Il.price Io.total, c: Il.sku |"),
    ("SELECT id a, total FROM orders UNION CORRESPONDING SELECT price b, id a FROM lines",
     "a: Il.id Io.id |"),
    ("SELECT id, cid FROM orders UNION CORRESPONDING BY (id) SELECT sku cid, id FROM lines",
     "id: Il.id Io.id |"),
    ("SELECT id FROM orders EXCEPT CORRESPONDING SELECT sku, id FROM lines",
     "id: Io.id | Fl.id Fl.sku"),
    ("SELECT id FROM orders UNION (SELECT sku FROM lines EXCEPT SELECT name FROM crm.people)"
     " ORDER BY id", "id: Il.sku Io.id | Fp.name Sl.sku So.id"),
    # Subqueries
    ("SELECT id, EXISTS (SELECT l.sku FROM lines l WHERE l.id = o.id) e FROM orders o",
     "id: Io.id, e: | Fl.id Fo.id"),
    ("SELECT id FROM orders WHERE (id, cid) IN (SELECT price, sku FROM lines)",
     "id: Io.id | Fl.price Fl.sku Fo.cid Fo.id"),
    # Rows and stars
    ("SELECT * EXCEPT (id, tags, placed), 1 z FROM orders", "cid: Io.cid, total: Io.total, z: |"),
    ("SELECT y FROM orders CROSS JOIN UNNEST(tags) AS t(x) CROSS JOIN UNNEST(x) AS u(y)",
     "y: To.tags |"),
    ("SELECT r.* AS (m, n), z FROM (SELECT ROW(id, cid) AS r, total z FROM orders)",
     "m: To.cid To.id, n: To.cid To.id, z: Io.total |"),
    ("SELECT o.* AS (a, b, c, d, e) FROM orders o",
     "a: Io.id, b: Io.cid, c: Io.total, d: Io.placed, e: Io.tags |"),
    # Joins by name: the columns of the last USING come first, of its own join alone
    ("SELECT * FROM (SELECT id, cid FROM orders) JOIN (SELECT id, sku FROM lines) USING (id) JOIN"
     " crm.people USING (cid)",
     "cid: Io.cid Ip.cid, id: Il.id Io.id, sku: Il.sku, name: Ip.name, email: Ip.email"
     " | Jl.id Jo.cid Jo.id Jp.cid"),
    ("SELECT * FROM (SELECT id, cid FROM orders) JOIN (SELECT id, sku FROM lines) USING (id) JOIN"
     " (SELECT cid id FROM crm.people) ON true",
     "id: Il.id Io.id, cid: Io.cid, sku: Il.sku, id: Ip.cid | Jl.id Jo.id"),
    ("SELECT * FROM (SELECT cid id, name FROM crm.people) JOIN ((SELECT id, cid FROM orders) JOIN"
     " (SELECT id, sku FROM lines) USING (id)) ON true",
     "id: Ip.cid, name: Ip.name, id: Il.id Io.id, cid: Io.cid, sku: Il.sku | Jl.id Jo.id"),
    ("SELECT * FROM (SELECT cid id FROM crm.people), (SELECT id, cid FROM orders) JOIN (SELECT id,"
     " sku FROM lines) USING (id)",
     "id: Ip.cid, id: Il.id Io.id, cid: Io.cid, sku: Il.sku | Jl.id Jo.id"),
    # Sorting by what the outputs are called
    ("SELECT id x, total cid FROM orders ORDER BY x + cid, placed",
     "x: Io.id, cid: Io.total | So.id So.placed So.total"),
    ("SELECT sum(total) OVER w2 s FROM orders WINDOW w AS (PARTITION BY cid), w2 AS (w ORDER BY"
     " placed)", "s: Ao.total Wo.cid Wo.placed |"),
    # JSON
    ("SELECT id, j.* FROM orders CROSS JOIN JSON_TABLE(tags, 'lax $' COLUMNS (n FOR ORDINALITY, a"
     " varchar(9) PATH 'lax $.a' DEFAULT 'x' ON EMPTY, NESTED PATH '$.c' COLUMNS (d int PATH '$.d'"
     " ERROR ON ERROR))) j", "id: Io.id, n:, a: To.tags, d: To.tags |"),
    ("SELECT JSON_ARRAY(id, cid NULL ON NULL RETURNING varchar(9)) a, JSON_OBJECT(KEY 'k' VALUE id,"
     " 'l' : total ABSENT ON NULL) o, JSON_QUERY(tags, '$' WITH CONDITIONAL ARRAY WRAPPER KEEP"
     " QUOTES EMPTY ARRAY ON EMPTY) q, JSON_ARRAYAGG(id ORDER BY placed) g FROM orders",
     "a: To.cid To.id, o: To.id To.total, q: To.tags, g: Ao.id So.placed |"),
    ("SELECT json_value(tags, 'lax $' PASSING json_query(cid, '$' PASSING id AS i) AS \"k\", total"
     " AS t RETURNING decimal(9, 2) NULL ON EMPTY) AS \"passing\", placed FROM orders",
     "passing: To.cid To.id To.tags To.total, placed: Io.placed |"),
    ("SELECT o.id, j.x FROM orders o, JSON_TABLE(o.tags FORMAT JSON, '$' AS root PASSING o.cid"
     " AS c, o.total AS t COLUMNS (x int PATH '$.a', NESTED '$.b' AS b COLUMNS (z int PATH '$'))"
     " PLAN (root OUTER (b CROSS c)) EMPTY ON ERROR) AS j",
     "id: Io.id, x: To.cid To.tags To.total |"),
    ("SELECT id FROM orders FOR SYSTEM_VERSION AS OF 5", "id: Io.id |"),
    # Functions of one's own
    ("USING EXTERNAL FUNCTION f(x VARCHAR) RETURNS VARCHAR LAMBDA 'a', EXTERNAL FUNCTION g(x"
     " VARCHAR) RETURNS DOUBLE SAGEMAKER 'b' SELECT f(cid) x, g(id) y FROM orders",
     "x: To.cid, y: To.id |"),
    ("USING FUNCTION f(x VARCHAR) RETURNS VARCHAR TYPE SAGEMAKER_INVOKE_ENDPOINT WITH"
     " (sagemaker_endpoint = 'e') SELECT f(cid) x FROM orders", "x: To.cid |"),
    ("USING EXTERNAL FUNCTION f(x INT) RETURNS INT LAMBDA 'a' INSERT INTO lines (sku) SELECT"
     " f(cid) FROM orders", "sku: To.cid |"),
    # MATCH_RECOGNIZE
    ("SELECT m.*, l.sku FROM orders o MATCH_RECOGNIZE (PARTITION BY cid ORDER BY placed MEASURES"
     " A.total AS t, o.id + 1 AS i, CLASSIFIER() AS c PATTERN (A B+) DEFINE B AS B.tags > 1) m"
     " JOIN lines l ON m.t = l.id",
     "cid: Io.cid, t: Io.total, i: To.id, c:, sku: Il.sku"
     " | Fo.tags Go.cid Jl.id Jo.total So.placed"),
    ("SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY cid ORDER BY placed MEASURES A.total AS t"
     " ALL ROWS PER MATCH PATTERN (A) DEFINE A AS true)",
     "cid: Io.cid, placed: Io.placed, t: Io.total, id: Io.id, total: Io.total, tags: Io.tags"
     " | Go.cid So.placed"),
    ("SELECT * FROM orders MATCH_RECOGNIZE (MEASURES last(U.total) AS t PATTERN (A B) SUBSET U ="
     " (A, B), V = (A) DEFINE A AS A.id > 1)", "t: To.total | Fo.id"),
    ("SELECT * FROM elsewhere MATCH_RECOGNIZE (ORDER BY at MEASURES A.v AS w PATTERN (A)"
     " DEFINE A AS A.v > 1)", "w: Ielsewhere.v | Felsewhere.v Selsewhere.at"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), FLOWS)
def test_values_flow_as_the_statement_says(sql: str, expected: str) -> None:
    """Each output has just the columns whose values it holds, and those that bear upon it."""
    analysis = run(sql)

    def shown(sources: object) -> str:
        names = {"orders": "o", "lines": "l", "people": "p"}
        return " ".join(
            sorted(
                f"{HOW[source.how]}{names.get(source.table.table, source.table.table)}"
                f".{source.column}"
                for source in sources  # type: ignore[attr-defined]
            )
        )

    assert analysis.outputs is not None
    outputs = [f"{output.name}: {shown(output.sources)}".strip() for output in analysis.outputs]
    assert f"{', '.join(outputs)} | {shown(analysis.influences)}".strip() == expected
    assert analysis.problems == ()


@pytest.mark.parametrize("join", ["SEMI", "ANTI"])
def test_a_join_that_only_looks_gives_no_columns(join: str) -> None:
    """Spark's views: the right side is in no star, and no name without its alias means it."""
    view = TableName("AwsDataCatalog", "sales", "v")
    for sql, expected in (
        (f"SELECT * FROM lines LEFT {join} JOIN orders o ON lines.id = o.id", "id sku price info"),
        (f"SELECT id FROM lines LEFT {join} JOIN orders USING (id) SORT BY sku", "id"),
    ):
        analysis = run(sql, view=view, dialect="spark")
        assert analysis.problems == ()
        assert {
            output.name: {(source.table.table, source.how) for source in output.sources}
            for output in analysis.outputs or ()
        } == {key: {("lines", "identity")} for key in expected.split()}
        tables = {(source.table.table, source.how) for source in analysis.influences}
        assert tables >= {("lines", "join"), ("orders", "join")}


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("SELECT CAST(info AS ROW(a int)).*, id FROM lines", {"info", "id"}),
        ("SELECT l.info.* FROM lines l", {"info"}),
        ("SELECT info.* FROM lines", {"info"}),
        ("SELECT * REPLACE (1 AS id) FROM lines", {"id", "sku", "price", "info"}),
        (
            "SELECT id FROM orders JOIN lines USING (id) MATCH_RECOGNIZE (ORDER BY sku PATTERN (A)"
            " DEFINE A AS true)",
            {"id"},
        ),
    ],
)
def test_outputs_that_nobody_can_count_are_not_known(sql: str, read: set[str]) -> None:
    """The width of a row is not known; the column that it is in is read all the same."""
    analysis = run(sql)

    assert analysis.outputs is None or "match_recognize" in analysis.problems
    assert {*(analysis.reads[-1].columns or ())} == read
