"""CPU of a result row: of the page alone, and all the way into a gzipped CSV.

``page``: GetQueryResults pages of 1,000 rows and 9 columns read to Python lists, by our client and
by plain aioboto3. ``to_gzip``: a million rows of information_schema.columns to a gzipped CSV, by a
whole run of the engine (by pages, and by the result object in S3) and by a plain aioboto3 loop
with the csv and gzip modules. CPU is that of the client's process, all threads; waiting is free.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aioboto3

from benchmarks.frame import FAST, median, own_run, parse, rounded, show
from benchmarks.peers.aioboto3_columns import START, cells, columns_to_gzip
from benchmarks.peers.environment import run_module
from benchmarks.standin import stand_in
from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED
from kada_athena_async.aws.pacing import Pacer
from kada_athena_async.aws.results import cells_of
from kada_athena_async.aws.session import AwsSession, Identity
from kada_athena_async.concurrency import SystemClock

REGION = "ap-southeast-2"


def main() -> None:
    """Measure and print; with ``--child`` be the process of one of the measurements."""
    if "--child" in sys.argv:
        name, *rest = sys.argv[sys.argv.index("--child") + 1 :]
        print(json.dumps(asyncio.run(_CHILDREN[name](*rest))))
        return

    options = parse(__doc__ or "", repeat=3, add=[("--rows", {"type": int, "default": 1_000_000})])
    rows = 10_000 if options.is_quick else options.more.rows
    pages = 5 if options.is_quick else 200
    settings = {**FAST, "schemas": rows // 1000}
    figures: dict[str, object] = {"rows": rows, "pages": pages}
    with stand_in(**settings) as server:
        page = {
            name: median([_child(name, server.url, str(pages)) for _ in range(options.repeat)])
            for name in ("own_page", "aioboto3_page")
        }
        figures["page_cpu_ms"] = page
        figures["page_ratio"] = rounded(page["aioboto3_page"] / page["own_page"])
        plain = median([_child("aioboto3_gzip", server.url) for _ in range(options.repeat)])

    to_gzip: dict[str, object] = {"aioboto3_loop_cpu_s": plain}
    for results in ("api", "s3"):
        own = median([_own(settings, results) for _ in range(options.repeat)])
        to_gzip[f"own_{results}_cpu_s"] = own
        to_gzip[f"ratio_{results}"] = rounded(plain / own)

    show("decode", options, {**figures, "to_gzip_per_million_rows": to_gzip})


def _child(name: str, url: str, *arguments: str) -> float:
    module = "benchmarks.bench_decode"
    run = run_module(sys.executable, module, url, arguments=["--child", name, *arguments])
    return float(str(run["figure"]))


def _own(settings: dict[str, float], results: str) -> float:
    """CPU seconds per million column rows of a whole run, its start included."""
    with stand_in(**settings) as server, tempfile.TemporaryDirectory() as output:
        run = own_run(server.url, Path(output), metadata_source="sql", results=results)
        return float(run["cpu_s"] / run["found"]["columns"] * 1e6)


async def _own_page(pages: str) -> dict[str, float]:
    session = AwsSession(Identity(region=REGION), endpoint_url=None)
    clock = SystemClock()
    pacer = Pacer(quota_share=1.0, clock=clock)
    client = AwsClient(
        session, pacer=pacer, clock=clock, rng=random.Random(1), notify=lambda event: None
    )
    async with client:
        query_id = str(
            (await client.call("athena", "StartQueryExecution", **START))[
                DECODED
            ].query_execution_id
        )
        await asyncio.sleep(1)

        async def page(**more: str) -> tuple[int, str | None]:
            answer = await client.call(
                "athena",
                "GetQueryResults",
                scope="",
                QueryExecutionId=query_id,
                MaxResults=1000,
                **more,
            )
            decoded = answer[DECODED]
            return len(cells_of(decoded.result_set.rows)[0]), decoded.next_token

        return await _cpu_per_page(page, int(pages))


async def _aioboto3_page(pages: str) -> dict[str, float]:
    async with aioboto3.Session().client("athena") as client:
        query_id = (await client.start_query_execution(**START))["QueryExecutionId"]
        await asyncio.sleep(1)

        async def page(**more: str) -> tuple[int, str | None]:
            answer = await client.get_query_results(
                QueryExecutionId=query_id, MaxResults=1000, **more
            )
            rows = [cells(row) for row in answer["ResultSet"]["Rows"]]
            return len(rows), answer.get("NextToken")

        return await _cpu_per_page(page, int(pages))


async def _cpu_per_page(page: Any, pages: int) -> dict[str, float]:
    """CPU milliseconds for a page of 1,000 rows; the first page warms up and does not count."""
    gc.collect()
    gc.freeze()
    count, token = await page()
    assert count == 1000
    began_s = time.process_time()
    read = 0
    while read < pages and token is not None:
        count, token = await page(NextToken=token)
        read += 1

    return {"figure": (time.process_time() - began_s) * 1000 / read}


async def _aioboto3_gzip() -> dict[str, float]:
    """CPU seconds per million rows of the plain loop, its start included."""
    began_s = time.process_time()
    rows = await columns_to_gzip()
    return {"figure": (time.process_time() - began_s) / rows * 1e6}


_CHILDREN: dict[str, Any] = {
    "own_page": _own_page,
    "aioboto3_page": _aioboto3_page,
    "aioboto3_gzip": _aioboto3_gzip,
}

if __name__ == "__main__":
    main()
