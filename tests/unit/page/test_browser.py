"""The page in a real browser: it works, asks nothing of the network, and anyone can use it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from kada_athena_async.extracts.runs import select_runs
from kada_athena_async.files import Files
from kada_athena_async.page import PageWriter
from kada_athena_async.records import UsageRecord, ViewRecord
from tests.unit.page.estate import (
    CATALOG,
    END,
    SERVER,
    catalog,
    column,
    complete,
    link,
    query,
    schema,
    table,
    write_package,
)
from tests.unit.page.hostile import NAMES, hostile_manifest, hostile_records
from tests.unit.page.pages import make_page
from tests.unit.page.test_rendering import long_estate

pytest.importorskip("playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")
VIEWS = (
    *("", "#view=tables", "#view=tables&show=unused", "#view=lineage", "#view=queries"),
    *("#view=people", "#view=advice", "#view=run", "#search=o"),
)
PATIENCE_MS = 120_000

# The page heard of the event before, so it has begun to draw the view when this is through.
FOLLOW = """async (address) => {
  if (location.hash === address) return;
  const isHeard = new Promise((go) => addEventListener("hashchange", go, { once: true }));
  location.hash = address;
  await isHeard;
}"""


class Reader:
    """A page in the browser, and what it said and asked for since it was opened."""

    def __init__(self, page: sync_api.Page, path: Path) -> None:
        self.page = page
        self.path = path
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: self.said.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: self.asked.append(request.url))
        page.set_default_timeout(PATIENCE_MS)
        page.goto(path.as_uri())
        self.wait()

    def wait(self) -> None:
        self.page.wait_for_selector("html[data-ready=true]")

    def go(self, address: str) -> None:
        """Follow a link to another view."""
        self.page.evaluate(FOLLOW, address)
        self.wait()

    def text(self, selector: str = "main") -> str:
        return " ".join(self.page.locator(selector).first.inner_text().split())

    def serious(self) -> list[str]:
        """Violations that axe finds serious or worse, with the first element of each."""
        # What it is content with is not looked for in detail: that takes most of the time.
        only = {"resultTypes": ["violations"]}
        violations = axe.Axe().run(self.page, options=only).response["violations"]
        return [
            f"{each['id']}: {each['nodes'][0]['html']}"
            for each in violations
            if each["impact"] in ("serious", "critical")
        ]


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    flags = ("gpu", "quic", "background-networking", "component-update", "sync")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            timeout=PATIENCE_MS,
            args=["--no-sandbox", "--no-first-run", *(f"--disable-{flag}" for flag in flags)],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def plain_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs over a small shop; 300 tables that nobody uses make long lists."""
    directory = tmp_path_factory.mktemp("plain")
    use = UsageRecord(
        *(SERVER, CATALOG, "sales", "orders", f"{END - timedelta(days=1):%Y-%m-%d}", "ann"),
        *("READ", 7, 0, 2, 2**30, END - timedelta(hours=3)),
    )
    records = {
        "metadata_catalogs": [catalog()],
        "metadata_schemas": [schema("sales"), schema("hr")],
        "metadata_tables": [
            *(table("sales", name) for name in ("orders", "daily")),
            table("hr", "report", table_format=None),
            *(table("hr", f"old_{n:03d}")._replace(size_bytes=n << 30) for n in range(300)),
        ],
        "metadata_columns": [
            column("sales", "orders", "order_id"),
            column("sales", "daily", "id"),
            column("hr", "report", "n"),
        ],
        "metadata_views": [
            ViewRecord(SERVER, CATALOG, "hr", "report", "SELECT n FROM daily WHERE x = 1", "athena")
        ],
        "linkages": [
            link("orders", "daily", "order_id", "id", "CTAS"),
            link("daily", "report", "id", "n")._replace(target_schema="hr"),
        ],
        "usage": [use],
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
def hostile_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("hostile")
    write_package(directory, hostile_records(), **hostile_manifest())
    make_page(directory)
    return directory / "page.html"


@pytest.fixture(scope="module")
def plain(browser: sync_api.Browser, plain_path: Path) -> Reader:
    """One reader of the shop's page, who walks through it in all tests that only look."""
    return Reader(browser.new_page(offline=True), plain_path)


@pytest.mark.parametrize("which", ["plain_path", "hostile_path"])
def test_page_is_quiet_and_accessible(
    browser: sync_api.Browser, request: pytest.FixtureRequest, which: str
) -> None:
    """In every view, light and dark, on a telephone: nothing is said or asked, no name comes to
    life, nothing sticks out, and axe is content."""
    path = request.getfixturevalue(which)
    reader = Reader(browser.new_page(offline=True, viewport={"width": 360, "height": 740}), path)
    names = ["orders"] if which == "plain_path" else NAMES
    chosen = [f"#table={quote(f'{CATALOG}.{name}.{name}')}" for name in names[:2]]
    if which == "plain_path":
        chosen = [f"#table={CATALOG}.sales.orders", "#table=nothing", "#statement=f1"]

    # Names change neither elements nor colours: of hostile ones axe sees where most of them stand.
    seen_by_axe = (*VIEWS, *chosen) if which == "plain_path" else ("#view=queries", chosen[0])
    for address in (*VIEWS, *chosen):
        reader.go(address)
        assert reader.page.locator("h1").count() == 1, address
        assert reader.page.evaluate("document.documentElement.scrollWidth") == 360, address
        assert "cannot be drawn" not in reader.text(), address
        assert address not in seen_by_axe or reader.serious() == [], address

    reader.page.emulate_media(color_scheme="dark")
    for address in ("", "#view=lineage", "#view=queries") if which == "plain_path" else ():
        reader.go(address)
        assert reader.serious() == [], address

    assert reader.page.evaluate("window.hit") is None
    assert reader.page.locator(":is(img, iframe)").count() == 0
    assert (reader.said, reader.asked) == ([], [path.as_uri()])
    reader.page.close()


def test_a_request_would_be_forbidden(browser: sync_api.Browser, plain_path: Path) -> None:
    """Even a script that got into the page could not send what it reads there."""
    reader = Reader(browser.new_page(offline=True), plain_path)

    outcome = reader.page.evaluate(
        "fetch('https://example.invalid/').then(() => 'sent', (error) => error.name)"
    )

    assert outcome == "TypeError"
    assert "Content Security Policy" in " ".join(reader.said)
    reader.page.close()


def test_overview_tells_the_sums(plain: Reader) -> None:
    """Tiles, charts by day with their numbers as a table, and the rankings."""
    plain.go("")

    tiles = plain.text(".tiles")
    for told in (
        "tables 302 1 view",
        "queries 40 13 % failed",
        "scanned 780 GB",
        "unused tables 302",
    ):
        assert told in tiles, told
    assert plain.page.locator(".trend svg[role=img]").count() == 4
    plain.page.locator(".trend summary").first.click()
    rows = plain.page.locator(".trend table").first.locator("tbody tr").all_inner_texts()
    assert [" ".join(row.split()) for row in rows] == ["2026-11-25 (partial) 2", "2026-11-24 38"]


def test_a_table_has_a_page_of_its_own(plain: Reader) -> None:
    """Reached by a link, also with the end of its name; with columns, use, lineage and text."""
    plain.go("#table=daily")

    assert plain.text("h1") == "daily"
    boxes = plain.page.locator(".diagram .title").all_text_contents()
    assert sorted(boxes) == ["daily", "orders", "report"]
    assert plain.page.locator(".diagram .flow[marker-end]").count() == 2
    assert "orders.order_id" in plain.text(".plain")
    plain.page.locator(".diagram a", has_text="report").click()
    plain.page.wait_for_selector("h1:has-text('report')")
    assert plain.text("pre") == "SELECT n FROM daily WHERE x = ?"
    plain.page.get_by_label("steps").select_option("1")
    assert plain.page.locator(".diagram .title").count() == 2
    plain.go("#table=sales.orders")
    assert "ann 7 2026-11-24 21:00" in plain.text(".two")


def test_tables_and_columns_are_found_by_typing(plain: Reader) -> None:
    """Both, by parts of their names; what is not there is said."""
    plain.go("")
    box = plain.page.get_by_role("searchbox", name="Search tables and columns")

    box.fill("order")
    plain.page.wait_for_selector("h1:has-text('Search')")
    plain.page.wait_for_selector("text=1 table and 1 column found.")
    assert "order_id bigint orders" in plain.text("section:has(h2:text-is('Columns'))")
    box.fill("nothing like it")
    plain.page.wait_for_selector("text=0 tables and 0 columns found.")
    assert "No table has these letters in its name." in plain.text()


def test_long_lists_hide_no_row_without_a_word(plain: Reader) -> None:
    """The first rows are drawn, how many there are is said, and a button brings more."""
    plain.go("#view=tables&show=unused")
    rows = plain.page.locator("table.list tbody tr")

    assert rows.count() == 100
    assert plain.text(".more").startswith("100 of 302 shown.")
    plain.page.get_by_role("button", name="Show 100 more").click()
    assert rows.count() == 200
    plain.page.get_by_role("button", name="Show all 302").click()
    assert rows.count() == 302
    assert plain.page.locator(".more").is_hidden()


def test_tables_sort(plain: Reader) -> None:
    """A header sorts by number where the column is one, and tells the order to a screen reader."""
    plain.go("#view=tables&show=unused")
    first = plain.page.locator("table.list tbody th").first

    assert first.inner_text().startswith("old_299")
    plain.page.get_by_role("button", name="Size").click()
    assert not first.inner_text().startswith("old_299")
    assert plain.page.locator("th[aria-sort=ascending]").inner_text().startswith("Size")


def test_flows_between_schemas_are_drawn(plain: Reader) -> None:
    """Each schema with its name, each arrow with its head and number; a click lists the flows."""
    plain.go("#view=lineage")

    assert sorted(plain.page.locator(".diagram .title").all_text_contents()) == ["hr", "sales"]
    assert plain.page.locator(".diagram .flowlabel").all_text_contents() == ["1"]
    assert plain.page.locator(".legend .flowkey").count() == 2
    plain.page.locator("tr", has_text="hr").get_by_role("link", name="1").click()
    plain.page.wait_for_selector("text=Flows from table to table")
    assert "daily" in plain.text("tbody")


def test_theme_follows_the_reader(browser: sync_api.Browser, plain_path: Path) -> None:
    """It is the system's until the reader chooses, and paper is white whatever was chosen."""
    page = Reader(browser.new_page(offline=True, color_scheme="dark"), plain_path).page
    paper = "getComputedStyle(document.body).backgroundColor"

    assert page.evaluate(paper) == "rgb(16, 20, 25)"
    page.get_by_role("button", name="Light theme").click()
    assert page.evaluate(paper) == "rgb(244, 246, 249)"
    page.get_by_role("button", name="Dark theme").click()
    page.emulate_media(media="print")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    assert page.get_by_role("navigation").is_hidden()
    page.close()


def test_sites_have_an_index(browser: sync_api.Browser, tmp_path: Path) -> None:
    """Each site's figures stand in it, and its views are reached from it, by links that last."""
    writer = PageWriter(2, files=Files())
    for site in ("eu", "us & more"):
        directory = tmp_path / site
        records = {"metadata_tables": [table("sales", f"in_{site[:2]}")]}
        write_package(directory, {**records, "databaselog": [query("q", scanned_bytes=2**40)]})
        writer.add(select_runs(directory, "athena", Files()), site=site)
    path = writer.write(tmp_path / "page.html").path
    reader = Reader(browser.new_page(offline=True), path)

    assert reader.text("h1") == "2 sites"
    assert "$10.00" in reader.text(".tiles")
    assert reader.serious() == []
    reader.page.get_by_role("link", name="us & more").click()
    reader.page.wait_for_selector(".trends")
    reader.page.get_by_role("link", name="Tables", exact=True).click()
    reader.page.wait_for_selector("h1:text-is('Tables')")
    assert "in_us" in reader.text()
    reader.go("#site=eu&table=in_eu")
    assert reader.text("h1") == "in_eu"
    reader.page.close()


def test_a_browser_that_cannot_unpack_says_so(browser: sync_api.Browser, plain_path: Path) -> None:
    """A sentence that names what it needs, not an empty page."""
    page = browser.new_page(offline=True)
    page.add_init_script("delete window.DecompressionStream")

    reader = Reader(page, plain_path)

    assert "This browser is too old to unpack the data of this page" in reader.text()
    page.close()


def test_a_page_says_what_it_has_no_room_for(browser: sync_api.Browser, tmp_path: Path) -> None:
    """A site without its details works and names what it lacks; one without more than its key
    figures has no way to views that are not there; the command for the rest is named."""
    runs = long_estate(tmp_path)
    for max_bytes, site_has in ((13_000, True), (6_000, False)):
        writer = PageWriter(3, files=Files(), max_bytes=max_bytes)
        for number in range(3):
            writer.add(runs, site=f"site_{number}")
        path = writer.write(tmp_path / "page.html").path
        reader = Reader(browser.new_page(viewport={"width": 390, "height": 800}), path)
        reader.go("#site=site_1")

        assert "has no room for" in reader.text()
        assert "report --site site_1" in reader.text()
        assert (reader.page.get_by_role("link", name="Lineage").count() > 0) is site_has
        assert reader.page.locator("#search").is_visible() is site_has
        assert reader.serious() == []
        for view in VIEWS if site_has else ():
            reader.go(f"#site=site_1&{view[1:]}")
            assert "cannot be drawn" not in reader.text()
        assert (reader.said, reader.asked) == ([], [path.as_uri()])
        reader.page.close()


def test_nothing_lies_beside_the_screen(browser: sync_api.Browser, tmp_path: Path) -> None:
    """From a telephone to a wide screen, whatever the names: a list that does not fit as a table
    is a card a row, with its labels."""
    write_package(tmp_path, hostile_records(), **hostile_manifest())
    make_page(tmp_path)
    reader = Reader(browser.new_page(offline=True), tmp_path / "page.html")
    beside = "document.documentElement.scrollWidth - innerWidth"
    for width in (390, 740, 1024, 2560):
        reader.page.set_viewport_size({"width": width, "height": 900})
        for view in VIEWS:
            reader.go(view)
            assert reader.page.evaluate(beside) <= 0, (width, view)

    workgroups = "section:has(h2:text-is('Workgroups')) .listing"
    reader.go("#view=queries")
    assert reader.page.locator(f"{workgroups}.cards").count() == 0
    reader.page.set_viewport_size({"width": 800, "height": 900})
    reader.page.wait_for_selector(f"{workgroups}.cards")
    assert "95th percentile" in (
        reader.page.locator(f"{workgroups} td").nth(7).get_attribute("data-label") or ""
    )
    assert reader.said == []
    reader.page.close()
