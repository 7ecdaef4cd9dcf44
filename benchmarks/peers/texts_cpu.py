"""CPU of this process for a history's texts, by the tree that lies first on the path.

Takes a JSON file of statements; prints seconds for the transforms and for the lineage, of which the
parser's, in processes of its own, are no part, and a digest of what the transforms gave.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import anyio

from kada_athena_async.pipeline.transforms import Transforms
from kada_athena_async.records import QueryRecord
from kada_athena_async.sql.derivation import Derivation

BATCH = 500
AT = datetime(2026, 11, 23, tzinfo=timezone.utc)


def record_of(number: int, statement: dict[str, Any]) -> QueryRecord:
    """The record of one execution, whatever columns this tree's records have."""
    values: dict[str, Any] = {
        **dict.fromkeys(QueryRecord._fields),
        "query_id": f"q{number}",
        "server": "athena",
        "completed_at": AT,
        "submitted_at": AT,
        **statement,
    }
    return QueryRecord(**values)


async def lineage_s(records: list[QueryRecord]) -> float:
    """CPU of both passes in this process."""
    batches = [records[start : start + BATCH] for start in range(0, len(records), BATCH)]
    more = {"is_masked": True} if "is_masked" in (Derivation.__init__.__kwdefaults__ or {}) else {}
    begun = time.process_time()
    async with Derivation(mask=True, **more) as derivation:
        for batch in batches:
            await derivation.note(batch)
        for batch in batches:
            await derivation.derive(batch)

    return time.process_time() - begun


def main() -> None:
    """Print the line."""
    found = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    records = [record_of(number, statement) for number, statement in enumerate(found)]
    transforms = Transforms(mask=True)
    seconds, masked = [], list[QueryRecord]()
    for _ in range(3):
        begun = time.process_time()
        masked = [transforms.query(record) for record in records]
        seconds.append(time.process_time() - begun)

    texts = "\0".join(f"{record.query}" for record in masked)
    line = {
        "transforms_s": min(seconds),
        "lineage_s": anyio.run(lineage_s, masked),
        "masked_sha256": hashlib.sha256(texts.encode()).hexdigest(),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
