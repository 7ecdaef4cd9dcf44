"""A broken table fails every listing of columns that reaches it, and no other."""

from __future__ import annotations

from kada_athena_async.sandbox.estate.model import Estate, TableRef
from kada_athena_async.sandbox.execute.outcome import METASTORE_ERROR, USER
from tests.sandbox_execute.conftest import Run, schema, table

BROKEN = TableRef("AwsDataCatalog", "shop", "measured")
POISON = {BROKEN: ""}
COLUMNS = "SELECT count(*) FROM information_schema.columns"


def test_a_touched_table_fails_the_statement_in_athenas_words(run: Run) -> None:
    """The whole statement fails, whatever else it would have found."""
    outcome = run(f"{COLUMNS} WHERE table_schema = 'shop'", poison=POISON)

    assert outcome.error is not None
    assert outcome.error.message == (
        "HIVE_METASTORE_ERROR: Error listing table columns for catalog awsdatacatalog: "
        "Metadata not found in metadata location for table shop.measured"
    )
    assert (outcome.error.category, outcome.error.type) == (USER, METASTORE_ERROR)
    assert outcome.rows == []


def test_the_text_can_be_another(run: Run) -> None:
    """So that a test can break a table in its own way."""
    outcome = run(COLUMNS, poison={BROKEN: "HIVE_METASTORE_ERROR: Dialect [ATHENA 3] not present"})

    assert outcome.error is not None
    assert outcome.error.message.endswith("Dialect [ATHENA 3] not present")


def test_statements_about_other_tables_succeed(run: Run) -> None:
    """Names given by =, IN or a condition on names keep the statement away from it."""
    for where in (
        "table_schema = 'shop' AND table_name = 'orders'",
        "table_schema IN ('shop') AND table_name IN ('orders', 'totals')",
        "table_schema = 'shop' AND table_name <> 'measured'",
        "table_schema = 'empty'",
    ):
        assert run(f"{COLUMNS} WHERE {where}", poison=POISON).error is None, where


def test_other_relations_and_catalogs_do_not_notice(run: Run) -> None:
    """Only columns are read from a table's own metadata."""
    assert run("SELECT * FROM information_schema.tables", poison=POISON).error is None
    assert run('SELECT * FROM "crm".information_schema.columns', poison=POISON).error is None


def test_a_condition_on_anything_else_does_not_keep_it_away(run: Run) -> None:
    """Trino reads every table's columns before it looks at their names."""
    outcome = run(f"{COLUMNS} WHERE table_schema = 'shop' AND column_name = 'id'", poison=POISON)

    assert outcome.error is not None


def test_more_than_a_hundred_names_walk_the_whole_catalog(run: Run, estate: Estate) -> None:
    """Trino gives up on prefixes past its limit, so that a far-off broken table fails it all."""
    names = [f"t{n}" for n in range(101)]
    schemas = estate.catalogs["AwsDataCatalog"].schemas
    schemas["wide"] = schema("wide", *(table(name) for name in names))

    def listed(count: int) -> str:
        literals = ", ".join(f"'{name}'" for name in names[:count])
        return f"{COLUMNS} WHERE table_schema = 'wide' AND table_name IN ({literals})"

    assert run(listed(100), poison=POISON).rows == [["100"]]
    assert run(listed(101)).rows == [["101"]]
    assert run(listed(101), poison=POISON).error is not None


def test_each_scan_of_a_statement_has_a_hundred_names_of_its_own(run: Run, estate: Estate) -> None:
    """A UNION ALL of two keeps away from other tables; one of them too wide does not."""
    names = [f"t{n}" for n in range(200)]
    schemas = estate.catalogs["AwsDataCatalog"].schemas
    schemas["wide"] = schema("wide", *(table(name) for name in names))

    def listed(*counts: int) -> str:
        scans, first = [], 0
        for count in counts:
            literals = ", ".join(f"'{name}'" for name in names[first : first + count])
            scans.append(
                "SELECT table_name FROM information_schema.columns "
                f"WHERE table_schema = 'wide' AND table_name IN ({literals})"
            )
            first += count

        return " UNION ALL ".join(scans) + " ORDER BY table_name"

    assert run(listed(100, 100), poison=POISON).rows == [[name] for name in sorted(names)]
    assert run(listed(99, 101), poison=POISON).error is not None


def test_more_than_a_hundred_schemas_walk_the_whole_catalog(run: Run) -> None:
    """Schemas count whether they exist or not."""
    some = ", ".join(f"'s{n}'" for n in range(100))

    assert run(f"{COLUMNS} WHERE table_schema IN ({some})", poison=POISON).error is None
    assert run(f"{COLUMNS} WHERE table_schema IN ({some}, 's100')", poison=POISON).error is not None


def test_names_in_capitals_reach_nothing(run: Run) -> None:
    """Not even a broken table."""
    assert run(f"{COLUMNS} WHERE table_name = 'MEASURED'", poison=POISON).rows == [["0"]]
