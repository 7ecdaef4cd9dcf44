"""Masking: nothing secret survives, nothing else is lost."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kada_athena_async.sql.masking import MAX_MASKABLE_CHARS, is_unmaskable, mask_sql, mask_text
from tests.unit.sql.generated import Generated, Generator
from tests.unit.sql.labelled import LABELLED, Labelled

MESSAGES: list[tuple[str, str | None]] = [
    ("Query exhausted resources at this scale factor", None),
    ("Status Code: 403", None),
    ("Can't find it; the table isn't there", None),
    (
        "line 12:7: Column 'kestrel' cannot be resolved",
        "line 12:7: Column ? cannot be resolved",
    ),
    (
        "line 1:8: mismatched input 'a 'kestrel' b'. Expecting: x",
        "line 1:8: mismatched input ?",
    ),
    (
        "no viable alternative at input 'SELECT 'kestrel' FROM'",
        "no viable alternative at input ?",
    ),
    ("line 1:52: mismatched input '“kestrel”'.", "line 1:52: mismatched input ?"),
    ("token recognition error at: 'kestrel", "token recognition error at: ?"),
    (
        'Error parsing field value "a@b.c" for field 2',
        "Error parsing field value ? for field 2",
    ),
    ('For input string: "kestrel"', "For input string: ?"),
    ("Cannot cast 'O'Kestrel' to date", "Cannot cast ? to date"),
    ("Can't find 'kestrel'", "Can't find ?"),
    ("Value '078-05-1120' is bad: ‘kestrel’ “merlin”", "Value ? is bad: ?"),
    ("Key not present in map: kestrel", "Key not present in map: ?"),
    ("Duplicate map keys (kestrel) are not allowed", "Duplicate map keys (?) are not allowed"),
    ("Value cannot be cast to date: kestrel", "Value cannot be cast to date: ?"),
    ('Invalid format: "kestrel" is malformed at "rel"', "Invalid format: ?"),
    ("got 078-05-1120, 12345, 1957-10-04 00:00:00", "got ?, ?, ?"),
    ("user ann@kestrel.example exists", "user ? exists"),
    ("extraneous input no value", "extraneous input ?"),
    ("Invalid input: kestrel", "Invalid input: ?"),
    ("illegal input no value", "illegal input ?"),
    ("token recognition error at: kestrel", "token recognition error at: ?"),
    ("For input string: kestrel", "For input string: ?"),
    ("it is malformed at kestrel", "it is malformed at ?"),
    ("Unparseable kestrel", "Unparseable ?"),
    ("could not parse kestrel", "could not parse ?"),
    ("failed to parse kestrel", "failed to parse ?"),
    ("Error parsing field 3: kestrel", "Error parsing field 3: ?"),
    ("it's what doesn't exist, the table's column isn't", None),
    ("they're kestrel's, we've kestrels", "they're ?, we've ?"),
    ("'s kestrel' value", "? value"),
    ("DATE'kestrel' value", "DATE? value"),
    ("line 1234:12345: ‘Ann’s kestrel’ value", "line 1234:12345: ? value"),
    ("never closed 'value", "never closed ?"),
    ('never closed "value', "never closed ?"),
    ("never closed `value", "never closed ?"),
    ("never closed “no such value", "never closed ?"),
    ("never closed ‘no such value", "never closed ?"),
    ("in ＇no such value＇, ＂no such value＂, ´no such value´", "in ?, ?, ?"),
    ("in `no such value`, “no such value”, ‘no such value’s’ key", "in ?, ?, ? key"),
    ("", None),
]
"""Messages, and what they are masked to; None if they stay as they are."""

HIVE = {"dialect": "hive"}
WORD = re.compile(r"\w+")
ENDS = WORD.findall(
    "from where having limit offset fetch union intersect except window values rows range"
)
AFTER = WORD.findall("asc desc nulls having limit offset fetch union intersect except window order")
VERBS = WORD.findall(
    "select with insert delete update merge unload values table explain prepare execute"
    " deallocate optimize vacuum using call refresh grant revoke commit rollback start"
)
KEEP = {"keep_s3_locations": True}
EXACT: list[tuple[str, dict[str, Any], str | None]] = [
    ("UNLOAD (SELECT 'x' FROM t) TO 's3://bkt/a-b/' WITH (format='ORC')", KEEP,
     "UNLOAD (SELECT ? FROM t) TO 's3://bkt/a-b/' WITH (format=?)"),
    ("CREATE TABLE x WITH (external_location = 's3://bkt/x/') AS SELECT 'y' y", KEEP,
     "CREATE TABLE x WITH (external_location = 's3://bkt/x/') AS SELECT ? y"),
    ("CREATE EXTERNAL TABLE x (a int COMMENT 's3://bkt/c') LOCATION\n's3a://bkt.q/x'", KEEP,
     "CREATE EXTERNAL TABLE x (a int COMMENT ?) LOCATION\n's3a://bkt.q/x'"),
    ('CREATE EXTERNAL TABLE x (a int) LOCATION "s3://bkt/x/"', KEEP, None),
    ("SELECT a FROM t WHERE location = 's3://bkt/x/'", KEEP,
     "SELECT a FROM t WHERE location = ?"),
    ("SELECT a FROM t WHERE b = 's3://bkt/x/'", KEEP, "SELECT a FROM t WHERE b = ?"),
    ("SELECT .5, .5e3, .5_0, a.5, .5x, 1.5.5 FROM t ORDER BY .5, 1", {},
     "SELECT ?, ?, ?, a?, ??, ?? FROM t ORDER BY ?, 1"),
    ("UNLOAD (SELECT a FROM t) TO -- not to\n's3://bkt/x/'", KEEP,
     "UNLOAD (SELECT a FROM t) TO --?\n?"),
    ("UNLOAD (SELECT a FROM t) TO 's3://bkt/kes trel/'", KEEP, "UNLOAD (SELECT a FROM t) TO ?"),
    ("UNLOAD (SELECT a FROM t) TO 's3://bkt/x\\kestrel/'", KEEP, "UNLOAD (SELECT a FROM t) TO ?"),
    ("UNLOAD (SELECT a FROM t) TO 's3://bkt/o''kestrel/'", KEEP, "UNLOAD (SELECT a FROM t) TO ?"),
    ("UNLOAD (SELECT a FROM t) TO 's3://Bkt/x/'", KEEP, "UNLOAD (SELECT a FROM t) TO ?"),
    ("UNLOAD (SELECT a FROM t) TO 's3://bkt'", KEEP, "UNLOAD (SELECT a FROM t) TO ?"),
    ("UNLOAD (SELECT a FROM t) TO X's3://bkt/x/'", KEEP, "UNLOAD (SELECT a FROM t) TO ?"),
    ("UNLOAD (SELECT a FROM t) TO 's3://bkt/x/'", {}, "UNLOAD (SELECT a FROM t) TO ?"),
    ("SELECT ´kestrel´ x, ＂merlin＂ y, ＇hobby＇ z", {}, "SELECT ? x, ? y, ? z"),
    ("SELECT “kestrel” x, ‘mer’s lin’ y, «hobby» z", {}, "SELECT ? x, ? y, ? z"),
    ("SELECT ´kestrel´ x, ＂merlin＂ y, ＇hobby＇ z", HIVE, "SELECT ? x, ? y, ? z"),
    ("SELECT “kestrel” x, ‘mer’s lin’ y, «hobby» z", HIVE, "SELECT ? x, ? y, ? z"),
    *(
        (f"SELECT {pair[0]}Ann's kestrel{pair[1]} x", facts, "SELECT ? x")
        for pair in re.findall("..", "「」『』｢｣〝〞〝〟❛❜❝❞❮❯《》〈〉【】‟”‛’⟨⟩⟪⟫′′″″‵′‶″ʼʼʻʼˮˮ")
        for facts in ({}, HIVE)
    ),
    ("SELECT é\\é\\é1 x, x§y", {}, "SELECT ? x, x?y"),
    ("SELECT $$kestrel $ merlin$$ x, a$b", {}, "SELECT ? x, a$b"),
    ("SELECT $$kestrel $ merlin$$ x, a$b", HIVE, "SELECT ? x, a$b"),
    ("SELECT a, $$kestrel merlin", {}, "SELECT a, ?"),
    ("SELECT a = ‘Ann’s kestrel", {}, "SELECT a = ?"),
    ("SELECT a, $$kestrel merlin", HIVE, "SELECT a, ?"),
    ("SELECT '\\'kestrel\\'' x", {}, "SELECT ? x"),
    (
        "SELECT 1.e-57 x, 57e-57 y, 5.7e+57 z, .5e7 w, 5_7.5_7 v",
        {},
        "SELECT ? x, ? y, ? z, ? w, ? v",
    ),
    ("SELECT 1.e-57 x, 57e-57 y, 5.7e+57 z, .5e7 w, 57 v", HIVE, "SELECT ? x, ? y, ? z, ? w, ? v"),
    (
        "SELECT f(10L, 5bd, 100M, 0xFF, 0o7, 0b1, 1e5, 1_0)",
        HIVE,
        "SELECT f(?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    ("SELECT a FROM 2024sales, 2024_q1", HIVE, "SELECT a FROM 2024sales, 2024_q1"),
    ("SELECT a FROM /* x */ -- y\n2024_q1", {}, "SELECT a FROM /*?*/ --?\n2024_q1"),
    ("SELECT a = /* x */ 2024_q1", {}, "SELECT a = /*?*/ ?"),
    ("SELECT a FROM t GROUP BY f(a, 5), 1", HIVE, "SELECT a FROM t GROUP BY f(a, ?), 1"),
    ("SELECT größe, länge FROM t", HIVE, "SELECT ?, ? FROM t"),
    ("SELECT größe, länge FROM t", {}, "SELECT ?, ? FROM t"),
    ("SELECT a ORDER BY CAST(a AS decimal(10, 2)), 2", {}, None),
    ("SELECT a ORDER BY CAST(a AS numeric(10)), CAST(b AS dec(9,2)), 2", {}, None),
    ("SELECT a ORDER BY CAST(a AS varchar(16)), CAST(b AS char(3)), 2", {}, None),
    ("SELECT a ORDER BY CAST(a AS character varying(16)), CAST(b AS character(3)), 2", {}, None),
    ("SELECT a ORDER BY CAST(a AS timestamp(3)), CAST(b AS time(6)), 2", {}, None),
    ("SELECT a ORDER BY CAST(a AS numeric(10)), CAST(b AS dec(9,2)), 2", HIVE, None),
    (
        "SELECT a ORDER BY CAST(a AS decimal(5)), CAST(a AS varchar(16)), CAST(b AS char(3))",
        HIVE,
        None,
    ),
    ("SELECT a ORDER BY CAST(a AS character varying(16)), CAST(b AS character(3)), 2", HIVE, None),
    ("SELECT a ORDER BY CAST(a AS timestamp(3)), CAST(b AS time(6)), 2", HIVE, None),
    ("ALTER TABLE t ADD x (bucket(16, a), truncate(4, a))", {}, None),
    ("SELECT a FROM t ORDER BY 1, 2", {}, None),
    ("SELECT a FROM t GROUP\tBY 1, 2;", {}, None),
    ("(SELECT a FROM t ORDER BY 1)", {}, None),
    ("SELECT a FROM t ORDER BY 1 /* x */", {}, "SELECT a FROM t ORDER BY 1 /*?*/"),
    *((f"SELECT a FROM t ORDER BY 1 {word}", {}, None) for word in AFTER),
    *(
        (f"SELECT a FROM t GROUP BY a {word} 7, 8", {}, f"SELECT a FROM t GROUP BY a {word} ?, ?")
        for word in [*ENDS, "select", "groups", "using"]
    ),
    *((f"{verb} \"kestrel\" 'merlin'", {}, f'{verb} "kestrel" ?') for verb in VERBS),
]  # fmt: skip
"""Statements, what is said of them, and what they are masked to; None if they stay as they are."""

each_labelled = pytest.mark.parametrize("case", LABELLED, ids=[case.trap for case in LABELLED])


@each_labelled
def test_no_secret_survives(case: Labelled) -> None:
    """No literal and no comment of a labelled statement is in the masked text."""
    masked = mask_sql(case.sql, **case.types)

    assert [secret for secret in case.secret if secret in masked] == []


@each_labelled
def test_structure_survives(case: Labelled) -> None:
    """Names, keywords, type parameters, ordinals and layout stay as they were."""
    masked = mask_sql(case.sql, **case.types)

    assert [text for text in case.keep if text not in masked] == []


@each_labelled
def test_masking_twice_changes_nothing(case: Labelled) -> None:
    """A masked text stays as it is, a name that nobody mistakes for a literal too."""
    masked = mask_sql(case.sql, **case.types)

    assert mask_sql(masked, **case.types) == masked


@each_labelled
def test_lines_are_not_moved(case: Labelled) -> None:
    """Destination of literals every line end stays, so that positions in messages still fit."""
    masked = mask_sql(case.sql, **case.types)

    assert masked.count("\n") <= case.sql.count("\n")
    assert is_unmaskable(masked) is False


def test_the_labels_cover_enough() -> None:
    """There are statements with reads, with writes, with secrets; none is there twice."""
    assert len(LABELLED) >= 150
    assert len({case.sql for case in LABELLED}) == len(LABELLED)
    assert sum(bool(case.secret) for case in LABELLED) >= 120


@pytest.mark.parametrize(("sql", "facts", "masked"), EXACT)
def test_each_piece_of_the_grammar_counts(
    sql: str, facts: dict[str, Any], masked: str | None
) -> None:
    """Just the literals give way, to the letter."""
    assert mask_sql(sql, **facts) == (sql if masked is None else masked)


def leaks(made: Generated) -> list[str]:
    masked = mask_sql(made.sql)
    return [secret for secret in made.secrets if secret in masked] + [
        name for name in made.names if name not in masked
    ]


@pytest.mark.parametrize(
    ("seed", "count"), [(20_261_123, 3_000), pytest.param(1, 100_000, marks=pytest.mark.slow)]
)
def test_generated_statements_do_not_leak(seed: int, count: int) -> None:
    """Of generated statements every planted secret is gone and every name is still there."""
    generator = Generator(seed)
    made = (
        generator.trino_statement() if index % 3 else generator.hive_statement()
        for index in range(count)
    )

    assert [(case.sql, found) for case in made if (found := leaks(case))] == []


@pytest.mark.parametrize("is_failed", [False, True])
@given(
    pieces=st.lists(
        st.sampled_from(
            [
                "TO",
                "LOCATION",
                "external_location=",
                "'s3://bkt/x/'",
                '"s3://bkt/x/"',
                "'s3://bkt/",
                *list("'\"\\-/*\n ?a1"),
            ]
        ),
        max_size=12,
    )
)
@settings(max_examples=300, deadline=None)
def test_what_is_kept_of_any_text_is_a_location(is_failed: bool, pieces: list[str]) -> None:
    """Whatever stands around them, only locations stay of what is hidden without the option."""
    text = "".join(pieces)
    kept = mask_sql(text, is_failed=is_failed, keep_s3_locations=True)
    hidden = mask_sql(text, is_failed=is_failed)

    assert mask_sql(kept, is_failed=is_failed, keep_s3_locations=True) == kept
    assert mask_sql(kept, is_failed=is_failed) == hidden


@pytest.mark.parametrize("is_failed", [False, True])
@given(text=st.text(alphabet="'\"`\\-/*“”‘’,;.()?\n\r \x00 aXxUuNn019_eE&\ud800é", max_size=60))
@settings(max_examples=300, deadline=None)
@example(text="'\\'a")
@example(text="/*/")
@example(text="1'x'e5")
def test_any_text_is_masked_or_refused(text: str, is_failed: bool) -> None:
    """Whatever the bytes, masking ends, never raises, and masking again changes nothing."""
    masked = mask_sql(text, is_failed=is_failed)

    assert mask_sql(masked, is_failed=is_failed) == masked


@given(text=st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_in_quotes_is_hidden(text: str) -> None:
    """No content of a string can end it before its end."""
    quoted = text.replace("'", "''")

    assert mask_sql(f"SELECT '{quoted}' FROM t", statement_type="DML") == "SELECT ? FROM t"


def test_failed_statements_hide_quoted_names() -> None:
    """Where a statement failed, text in double quotes may be a value that was quoted wrongly."""
    sql = 'SELECT a FROM t WHERE name = "Ann Kestrel"'

    assert mask_sql(sql) == sql
    assert mask_sql(sql, is_failed=True) == "SELECT a FROM t WHERE name = ?"


@pytest.mark.parametrize("dialect", ["hive", "spark"])
def test_views_of_hive_and_spark_are_read_as_these_do(dialect: str) -> None:
    """In the query of a Hive or Spark view double quotes hold a value, not a name."""
    sql = "SELECT a FROM t WHERE name = \"Ann\" AND b = 'it\\'s Kestrel'"

    assert mask_sql(sql, dialect=dialect) == "SELECT a FROM t WHERE name = ? AND b = ?"


def test_views_of_another_dialect_show_nothing_that_any_engine_takes_for_a_value() -> None:
    """Redshift's texts are read as Trino's and as Hive's, and what either hides is hidden."""
    sql = "SELECT a FROM t WHERE name = \"Ann\" AND b = 'it\\'s Kestrel'"
    masked = mask_sql(sql, dialect="redshift")

    assert "Ann" not in masked
    assert "Kestrel" not in masked


def test_too_long_is_refused() -> None:
    """A text over the limit gives way to a remark, which masks to itself and is told apart."""
    masked = mask_sql("x" * (MAX_MASKABLE_CHARS + 1))

    assert masked == f"<unmaskable: {MAX_MASKABLE_CHARS + 1} characters>"
    assert is_unmaskable(masked)
    assert mask_sql(masked) == mask_text(masked) == masked


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM t WHERE a IN (" + "1234," * 50_000 + "1)",
        "SELECT " + "(" * 5_000 + "'kestrel'" + ")" * 5_000,
    ],
    ids=["list of 50,000", "5,000 deep"],
)
def test_large_statements_are_masked(sql: str) -> None:
    """Length and depth make nothing unmaskable."""
    masked = mask_sql(sql)

    assert not is_unmaskable(masked)
    assert not re.search(r"1234|kestrel", masked)


@pytest.mark.parametrize(("message", "masked"), MESSAGES)
def test_messages_repeat_nothing(message: str, masked: str | None) -> None:
    """Messages keep their words and lose what they quote, long numbers and addresses."""
    assert mask_text(message) == (message if masked is None else masked)


@given(text=st.text(alphabet="'\"`’‘“ aist.,:@019-\n", max_size=80))
@settings(max_examples=300, deadline=None)
def test_masking_a_message_twice_changes_nothing(text: str) -> None:
    """A masked message stays as it is, or the whole message is refused."""
    masked = mask_text(text)

    assert mask_text(masked) == masked


def test_no_sentinel_of_the_estate_survives() -> None:
    """In no statement, message or view of the sandbox is any planted secret left."""
    pytest.importorskip("duckdb")
    from kada_athena_async.sandbox.estate.build import build_estate
    from kada_athena_async.sandbox.estate.sentinels import SENTINEL_SECRETS

    estate = build_estate(now=datetime(2026, 11, 23, tzinfo=timezone.utc), scale=0.2)
    texts = [
        mask_sql(
            execution.query,
            statement_type=execution.statement_type,
            substatement_type=execution.substatement_type,
            is_failed=execution.state == "FAILED",
        )
        for execution in estate.executions.values()
    ]
    reasons = (e.state_change_reason or "" for e in estate.executions.values())
    messages = (e.error_message or "" for e in estate.executions.values())
    texts += [mask_text(text) for text in (*reasons, *messages)]
    texts += [
        mask_sql(table.view_sql, dialect=table.view_dialect)
        for _, _, table in estate.tables()
        if table.view_sql
    ]

    assert [text for text in texts if any(secret in text for secret in SENTINEL_SECRETS)] == []
    assert not any(map(is_unmaskable, texts))


def test_names_of_tables_stay_in_failed_statements() -> None:
    """BI tools quote them: after FROM and JOIN a plain name in quotes is that of a table."""
    sql = (
        'SELECT "kestrel" FROM "AwsDataCatalog"."sales"."orders" o JOIN hr."staff" ON a = "merlin"'
        ' WHERE b = "hobby" AND c IN (SELECT d FROM "kite bird" JOIN "ann@kite.example")'
    )

    assert mask_sql(sql, is_failed=True) == (
        'SELECT ? FROM "AwsDataCatalog"."sales"."orders" o JOIN hr."staff" ON a = ?'
        " WHERE b = ? AND c IN (SELECT d FROM ? JOIN ?)"
    )


@pytest.mark.parametrize(
    ("sql", "masked"),
    [
        ('INSERT INTO "sales"."t" SELECT 1', 'INSERT INTO "sales"."t" SELECT ?'),
        ('UPDATE "t" SET a = "kestrel"', 'UPDATE "t" SET a = ?'),
        ('DROP TABLE IF EXISTS "t"', 'DROP TABLE IF EXISTS "t"'),
        ('SELECT a IS DISTINCT FROM "kestrel" FROM "t"', 'SELECT a IS DISTINCT FROM ? FROM "t"'),
        ('SELECT trim(both "x" FROM "kestrel") FROM "t"', 'SELECT trim(both ? FROM ?) FROM "t"'),
        (
            'SELECT extract(day FROM (SELECT a FROM "t")), substring(f(1) FROM "kestrel")',
            'SELECT extract(day FROM (SELECT a FROM "t")), substring(f(?) FROM ?)',
        ),
        (
            'SELECT a IS DISTINCT /* x */ FROM "kestrel", "b" IS DISTINCT--x\nFROM "kestrel"',
            "SELECT a IS DISTINCT /*?*/ FROM ?, ? IS DISTINCT--?\nFROM ?",
        ),
        (
            f'SELECT a IS DISTINCT{" " * 500}FROM{" " * 500}"kestrel"',
            f"SELECT a IS DISTINCT{' ' * 500}FROM{' ' * 500}?",
        ),
        ('SELECT trim /**/ /**/ (both FROM "x")', "SELECT trim /*?*/ /*?*/ (both FROM ?)"),
        (
            'SELECT a FROM /* x */ "s" /* y */ . /* z */ "t" JOIN--\n"u" JOIN"v"',
            'SELECT a FROM /*?*/ "s" /*?*/ . /*?*/ "t" JOIN--?\n"u" JOIN"v"',
        ),
        (
            f'SELECT a IS DISTINCT FROM {"b" * 600}."kestrel"',
            f"SELECT a IS DISTINCT FROM {'b' * 600}.?",
        ),
    ],
)
def test_a_value_after_from_is_hidden_and_a_table_after_into_stays(sql: str, masked: str) -> None:
    """In a failed statement the word before tells a table from a value; FROM alone does not."""
    assert mask_sql(sql, is_failed=True) == masked
    assert mask_sql(masked, is_failed=True) == masked


@pytest.mark.parametrize(
    ("sql", "masked"),
    [
        ("SELECT a FROM t WHERE b = 'O'Kestrel' AND c = 'merlin'", "SELECT a FROM t WHERE b = ?"),
        ("SELECT a FROM t WHERE b = 'O'Kestrel' AND c = 'it's merlin' LIMIT 5",
         "SELECT a FROM t WHERE b = ? LIMIT ?"),
        ("SELECT a FROM t WHERE b LIKE '%it's Ann Kestrel%' AND c = 'merlin'",
         "SELECT a FROM t WHERE b LIKE ?"),
        ("SELECT a FROM t WHERE b = 'x' AND c = 'Ann ' Kestrel' AND d = 'merlin'",
         "SELECT a FROM t WHERE b = ?"),
        ('SELECT a FROM "s"."t" WHERE b = "x" AND c = "Ann " Kestrel" AND d = "merlin"',
         'SELECT a FROM "s"."t" WHERE b = ?'),
        ('SELECT a FROM t WHERE b = "Ann "Kestrel" AND c = 1', "SELECT a FROM t WHERE b = ?"),
        ("SELECT a FROM t WHERE b = “Ann” Kestrel” AND c = “merlin”",
         "SELECT a FROM t WHERE b = ?"),
        ("SELECT a FROM t WHERE b=Ann Kestrel' AND c = 'merlin'", "SELECT a FROM t WHERE b=?"),
        ("SELECT a FROM t WHERE b = Ann Kestrel AND c = d",
         "SELECT a FROM t WHERE b = ? AND c = d"),
        ("SELECT a FROM t WHERE b = '' Ann Kestrel '' AND c = ''",
         "SELECT a FROM t WHERE b = ? AND c = ?"),
        ("SELECT coalesce(a, '') AS b, '' || c FROM t WHERE d = '' AND e = f",
         "SELECT coalesce(a, ?) AS b, ? || c FROM t WHERE d = ? AND e = f"),
        ("SELECT a FROM t WHERE b = kestrel;merlin'; ", "SELECT a FROM t WHERE b =?"),
        ("SELECT a FROM t WHERE b > %kestrel#%%' ESCAPE '#'", "SELECT a FROM t WHERE b >?"),
        ("SELECT a FROM t WHERE b = ''Ann Kestrel", "SELECT a FROM t WHERE b = ?"),
        ("SELECT a FROM t WHERE b ' = 'Ann Kestrel", "SELECT a FROM t WHERE b ?"),
        ("SELECT a FROM t WHERE b = 'x'and c = d", "SELECT a FROM t WHERE b = ? c = d"),
        ("ALTER TABLE t SET TBLPROPERTIES ('a = '^(kestrel) \"x\"$', b = 'c')",
         "ALTER TABLE t SET TBLPROPERTIES (?"),
        ("SELECT /* a */ Ann */ c FROM t -- Kestrel */", "SELECT /*?*/? c FROM t --?"),
        ("SELECT a FROM t\nWHERE b = c Kestrel */ AND d", "SELECT a FROM t\n? AND d"),
        ("SELECT a FROM t WHERE b = q'[it's kestrel]' AND c = d",
         "SELECT a FROM t WHERE b =?"),
        ("SELECT $tag$Ann 'x' Kestrel$tag$, b FROM t", "SELECT ?, b FROM t"),
        ("SELECT a FROM t # for Ann Kestrel\nWHERE b = c // Kestrel",
         "SELECT a FROM t ?\nWHERE b = c ?"),
        ("{# for Ann\nKestrel #} SELECT a FROM t", "? SELECT a FROM t"),
        ("SELECT a FROM t WHERE b = ann.x@kestrel.example AND c = d",
         "SELECT a FROM t WHERE b = ? AND c = d"),
        ("CREATE EXTERNAL TABLE t (a int) LOCATION s3://kestrel/merlin/",
         "CREATE EXTERNAL TABLE t (a int) LOCATION ?"),
        ("SELECT a FROM t WHERE b = New Kestrel AND c = d ORDER BY 1",
         "SELECT a FROM t WHERE b = ? AND c = d ORDER BY 1"),
        ("SELECT a FROM t WHERE b = New Kestrel fun(c) AND d = e rest.f",
         "SELECT a FROM t WHERE b = ? fun(c) AND d = e rest.f"),
        ("SELECT a FROM t JOIN u ON t.a = u.b WHERE c = `Ann Kestrel` AND d = `e`",
         "SELECT a FROM t JOIN u ON t.a = u.b WHERE c = ? AND d = `e`"),
        ("SELECT a FROM t WHERE b = &quot;Ann Kestrel&quot; AND c = d",
         "SELECT a FROM t WHERE b = ? AND c = d"),
        ("SELECT a FROM t WHERE b = \\u0027Ann Kestrel\\u0027 AND c = d",
         "SELECT a FROM t WHERE b = ? AND c = d"),
        ("ALTER TABLE t DROP PARTITION (a=Ann Kestrel, b='x', c=2024-kestrel)",
         "ALTER TABLE t DROP PARTITION (a=?, b=?, c=?)"),
        ("ALTER TABLE t SET TBLPROPERTIES (a = kestrel, 'b' = 'c')",
         "ALTER TABLE t SET TBLPROPERTIES (a = ?, ? = ?)"),
    ],
)  # fmt: skip
def test_wrong_quotes_show_no_value(sql: str, masked: str) -> None:
    """A failed statement may have its quotes inside out, or be written in another language."""
    assert mask_sql(sql, is_failed=True) == masked
    assert mask_sql(masked, is_failed=True) == masked
