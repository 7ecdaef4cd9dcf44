"""Published extracts in a temporary SQLite database, on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from kada_athena_async.errors import StateError
from kada_athena_async.extracts import Package
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.extracts.scratch import scratch_database
from kada_athena_async.extracts.table_usage import folded, used_tables
from kada_athena_async.page.loading import (
    billed_executions,
    column_rows,
    linkage_rows,
    table_rows,
    usage_rows,
)

MAX_TABLES = 150_000
"""Tables of a page: those that are used or linked go first."""

_NAMES_HELD = 50_000

_SCHEMA = """
    CREATE TABLE executions (
        query_id TEXT, workgroup TEXT, user TEXT, statement_type TEXT, status TEXT, reason TEXT,
        error_category INTEGER, ended_at TEXT, total_ms INTEGER, queue_ms INTEGER,
        scanned_bytes INTEGER, billed_bytes INTEGER, dpu_hours REAL, is_reused INTEGER,
        fingerprint TEXT, package INTEGER
    );
    CREATE TABLE principals (query_id TEXT, principal TEXT, client TEXT);
    CREATE TABLE tables (
        id INTEGER PRIMARY KEY, key TEXT UNIQUE, catalog TEXT, schema TEXT, name TEXT,
        is_known INTEGER, kind TEXT, format TEXT, location TEXT, owner TEXT, comment TEXT,
        created_at TEXT, updated_at TEXT, partition_keys TEXT, row_count INTEGER,
        size_bytes INTEGER, file_count INTEGER, stats_at TEXT, stats_source TEXT
    );
    CREATE TABLE columns (
        id INTEGER, position INTEGER, name TEXT, type TEXT, is_key INTEGER, comment TEXT
    );
    CREATE TABLE in_use (id INTEGER);
    CREATE TABLE uses (
        id INTEGER, day TEXT, user TEXT, event_type TEXT, executions INTEGER, failed INTEGER,
        scanned_bytes INTEGER, last_at TEXT
    );
    CREATE TABLE events (query_id TEXT, id INTEGER, is_read INTEGER);
    CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    CREATE TABLE links (
        source INTEGER, target INTEGER, source_column INTEGER, target_column INTEGER, kind TEXT,
        is_direct INTEGER, executions INTEGER, last_at TEXT,
        UNIQUE (source, target, source_column, target_column, kind, is_direct)
    );
    CREATE TABLE views (id INTEGER, definition TEXT, dialect TEXT);
    CREATE TABLE tags (id INTEGER, column_name TEXT, tag TEXT);
"""

_INDEXES = """
    CREATE INDEX principals_id ON principals (query_id);
    CREATE INDEX executions_id ON executions (query_id);
    CREATE INDEX columns_id ON columns (id, position);
    CREATE INDEX uses_id ON uses (id);
    CREATE TABLE people AS
    SELECT e.id, coalesce(nullif(principal, ''), user) AS who, coalesce(client, '') AS client,
        is_read, count(*) AS executions, max(ended_at) AS last_at
    FROM (SELECT DISTINCT query_id, id, is_read FROM events) e
        JOIN executions USING (query_id) LEFT JOIN principals USING (query_id)
    GROUP BY 1, 2, 3, 4;
    INSERT INTO people
    SELECT id, user, '', event_type = 'READ' AS is_read, sum(executions), max(last_at) FROM uses
    WHERE NOT EXISTS (SELECT 1 FROM principals) GROUP BY id, user, is_read;
    CREATE INDEX people_id ON people (id);
    CREATE INDEX views_id ON views (id);
    CREATE INDEX tags_id ON tags (id);
    CREATE INDEX links_target ON links (target);
"""

# Those that are used or linked go first.
_SHOWN = """
    DROP TABLE IF EXISTS shown;
    CREATE TABLE shown AS
    SELECT row_number() OVER (ORDER BY is_known DESC, catalog, schema, name, id) - 1 AS place, id
    FROM (
        SELECT id, is_known, catalog, schema, name FROM tables ORDER BY
            id IN (SELECT id FROM uses UNION SELECT source FROM links UNION
                SELECT target FROM links) DESC, is_known DESC, catalog, schema, name
        LIMIT {limit}
    );
    CREATE UNIQUE INDEX shown_place ON shown (place);
    CREATE UNIQUE INDEX shown_id ON shown (id, place);
"""


class Warehouse:
    """The metadata of the newest run, and the history, use and lineage of all that are looked at.

    ``shown`` gives the tables that the page names their places; a table that only history or
    lineage knows has ``is_known`` 0.
    """

    def __init__(self, connection: sqlite3.Connection, runs: Runs) -> None:
        self._connection = connection
        self.runs = runs
        self._table_id = lru_cache(_NAMES_HELD)(self._find_table)
        self._name_id = lru_cache(_NAMES_HELD)(self._find_name)

    def rows(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        """The rows of *sql*, as they are asked for; values only as parameters."""
        return self._connection.execute(sql, parameters)

    def row(self, sql: str, *parameters: object) -> tuple[int, ...]:
        """The only row of *sql*."""
        (row,) = self.rows(sql, *parameters)
        return tuple(row)

    def many(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Run *sql* once for each of *rows*."""
        self._connection.executemany(sql, rows)

    def run(self, script: str) -> None:
        """Run statements that give nothing back."""
        self._connection.executescript(script)

    def statements(self, wanted: Iterable[tuple[int, str]]) -> dict[str, tuple[str, str, str, str]]:
        """Query id -> its SQL, type, subtype and status, read from the extracts once more.

        Args:
            wanted: Place of the package among the runs, and query id.
        """
        by_package: dict[int, set[str]] = {}
        for place, query_id in wanted:
            by_package.setdefault(place, set()).add(query_id)

        names = ("query_id", "query", "statement_type", "substatement_type", "status")
        found = {}
        for place, ids in by_package.items():
            for query_id, *texts in self.runs.packages[place].rows("databaselog", *names):
                if query_id in ids:
                    sql, kind, detail, status = texts
                    found[query_id] = (sql, kind, detail, status)

        return found

    def load(self) -> None:
        """Read the extracts.

        Raises:
            StateError: One is missing or torn, or something else wrote it.
        """
        steps = {
            "metadata_tables": self._load_tables,
            "metadata_columns": self._load_columns,
            "metadata_views": self._load_views,
            "metadata_tags": self._load_tags,
            "databaselog": self._load_executions,
            "query_principals": self._load_principals,
            "usage": self._load_usage,
            "events": self._load_events,
            "linkages": self._load_links,
        }
        for kind, step in steps.items():
            try:
                step()
            except ValueError:
                # Without the cause, which quotes the value.
                raise StateError(
                    f"an extract in {self.runs.newest.path.parent} cannot be read as {kind}",
                    hint="it was written by something else; extract that window again",
                ) from None

        self.run(_INDEXES)
        self.show_tables(MAX_TABLES)

    def show_tables(self, limit: int) -> None:
        """Give *limit* tables their places on the page: those that are used or linked go first."""
        self.run(_SHOWN.format(limit=int(limit)))

    def _load_tables(self) -> None:
        values = ", ".join("?" * 18)
        self.many(
            f"INSERT OR IGNORE INTO tables VALUES (NULL, {values})",
            ((key, *place, 1, *row) for key, place, row in _keyed(self.runs.newest)),
        )

    def _load_columns(self) -> None:
        self._insert("columns", 6, column_rows(self.runs.newest, self._table_id))

    def _load_views(self) -> None:
        names = (*_PLACE, "view", "definition", "dialect")
        rows = self.runs.newest.rows("metadata_views", *names)
        self._insert("views", 3, ((self._table_id(*row[:3]), *row[3:]) for row in rows))

    def _load_tags(self) -> None:
        names = (*_PLACE, "table", "column", "tag_key", "tag_value")
        for catalog, schema, table, column, key, value in self.runs.newest.rows(
            "metadata_tags", *names
        ):
            if table:  # else it is the schema's
                tag = f"{key}={value}" if value else key
                place = self._table_id(catalog, schema, table)
                self.rows("INSERT INTO tags VALUES (?, ?, ?)", place, column, tag)

    def _load_executions(self) -> None:
        self._insert("executions", 16, billed_executions(self.runs))

    def _load_principals(self) -> None:
        for package in self.runs.packages:
            names = ("query_id", "principal", "client")
            self._insert("principals", 3, package.rows("query_principals", *names))

    def _load_usage(self) -> None:
        for package in self.runs.packages:
            self._insert("uses", 8, usage_rows(self.runs, package, self._table_id))

        used = used_tables(self.runs)
        self._insert("in_use", 1, ((self._table_id(u.catalog, u.schema, u.table),) for u in used))

    def _load_events(self) -> None:
        """Load the events, if principals are known: they say which of them used a table."""
        if not self.row("SELECT EXISTS (SELECT 1 FROM principals)")[0]:
            return

        names = ("query_id", "event_type", *_PLACE, "table")
        for package in self.runs.packages:
            self._insert(
                "events",
                3,
                (
                    (query_id, self._table_id(catalog, schema, table), int(what == "READ"))
                    for query_id, what, catalog, schema, table in package.rows("events", *names)
                    if catalog and what in ("READ", "WRITE")
                ),
            )

    def _load_links(self) -> None:
        self.many(
            """INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
            executions = executions + excluded.executions,
            last_at = max(last_at, excluded.last_at)""",
            (
                (
                    self._table_id(*row[:3]),
                    self._table_id(*row[3:6]),
                    self._name_id(row[6]),
                    self._name_id(row[7]),
                    *row[8:],
                )
                for row in linkage_rows(self.runs)
            ),
        )

    def _insert(self, table: str, width: int, rows: Iterable[tuple[object, ...]]) -> None:
        marks = ", ".join("?" * width)
        self.many(f"INSERT INTO {table} VALUES ({marks})", rows)

    def _find_table(self, catalog: str, schema: str, name: str) -> int:
        """The id of a table, which history or lineage may be the first to name."""
        key = _key(catalog, schema, name)
        keys = (_exact_key(catalog, schema, name), key)
        chosen = "SELECT id FROM tables WHERE key IN (?, ?) ORDER BY key = ? LIMIT 1"
        for (found,) in self.rows(chosen, *keys, key):
            return int(found)

        kind = "TABLE" if catalog or schema else "LOCATION"
        added = self.rows(
            "INSERT INTO tables (key, catalog, schema, name, is_known, kind) "
            "VALUES (?, ?, ?, ?, 0, ?)",
            *(key, catalog, schema, name, kind),
        )
        return int(added.lastrowid or 0)

    def _find_name(self, name: str) -> int:
        """The id of a column's name; 0 for none."""
        if not name:
            return 0

        for (found,) in self.rows("SELECT id FROM names WHERE name = ?", name):
            return int(found)

        return int(self.rows("INSERT INTO names (name) VALUES (?)", name).lastrowid or 0)


_PLACE = ("catalog", "schema")


def _key(catalog: str, schema: str, name: str) -> str:
    # What is no table's name, such as an S3 location, may differ in case only.
    return "\0".join(folded(catalog, schema, name) if catalog or schema else ("", "", name))


def _exact_key(catalog: str, schema: str, name: str) -> str:
    return "\0".join(("=", catalog, schema, name))


def _keyed(package: Package) -> Iterator[tuple[str, tuple[str, str, str], tuple[object, ...]]]:
    """The key of each table, its name, and its facts.

    Of federated tables whose names differ only in case all but the first have their exact names.
    """
    seen: set[int] = set()
    for place, row in table_rows(package):
        key, exact = _key(*place), _exact_key(*place)
        if hash(exact) not in seen:
            yield exact if hash(key) in seen else key, place, row

        seen |= {hash(key), hash(exact)}


@contextmanager
def open_warehouse(runs: Runs) -> Iterator[Warehouse]:
    """Read the extracts of *runs* into tables.

    Raises:
        StateError: An extract is missing or torn, or there is no room to count.
    """
    with scratch_database(_SCHEMA) as connection:
        warehouse = Warehouse(connection, runs)
        warehouse.load()
        yield warehouse
