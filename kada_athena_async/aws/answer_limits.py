"""Limits of the size of an answer, in bytes, by operation.

What exceeds them is no answer of AWS: read to its end, 1.5 GB of it take more than 5 GB of memory.
"""

from __future__ import annotations

from collections.abc import Mapping

MIB = 1 << 20

# A character of a text may take six bytes of JSON, as in \u0000.
_ESCAPED = 6

DEFAULT_LIMIT_BYTES = 32 * MIB
"""Lists of names, settings, credentials and errors. The largest is S3's: 1,000 keys of 1,024 bytes,
each escaped, are 6 MB.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""

EXECUTIONS_LIMIT_BYTES = 128 * MIB
"""50 executions whose statements have at most 262,144 bytes: 79 MB escaped.
https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html"""

TABLES_LIMIT_BYTES = 256 * MIB
"""50 or 100 tables. Glue bounds each text of a table (view texts by 409,600 characters, a value of
a parameter by 512,000 bytes), not the number of parameters and columns: 2.5 MB a table.
https://docs.aws.amazon.com/glue/latest/webapi/API_Table.html"""

ROWS_LIMIT_BYTES = _ESCAPED * 32 * MIB + DEFAULT_LIMIT_BYTES
"""A page holds one row at least, and a row has at most 32 MB.
https://docs.aws.amazon.com/athena/latest/ug/other-notable-limitations.html"""

SMALL_OBJECT_LIMIT_BYTES = 64 * MIB
"""A high-water mark, a note or a manifest; one that names 100,000 schemas has 20 MB."""

_LIMITS: Mapping[str, int] = {
    "BatchGetQueryExecution": EXECUTIONS_LIMIT_BYTES,
    "GetQueryExecution": EXECUTIONS_LIMIT_BYTES,
    "ListTableMetadata": TABLES_LIMIT_BYTES,
    "GetTableMetadata": TABLES_LIMIT_BYTES,
    "GetTables": TABLES_LIMIT_BYTES,
    "GetTable": TABLES_LIMIT_BYTES,
    "GetQueryResults": ROWS_LIMIT_BYTES,
}


def limit_bytes(operation: str) -> int:
    """Largest answer of *operation* (as AWS writes it) that is read, in bytes."""
    return _LIMITS.get(operation, DEFAULT_LIMIT_BYTES)
