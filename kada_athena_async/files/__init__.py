"""The only place that opens, writes, syncs, renames, removes and locks files."""

from __future__ import annotations

from kada_athena_async.files.appending import open_to_append
from kada_athena_async.files.digest import WHOLE, Digest
from kada_athena_async.files.document import parse_document, read_bytes, read_document, to_bytes
from kada_athena_async.files.lock import Lock, holder_of
from kada_athena_async.files.mounts import is_remote
from kada_athena_async.files.os_errors import MARK_FIELDS, OUTPUT_FIELD, failing, is_disk_full
from kada_athena_async.files.system import Files

__all__ = [
    "MARK_FIELDS",
    "OUTPUT_FIELD",
    "WHOLE",
    "Digest",
    "Files",
    "Lock",
    "failing",
    "holder_of",
    "is_disk_full",
    "is_remote",
    "open_to_append",
    "parse_document",
    "read_bytes",
    "read_document",
    "to_bytes",
]
