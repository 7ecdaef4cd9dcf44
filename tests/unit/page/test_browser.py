"""The page in a real browser: it works, asks nothing of the network, and anyone can use it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.page.estate import (
    END,
    catalog,
    column,
    complete,
    link,
    query,
    schema,
    table,
    write_package,
)
from tests.unit.page.hostile import hostile_manifest, hostile_records
from tests.unit.page.pages import make_page

pytest.importorskip("playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")


@dataclass
class Opened:
    """A page in the browser, and what it said and asked for since it was opened."""

    page: sync_api.Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    flags = ("gpu", "quic", "background-networking", "component-update", "sync")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--no-first-run", *(f"--disable-{flag}" for flag in flags)],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def plain_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs over a small shop."""
    directory = tmp_path_factory.mktemp("plain")
    chain = [link("orders", "daily", "id", "id", "CTAS"), link("daily", "report", "id", "n")]
    records = {
        "metadata_catalogs": [catalog()],
        "metadata_schemas": [schema("sales"), schema("hr")],
        "metadata_tables": [
            *(table("sales", name) for name in ("orders", "daily", "report")),
            table("hr", "people", table_format="iceberg"),
        ],
        "metadata_columns": [column("sales", "orders", "id"), column("hr", "people", "name")],
        "linkages": chain,
        "databaselog": [
            query(
                f"q{number}",
                "etl" if number % 3 else "adhoc",
                scanned_bytes=number << 30,
                completed_at=END - timedelta(hours=number % 20),
                fingerprint=f"f{number % 4}",
                status="FAILED" if number % 9 == 0 else "SUCCEEDED",
            )
            for number in range(40)
        ],
    }
    schemas = [complete("sales"), complete("hr")]
    write_package(directory, {}, end=END - timedelta(days=1), completeness=schemas)
    write_package(directory, records, completeness=schemas)
    make_page(directory)
    return directory / "page.html"


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("hostile")
    write_package(directory, hostile_records(), **hostile_manifest())
    make_page(directory)
    return directory / "page.html"


def opened(browser: sync_api.Browser, path: Path, **context: object) -> Opened:
    page = browser.new_page(offline=True, **context)
    seen = Opened(page)
    page.on("console", lambda message: seen.said.append(message.text))
    page.on("pageerror", lambda error: seen.said.append(str(error)))
    page.on("dialog", lambda dialog: seen.said.append(f"dialog {dialog.message}"))
    page.on("request", lambda request: seen.asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready=true]")
    return seen


def serious(page: sync_api.Page) -> list[str]:
    """What axe finds serious or worse, with the first element of each."""
    violations = axe.Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html']}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("which", ["plain_page", "hostile_page"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_quiet_and_accessible(
    browser: sync_api.Browser, request: pytest.FixtureRequest, which: str, scheme: str
) -> None:
    """Nothing is said or asked beyond the file, no name comes to life, and axe is content."""
    path = request.getfixturevalue(which)
    seen = opened(browser, path, color_scheme=scheme)

    bars = seen.page.locator("#cost-chart .mark-rect path")
    bars.first.hover()
    seen.page.wait_for_selector("#vg-tooltip-element.visible")

    assert seen.page.evaluate("window.hit") is None
    assert seen.page.locator("#vg-tooltip-element :is(img, script)").count() == 0
    assert serious(seen.page) == []
    assert (seen.said, seen.asked) == ([], [path.as_uri()])


def test_a_request_would_be_forbidden(browser: sync_api.Browser, plain_page: Path) -> None:
    """Even a script that got into the page could not send what it reads there."""
    seen = opened(browser, plain_page)

    outcome = seen.page.evaluate(
        "fetch('https://example.invalid/').then(() => 'sent', (error) => error.name)"
    )

    assert outcome == "TypeError"
    assert "Content Security Policy" in " ".join(seen.said)


def test_a_table_is_chosen_by_typing(browser: sync_api.Browser, plain_page: Path) -> None:
    """Keys alone find it, and both directions are told with their columns, step by step."""
    page = opened(browser, plain_page).page
    box = page.get_by_role("combobox", name="Table")

    box.fill("sales dai")
    assert page.locator("#lineage-list li").all_inner_texts() == ["daily AwsDataCatalog.sales"]
    box.press("ArrowDown")
    box.press("Enter")

    assert page.locator("#lineage-title").inner_text() == "AwsDataCatalog.sales.daily"
    status = page.locator("#lineage-status").inner_text()
    assert status == "Fed by 1 table, feeds 1 table, within 2 steps."
    (row,) = page.locator("#lineage-up tbody tr").all_inner_texts()
    told = "1 orders AwsDataCatalog.sales daily AwsDataCatalog.sales CTAS id → id"
    assert " ".join(row.split()) == told
    assert "id → n" in page.locator("#lineage-down tbody tr").inner_text()


def test_a_table_is_chosen_by_clicking(browser: sync_api.Browser, plain_page: Path) -> None:
    """In the drawing and in the list; more steps show more."""
    page = opened(browser, plain_page).page

    page.locator("#lineage-chart .mark-text text", has_text="report").click()
    page.wait_for_function(
        "document.getElementById('lineage-title').textContent.endsWith('report')"
    )
    assert page.locator("#lineage-up tbody tr").count() == 2
    page.get_by_label("Steps").select_option("1")
    page.wait_for_function("document.querySelectorAll('#lineage-up tbody tr').length === 1")
    page.locator("#lineage-up").get_by_role("button", name="daily").click()
    page.wait_for_function("document.getElementById('lineage-title').textContent.endsWith('daily')")


def test_unknown_and_lonely_tables_are_told(browser: sync_api.Browser, plain_page: Path) -> None:
    """No match and no lineage are sentences, not empty boxes."""
    page = opened(browser, plain_page).page
    box = page.get_by_role("combobox", name="Table")

    box.fill("nothing like it")
    found = page.locator("#lineage-found")
    assert found.inner_text() == "No table has these letters in its name."
    box.fill("people")
    page.locator("#lineage-list li").click()

    status = page.locator("#lineage-status")
    assert status.inner_text() == "No flow into or out of this table is known from this run."
    assert page.locator("#lineage-figure").is_hidden()


def test_tables_sort(browser: sync_api.Browser, plain_page: Path) -> None:
    """A header sorts by number where the column is one, and tells the order to a screen reader."""
    page = opened(browser, plain_page).page
    costs = page.locator("#cost table")

    def first() -> str:
        return costs.locator("tbody th").first.inner_text()

    assert first() == "etl"
    costs.get_by_role("button", name="Cost").click()
    assert costs.locator("th[aria-sort=descending]").inner_text().startswith("Cost")
    costs.get_by_role("button", name="Cost").click()
    assert first() == "adhoc"
    assert costs.locator("th[aria-sort=ascending]").count() == 1


def test_theme_follows_the_reader(browser: sync_api.Browser, plain_page: Path) -> None:
    """It is the system's until the reader chooses, and paper is white whatever he chose."""
    page = opened(browser, plain_page, color_scheme="dark").page
    paper = "getComputedStyle(document.body).backgroundColor"

    assert page.evaluate(paper) == "rgb(20, 23, 27)"
    page.get_by_role("button", name="Light theme").click()
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.get_by_role("button", name="Dark theme").click()
    page.emulate_media(media="print")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    assert page.get_by_role("navigation").is_hidden()


@pytest.mark.parametrize("which", ["plain_page", "hostile_page"])
def test_page_fits_a_telephone(
    browser: sync_api.Browser, request: pytest.FixtureRequest, which: str
) -> None:
    """Only tables scroll sideways, each within its own frame, whatever the length of a name."""
    path = request.getfixturevalue(which)
    page = opened(browser, path, viewport={"width": 360, "height": 740}).page

    assert page.evaluate("document.documentElement.scrollWidth") == 360
