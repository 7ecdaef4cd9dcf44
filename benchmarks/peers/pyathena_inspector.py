"""PyAthena through SQLAlchemy's inspector, which asks for each view's text by a query."""

from __future__ import annotations

from sqlalchemy import create_engine, inspect

from benchmarks.peers.outcome import REGION, Found, Stopwatch, schemas_wanted


def main() -> None:
    """Extract tables, columns and view texts (of the first schemas, if so many are wanted)."""
    watch = Stopwatch()
    found = Found()
    engine = create_engine(
        f"awsathena+rest://@athena.{REGION}.amazonaws.com:443/default"
        "?s3_staging_dir=s3%3A%2F%2Fresults%2Finspector%2F"
    )
    inspector = inspect(engine)
    for schema in inspector.get_schema_names()[: schemas_wanted()]:
        tables = inspector.get_table_names(schema=schema)
        views = inspector.get_view_names(schema=schema)
        for name in [*tables, *views]:
            found.tables += 1
            found.columns += len(inspector.get_columns(name, schema=schema))

        for name in views:
            found.view_texts += bool(inspector.get_view_definition(name, schema=schema))

    watch.report(found)


if __name__ == "__main__":
    main()
