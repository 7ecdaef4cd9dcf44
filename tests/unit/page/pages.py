"""Pages made of packages, and the data inside them."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

from kada_athena_async.extracts.runs import select_runs
from kada_athena_async.files import Files
from kada_athena_async.page import PageReport, PageWriter

PART = re.compile(r'<script type="application/octet-stream" id="data-(\d+)-([\w-]+)">([^<]*)<')


def make_page(directory: Path, **which: Any) -> tuple[PageReport, str]:
    """The page of the packages in *directory*, beside them, and its text."""
    target = directory / "page.html"
    writer = PageWriter(1, files=Files())
    writer.add(select_runs(directory, "athena", Files(), **which))
    report = writer.write(target)
    return report, target.read_text(encoding="utf-8")


def parts_of(page: str, site: int = 0) -> dict[str, Any]:
    """Name -> each part of the data of a site, unpacked as the page's script does."""
    return {
        name: json.loads(gzip.decompress(base64.b64decode(text)))
        for number, name, text in PART.findall(page)
        if int(number) == site
    }


def head_of(directory: Path, **which: Any) -> Any:
    """Contents of the page of *directory* beside its tables and flows."""
    return parts_of(make_page(directory, **which)[1])["head"]


def tables_of(parts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """``schema.table`` -> the row of the index, and the details of the table."""
    index = parts["tables"]
    for name, packet in parts.items():
        if name.startswith("details-") and "names" in packet:
            share_out(packet, parts["names"])

    scopes = index["lists"]["scopes"]
    names = list(index["rows"])
    found = {}
    for place, values in enumerate(zip(*index["rows"].values(), strict=True)):
        row = dict(zip(names, values, strict=True))
        packet = parts.get(f"details-{place // 512}")
        details = packet["tables"][place % 512] if packet else {}
        full = ".".join(filter(None, (*scopes[row["scope"]][1:], row["name"])))
        found[full] = {**row, **{k: v for k, v in details.items() if k != "columns"}}

    return found


def share_out(packet: dict[str, Any], common: dict[str, Any]) -> None:
    """Give each table of *packet* the names and types of its columns."""
    own = iter(packet["own"])
    names = [
        common["names"][place] if place else next(own)
        for place in numbers(packet.pop("names"), common["width"])
    ]
    types = [packet["types"][kind] for kind in numbers(packet["kinds"], packet["typeWidth"])]
    for each in packet["tables"]:
        count = each.get("columns", 0)
        each["names"], names = names[:count], names[count:]
        each["types"], types = types[:count], types[count:]


def numbers(text: str, width: int) -> list[int]:
    """The numbers that ``packing.digits`` wrote."""
    found = []
    for start in range(0, len(text), width):
        number = 0
        for letter in text[start : start + width]:
            number = number * 91 + ord(letter) - (36 if ord(letter) > 92 else 35)
        found.append(number)

    return found


def flows_of(parts: dict[str, Any]) -> dict[tuple[str, str], tuple[str, int, list[Any]]]:
    """(source, target) -> kinds, number of column pairs known, and those in the page."""
    edges, names = parts["edges"], list(tables_of(parts))
    pairs = parts.get("pairs", {"pairs": [[]] * len(edges["rows"]["target"]), "names": []})
    found = {}
    source = 0
    for edge, step in enumerate(edges["rows"]["step"]):
        source += step
        flat = [pairs["names"][place] for place in pairs["pairs"][edge]]
        told = list(zip(flat[::2], flat[1::2], strict=True))
        kind = edges["kinds"][edges["rows"]["kind"][edge]]
        target = edges["rows"]["target"][edge]
        found[names[source], names[target]] = (kind, edges["rows"]["pairs"][edge], told)

    return found
