"""An estate whose names and texts try everything that a page might fall for."""

from __future__ import annotations

from typing import Any

from kada_athena_async.manifest import ManifestGap, ManifestTimeline, ManifestWarning
from kada_athena_async.records import Record
from kada_athena_async.scopes import ScopeFacts
from tests.unit.page.estate import CATALOG, END, catalog, column, link, query, schema, table

HIT = "window.hit=1"
NAMES = (
    f"</script><script>{HIT}</script>",
    f"<img src=x onerror={HIT}>",
    f'" onmouseover="{HIT}" x="',
    f"<!--<script>{HIT}",
    "]]>&lt;b&gt;&amp;",
    "\u2028\u2029line\u2028ends",
    "\u202egnp.exe\u2066 reversed",
    "\u05e9\u05dc\u05d5\u05dd \u0639\u0631\u0628\u064a",
    "{{ 7*7 }}{% raw %}${7*7}",
    "back\\slash\x1b[31m\x07 and 'quotes'",
    "x" * 255,
    "\U0001f4a9\U0001f3f4\u200d\u2620\ufe0f",
    "\r\nSet-Cookie: a=b",
    f"javascript:{HIT}",
    "datum.value); alert(1",
    "__proto__",
    "constructor",
)
URL = "https://evil.invalid/x.png"


def hostile_records() -> dict[str, list[Record]]:
    """Each name as catalog, schema, table, column, workgroup, and in SQL and messages."""
    records: dict[str, list[Record]] = {
        "metadata_catalogs": [],
        "metadata_schemas": [],
        "metadata_tables": [],
        "metadata_columns": [],
        "databaselog": [],
        "linkages": [],
    }
    for number, name in enumerate(NAMES):
        records["metadata_catalogs"].append(catalog(name))
        records["metadata_schemas"].append(schema(name))
        records["metadata_tables"] += [
            table(name, name, table_format=name, parameters={"totalSize": "9", name: name}),
            table(name, "plain", table_format=None),
        ]
        records["metadata_columns"].append(column(name, name, name, name))
        records["databaselog"] += [
            query(
                f"ok-{number}",
                name,
                query=f"SELECT \"{name}\" AS x, 'secret-4711' FROM t -- {name} {URL}",
                scanned_bytes=(number + 1) << 30,
                fingerprint=f"f{number}{name}",
            ),
            query(
                f"bad-{number}",
                name,
                status="FAILED",
                status_reason=f"{name}: {URL} {name}",
                fingerprint=None,
            ),
        ]
        records["linkages"] += [
            link(NAMES[number - 1], name, name, name, kind=name, schema_name=name),
            link(name, "sink", name, name),
        ]

    return records


def hostile_manifest() -> dict[str, Any]:
    """Fields of the manifest, in the same vein."""
    return {
        "server": "".join(NAMES[:4]),
        "completeness": [
            ScopeFacts(scope="schema", name=(CATALOG, name), outcome="partial", reason=name)
            for name in NAMES
        ],
        "gaps": [ManifestGap(kind=name, start=END, end=END, workgroup=name) for name in NAMES],
        "warnings": [ManifestWarning(code=name, message=name) for name in NAMES],
        "calls": dict.fromkeys(NAMES, 3),
        "throttles": dict.fromkeys(NAMES, 1),
        "timeline": ManifestTimeline(
            started_at=END,
            bucket_s=1,
            calls={name: (1, 2) for name in NAMES},
            quotas=dict.fromkeys(NAMES, 5.0),
            quota_share=0.5,
        ),
    }
