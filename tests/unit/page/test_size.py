"""The largest estate that we promise: its page stays small, and making it takes little memory."""

from __future__ import annotations

import gzip
import hashlib
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from random import Random

import msgspec
import pytest

from kada_athena_async.commit import Manifest, ManifestFile
from kada_athena_async.files.document import to_bytes
from kada_athena_async.records import ColumnRecord, LinkageRecord, QueryRecord, Record, TableRecord
from kada_athena_async.sinks.csv_format import encode
from tests.unit.page.estate import END, column, link, query, table, write_package

TABLES = 100_000
EXECUTIONS = 1_000_000
FLOWS = 250_000
COLUMNS_PER_TABLE = 12
MAX_PAGE_BYTES = 10_000_000
MAX_MEMORY_MB = 1_000


def names(rng: Random, count: int) -> list[str]:
    """Names in which no compressor finds anything: the worst that an estate could have."""
    return [f"t_{rng.randbytes(10).hex()}" for _ in range(count)]


def tables(found: list[str]) -> Iterator[TableRecord]:
    return (table("sales", name) for name in found)


def columns(found: list[str], rng: Random) -> Iterator[ColumnRecord]:
    for name in found:
        for _ in range(COLUMNS_PER_TABLE):
            yield column("sales", name, rng.randbytes(6).hex())


def links(found: list[str], rng: Random) -> Iterator[LinkageRecord]:
    for _ in range(FLOWS):
        source, target = rng.choice(found), rng.choice(found)
        for _ in range(4):
            yield link(source, target, rng.randbytes(6).hex(), rng.randbytes(6).hex())


def queries(rng: Random) -> Iterator[QueryRecord]:
    for i in range(EXECUTIONS):
        kind = rng.randrange(50_000)
        yield query(
            f"{i:032x}",
            f"workgroup-{rng.randrange(1_000)}",
            query=f"SELECT a, b, c FROM t_{kind} WHERE d = ? AND e IN (?, ?, ?) " * 5,
            fingerprint=f"{kind:032x}",
            scanned_bytes=rng.randrange(2**34),
            completed_at=END - timedelta(seconds=rng.randrange(45 * 86_400)),
        )


def replace_extract(manifest: Path, kind: str, rows: Iterable[Record]) -> None:
    """Write *rows* to the extract of *kind*, batch by batch, and tell the manifest."""
    told = msgspec.json.decode(manifest.read_bytes(), type=Manifest)
    (old,) = (file for file in told.files if file.kind == kind)
    path = manifest.parent / old.name
    count = 0
    waiting = iter(rows)
    with gzip.open(path, "ab", compresslevel=1) as out:
        while batch := list(islice(waiting, 5_000)):
            count += len(batch)
            out.write(encode(kind, batch))

    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    new = ManifestFile(name=old.name, kind=kind, rows=count, size_bytes=len(data), sha256=digest)
    files = tuple(new if file is old else file for file in told.files)
    manifest.write_bytes(to_bytes(msgspec.structs.replace(told, files=files)))


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_largest_estate_makes_a_small_page(tmp_path: Path) -> None:
    """100,000 tables and 1,000,000 executions, with the most awkward names, fit a mail."""
    rng = Random(3)
    found = names(rng, TABLES)
    manifest = write_package(tmp_path, {})
    replace_extract(manifest, "metadata_tables", tables(found))
    replace_extract(manifest, "metadata_columns", columns(found, rng))
    replace_extract(manifest, "linkages", links(found, rng))
    replace_extract(manifest, "databaselog", queries(rng))
    page = tmp_path / "page.html"

    command = ["report", "--output-path", str(tmp_path), "-f", str(page)]
    subprocess.run([sys.executable, "-m", "kada_athena_async", *command], check=True)

    assert page.stat().st_size < MAX_PAGE_BYTES
    # Of all children so far; on Linux in KiB.
    used_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    assert used_mb < MAX_MEMORY_MB
