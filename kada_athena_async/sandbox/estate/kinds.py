"""Kind of a statement, read from its first words."""

from __future__ import annotations

import re
from typing import NamedTuple

_COMMENTS = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)


class Kind(NamedTuple):
    """A kind of statement.

    Attributes:
        type: Athena's StatementType (API reference, QueryExecution): UTILITY is SHOW and DESCRIBE;
            CREATE TABLE AS SELECT is DML.
        subtype: Athena's SubstatementType; empty for what Athena has no word for.
    """

    type: str
    subtype: str

    @property
    def is_plain_text(self) -> bool:
        return self.type != "DML" or self.subtype == "EXPLAIN"

    def result_key(self, query_execution_id: str) -> str:
        """Key of the result below the place of results; INSERT and CREATE TABLE AS leave rows
        elsewhere."""
        if self.subtype == "CREATE_TABLE_AS_SELECT":
            return f"tables/{query_execution_id}"

        suffix = ".txt" if self.is_plain_text else "" if self.subtype == "INSERT" else ".csv"
        return query_execution_id + suffix


SELECT = Kind("DML", "SELECT")
UNKNOWN = Kind("DML", "")

# In this order; a pattern stands for the words a statement begins with. Athena does not publish
# its SubstatementTypes: the ones seen are the grammar's words with underscores. EXPLAIN arrives as
# DML with a plain text result (dbt-athena tells it apart by the substatement), or as UTILITY (the
# API's model counts it there): here one way each.
_KINDS = [
    (r"(?:SELECT|WITH|VALUES|TABLE)\b|\(", SELECT),
    (r"INSERT\s+INTO\b", Kind("DML", "INSERT")),
    (r"UPDATE\b", Kind("DML", "UPDATE")),
    (r"DELETE\b", Kind("DML", "DELETE")),
    (r"MERGE\b", Kind("DML", "MERGE")),
    (r"UNLOAD\b", Kind("DML", "UNLOAD")),
    (r"OPTIMIZE\b", Kind("DML", "OPTIMIZE")),
    (r"VACUUM\b", Kind("DML", "VACUUM_TABLE")),
    (r"EXPLAIN\s+ANALYZE\b", Kind("UTILITY", "EXPLAIN")),
    (r"EXPLAIN\b", Kind("DML", "EXPLAIN")),
    (r"EXECUTE\b", Kind("DML", "EXECUTE")),
    (r"PREPARE\b", Kind("DDL", "PREPARE")),
    (r"DEALLOCATE\b", Kind("DDL", "DEALLOCATE")),
    (r"CREATE\s+(?:DATABASE|SCHEMA)\b", Kind("DDL", "CREATE_DATABASE")),
    (r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:PROTECTED\s+MULTI\s+DIALECT\s+)?VIEW\b",
     Kind("DDL", "CREATE_VIEW")),
    (r"CREATE\s+TABLE\b(?:(?!\bAS\b).)*?\bAS\s*(?:\(\s*)*(?:SELECT|WITH|VALUES|TABLE)\b",
     Kind("DML", "CREATE_TABLE_AS_SELECT")),
    (r"CREATE\s+(?:EXTERNAL\s+)?TABLE\b", Kind("DDL", "CREATE_TABLE")),
    (r"DROP\s+(?:DATABASE|SCHEMA)\b", Kind("DDL", "DROP_DATABASE")),
    (r"DROP\s+TABLE\b", Kind("DDL", "DROP_TABLE")),
    (r"DROP\s+VIEW\b", Kind("DDL", "DROP_VIEW")),
    (r"ALTER\s+TABLE\b.*?\bADD\s+(?:IF\s+NOT\s+EXISTS\s+)?PARTITION\b",
     Kind("DDL", "ALTER_TABLE_ADD_PARTITION")),
    (r"ALTER\s+TABLE\b", Kind("DDL", "ALTER_TABLE")),
    (r"ALTER\s+(?:DATABASE|SCHEMA)\b", Kind("DDL", "ALTER_DATABASE")),
    (r"ALTER\s+VIEW\b", Kind("DDL", "ALTER_VIEW")),
    (r"MSCK\s+REPAIR\s+TABLE\b", Kind("DDL", "MSCK_REPAIR_TABLE")),
    (r"SHOW\s+(?:DATABASES|SCHEMAS)\b", Kind("UTILITY", "SHOW_DATABASES")),
    (r"SHOW\s+TABLES\b", Kind("UTILITY", "SHOW_TABLES")),
    (r"SHOW\s+VIEWS\b", Kind("UTILITY", "SHOW_VIEWS")),
    (r"SHOW\s+COLUMNS\b", Kind("UTILITY", "SHOW_COLUMNS")),
    (r"SHOW\s+PARTITIONS\b", Kind("UTILITY", "SHOW_PARTITIONS")),
    (r"SHOW\s+TBLPROPERTIES\b", Kind("UTILITY", "SHOW_TBLPROPERTIES")),
    (r"SHOW\s+CREATE\s+TABLE\b", Kind("UTILITY", "SHOW_CREATE_TABLE")),
    (r"SHOW\s+CREATE\s+VIEW\b", Kind("UTILITY", "SHOW_CREATE_VIEW")),
    (r"DESC(?:RIBE)?\b", Kind("UTILITY", "DESCRIBE_TABLE")),
]  # fmt: skip
_PATTERNS = [(re.compile(p, re.IGNORECASE | re.DOTALL), kind) for p, kind in _KINDS]


def bare_statement(sql: str) -> str:
    """*sql* without leading comments and the semicolon at its end."""
    start = _COMMENTS.match(sql)
    return sql[start.end() if start else 0 :].rstrip().rstrip(";").rstrip()


def kind_of(statement: str) -> Kind:
    """The kind of a bare statement; UNKNOWN if Athena has none that begins so."""
    return next((kind for pattern, kind in _PATTERNS if pattern.match(statement)), UNKNOWN)
