"""The page is whole, harmless and small, and says in words what is not there."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kada_athena_async.page import rendering
from kada_athena_async.page.rendering import script_json
from tests.unit.page.estate import (
    column,
    complete,
    link,
    query,
    schema,
    table,
    write_package,
)
from tests.unit.page.hostile import NAMES, hostile_manifest, hostile_records
from tests.unit.page.pages import make_page, visible


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text of its scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {"script": [], "style": []}
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag
        if tag in self.texts:
            self.texts[tag].append("")

    def handle_data(self, data: str) -> None:
        if self._inside in self.texts:
            self.texts[self._inside][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("hostile")
    write_package(directory, hostile_records(), **hostile_manifest())
    return make_page(directory)[1]


def test_hostile_names_become_no_markup(hostile_page: str) -> None:
    """No element, attribute or address comes from a name, and all scripts are ours."""
    elements = Elements(hostile_page)

    assert not {tag for tag, _ in elements.found} & {"img", "iframe", "link", "object", "base"}
    assert len(elements.texts["script"]) == 4
    names = {name for _, attributes in elements.found for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    addresses = {
        attributes[name]
        for _, attributes in elements.found
        for name in ("href", "src", "action", "srcset")
        if name in attributes
    }
    assert addresses == {"#content", *(f"#{id_}" for id_, _ in rendering.SECTIONS)}


def test_hostile_names_are_still_told(hostile_page: str) -> None:
    """Escaped, not dropped; what would reorder or hide characters is shown as an escape."""
    assert "&lt;img src=x onerror=window.hit=1&gt;" in hostile_page
    assert "x" * 255 in hostile_page
    assert "\\u202egnp.exe\\u2066 reversed" in hostile_page
    assert "{{ 7*7 }}{% raw %}${7*7}" in hostile_page
    assert NAMES[7] in hostile_page
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]", hostile_page
    )


def test_samples_are_masked_even_if_the_extract_is_not(hostile_page: str) -> None:
    """The page may be mailed about: no literal and no comment of a statement is in it."""
    assert "secret-4711" not in hostile_page
    assert hostile_page.count("AS x, ? FROM t") >= 10


def test_policy_allows_our_own_scripts_and_nothing_else(hostile_page: str) -> None:
    """The hashes of the policy are those of the scripts and the style in the page."""
    elements = Elements(hostile_page)
    (policy,) = (
        attributes["content"]
        for tag, attributes in elements.found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )

    def hashed(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    *_, library, script = elements.texts["script"]
    (style,) = elements.texts["style"]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashed(library)}' 'sha256-{hashed(script)}'; "
        f"style-src 'sha256-{hashed(style)}'; base-uri 'none'; form-action 'none'"
    )


def test_charts_hold_names_as_data_only(hostile_page: str) -> None:
    """The specifications are JSON that stays inside its element and gives the names back."""
    charts, *_ = Elements(hostile_page).texts["script"]

    specs = json.loads(charts)
    assert not re.search("[<>&\u2028]", charts)
    rows = [row for rows in specs["cost"]["datasets"].values() for row in rows]
    labels = {row["label"] for row in rows}
    assert f"{NAMES[1]} " in labels


@pytest.mark.parametrize("text", ["</script>", "<!--", "]]>", "\u2028", "\ud800", "é&"])
def test_json_cannot_leave_its_script(text: str) -> None:
    """Nothing that HTML looks for remains, and the value comes back as it was."""
    made = script_json({text: text})

    assert not re.search("[<>&]|[^\x00-\x7f]", made)
    assert json.loads(made) == {text: text}


def test_an_empty_run_is_told_in_words(tmp_path: Path) -> None:
    """No table, no query, no earlier run: each section says so, and no empty chart is drawn."""
    write_package(tmp_path, {})

    _, page = make_page(tmp_path)

    text = visible(page)
    for sentence in (
        "The run kept no record of completeness",
        "No tables and no views were found",
        "Nothing to compare with yet: no earlier run is published",
        "No query ended in this window",
        "No query of this window cost anything by its bytes",
        "No query failed or was cancelled",
        "No flow of data between tables is known from this run",
        "The run made no calls",
    ):
        assert sentence in text
    assert "<figure" not in page


def test_headings_state_the_finding(tmp_path: Path) -> None:
    """Who reads only the headings knows what the run found."""
    records = {
        "metadata_catalogs": [],
        "metadata_schemas": [schema("sales")],
        "metadata_tables": [table("sales", "orders"), table("sales", "v", table_format=None)],
        "metadata_columns": [column("sales", "orders", "id")],
        "linkages": [link("orders", "v", "id", "id")],
        "databaselog": [
            query("a", "etl", scanned_bytes=2**40),
            query("b", "etl", scanned_bytes=2**40),
            query("c", "adhoc", status="FAILED", status_reason="TABLE_NOT_FOUND: ?"),
        ],
    }
    write_package(tmp_path, records, completeness=[complete("sales")], calls={"athena:A": 7})

    report, page = make_page(tmp_path)

    headings = [
        visible(found) for found in re.findall(r"<h[12]>.*?</h[12]>", page.split("<script", 1)[0])
    ]
    assert headings == [
        "Athena estate of athena.example",
        "Everything that was asked for was read completely",
        "1 table and 1 view in 1 schema of 0 catalogs",
        "Nothing to compare with yet: no earlier run is published",
        "3 queries ended; etl ran 67 % of them",
        "About $10.00 for 2.00 TB scanned; etl caused 100 %",
        "One statement causes 100 % of the cost",
        "33 % of the queries failed and 0 % were cancelled; most often: TABLE_NOT_FOUND",
        "1 flow of data between tables is known",
        "7 calls, none throttled by AWS",
    ]
    # What the page weighs beside its data: the charts' library, mostly.
    assert report.size_bytes == len(page.encode()) < 1_200_000


def test_the_page_says_which_price_and_what_reservations_took(tmp_path: Path) -> None:
    """Nothing is charged by the bytes on a reservation: its DPU hours stand beside the dollars."""
    hour_ms = 3_600_000
    records = {
        "databaselog": [
            query("a", "etl", scanned_bytes=2**40),
            query("b", "ml", scanned_bytes=2**40, dpu_count=6.5, engine_ms=2 * hour_ms),
        ]
    }
    write_package(tmp_path, records, region="eu-west-3", usd_per_dpu_hour=0.5)

    text = visible(make_page(tmp_path)[1])

    assert "About $5.00 for 2.00 TB scanned; etl caused 100 %" in text
    assert "(list price of us-east-1, as that of eu-west-3 is not known here)" in text
    assert "They took 13.0 DPU hours, worth $6.50 at $0.50 an hour (as configured)" in text


def test_every_chart_has_its_table(hostile_page: str) -> None:
    """Each drawn figure is named in words, and stands before a table of the same numbers."""
    figures = list(
        re.finditer(r'<div class="chart" id="[^"]+" role="img" aria-label="([^"]+)"', hostile_page)
    )

    assert len(figures) >= 7
    for figure in figures:
        assert re.search("next tables?", figure[1])
        assert "<table" in hostile_page[figure.end() :]
