"""The page is whole, harmless and small, and its data comes back as it was put in."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kada_athena_async.extracts.runs import Runs, select_runs
from kada_athena_async.files import Files
from kada_athena_async.page import PageWriter
from kada_athena_async.page.packing import Columns, digits, width_of
from kada_athena_async.page.rendering import script_json
from kada_athena_async.page.site import site_data
from kada_athena_async.page.table_index import tables_figures
from kada_athena_async.page.tables import LEVELS, details
from kada_athena_async.page.warehouse import open_warehouse
from tests.unit.page.estate import column, link, query, schema, table, write_package
from tests.unit.page.hostile import NAMES, hostile_manifest, hostile_records
from tests.unit.page.pages import PART, make_page, numbers, parts_of, tables_of


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
    """No element, attribute or address comes from a name, and the only code is ours."""
    elements = Elements(hostile_page)

    assert not {tag for tag, _ in elements.found} & {"img", "iframe", "link", "object", "base"}
    kinds = [a.get("type", "code") for tag, a in elements.found if tag == "script"]
    assert kinds.count("code") == 1
    assert set(kinds) == {"code", "application/json", "application/octet-stream"}
    names = {name for _, attributes in elements.found for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    addresses = {
        attributes[name]
        for _, attributes in elements.found
        for name in ("href", "src", "action", "srcset")
        if name in attributes
    }
    assert addresses == {"#", "#content"}


def test_hostile_names_are_still_told(hostile_page: str) -> None:
    """Escaped, not dropped; what would reorder or hide characters is shown as an escape."""
    assert "&lt;img src=x onerror=window.hit=1&gt;" in hostile_page
    parts = parts_of(hostile_page)
    told = set(parts["tables"]["rows"]["name"])
    assert "x" * 255 in told
    assert "\\u202egnp.exe\\u2066 reversed" in told
    assert "{{ 7*7 }}{% raw %}${7*7}" in told
    assert NAMES[7] in told
    unsafe = "[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
    assert not re.search(unsafe, json.dumps(parts, ensure_ascii=False))
    assert not re.search(unsafe, hostile_page)


def test_samples_are_masked_even_if_the_extract_is_not(hostile_page: str) -> None:
    """The page may be mailed about: no literal and no comment of a statement is in it."""
    told = json.dumps(parts_of(hostile_page))

    assert "secret-4711" not in told
    assert told.count("AS x, ? FROM t") >= 10


def test_policy_allows_our_own_script_and_nothing_else(hostile_page: str) -> None:
    """The hashes of the policy are those of the script and the style in the page."""
    elements = Elements(hostile_page)
    (policy,) = (
        attributes["content"]
        for tag, attributes in elements.found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )

    def hashed(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    (style,) = elements.texts["style"]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashed(elements.texts['script'][-1])}'; "
        f"style-src 'sha256-{hashed(style)}'; base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("text", ["</script>", "<!--", "]]>", "\u2028", "é&"])
def test_json_cannot_leave_its_script(text: str) -> None:
    """Nothing that HTML looks for remains, and the value comes back as it was."""
    made = script_json({text: text})

    assert not re.search("[<>&\u2028]", made)
    assert json.loads(made) == {text: text}


def test_columns_give_their_rows_back() -> None:
    """As lists by name, whatever the values are; without rows the lists are empty."""
    columns = Columns("a", "b")
    assert json.loads("".join(columns.json())) == {"a": [], "b": []}
    columns.add(1, 'x"')
    columns.add(None, "é")
    assert json.loads("".join(columns.json())) == {"a": [1, None], "b": ['x"', "é"]}


@pytest.mark.parametrize("count", [1, 91, 92, 8_281, 8_282, 60_001])
def test_numbers_come_back_from_their_digits(count: int) -> None:
    """In as few characters as they need, none of which JSON escapes."""
    width = width_of(count)
    text = "".join(digits(number, width) for number in (0, count // 2, count - 1))

    assert numbers(text, width) == [0, count // 2, count - 1]
    assert len(json.dumps(text)) == 3 * width + 2
    with pytest.raises(OverflowError):
        digits(91**width, width)


def test_an_empty_run_makes_a_page(tmp_path: Path) -> None:
    """No table, no query, no earlier run: nothing is missing from its data."""
    write_package(tmp_path, {})

    report, page = make_page(tmp_path)

    parts = parts_of(page)
    assert parts["head"]["history"]["totals"]["executions"] == 0
    assert parts["tables"]["rows"]["name"] == []
    assert parts["edges"]["rows"]["target"] == []
    # What the page weighs beside its data.
    assert report.size_bytes == len(page.encode()) < 110_000
    assert "0 tables, 0 views; 0 queries from" in page


def test_a_table_without_a_name_is_on_the_page(tmp_path: Path) -> None:
    """Its location is told whole: there is no name in it to leave out."""
    write_package(tmp_path, {"metadata_tables": [table("sales", "")._replace(location="s3://b/")]})

    _, page = make_page(tmp_path)

    assert parts_of(page)["tables"]["rows"]["name"] == [""]


def test_tables_whose_names_differ_only_in_case_are_two(tmp_path: Path) -> None:
    """Federated catalogs have such; each keeps its columns, and none is lost."""
    names = ("Orders", "orders")
    write_package(
        tmp_path,
        {
            "metadata_tables": [table("sales", name) for name in names],
            "metadata_columns": [
                column("sales", name, f"{name}_{number}")
                for name, count in zip(names, (1, 2), strict=True)
                for number in range(count)
            ],
        },
    )

    _, page = make_page(tmp_path)

    found = {name: each["columns"] for name, each in tables_of(parts_of(page)).items()}
    assert found == {"sales.Orders": 1, "sales.orders": 2}


def test_many_sites_make_one_page(tmp_path: Path) -> None:
    """Each site has data of its own, and its key figures stand in the index."""
    writer = PageWriter(2, files=Files())
    for number, site in enumerate(("eu", "us")):
        directory = tmp_path / site
        records = {
            "metadata_tables": [table("sales", f"orders_{site}")],
            "databaselog": [query(f"q{n}", scanned_bytes=2**40) for n in range(number + 1)],
        }
        write_package(directory, records, server=f"server-{site}")
        writer.add(select_runs(directory, "athena", Files()), site=site)

    report = writer.write(tmp_path / "page.html")

    page = report.path.read_text(encoding="utf-8")
    found = re.search(r'id="summaries">(.*?)</script>', page)
    assert found
    summaries = json.loads(found[1])
    assert [(s["site"], s["totals"]["executions"], s["usd"]) for s in summaries] == [
        ("eu", 1, 5.0),
        ("us", 2, 10.0),
    ]
    assert [list(tables_of(parts_of(page, site))) for site in (0, 1)] == [
        ["sales.orders_eu"],
        ["sales.orders_us"],
    ]
    assert (report.runs, report.executions, len(report.manifests)) == (2, 3, 2)
    assert "<title>Athena estates of 2 sites</title>" in page


def test_details_keep_to_their_room(tmp_path: Path) -> None:
    """Less room means fewer words of each table, in the end none; the index has all tables."""
    names = [f"t{n}" for n in range(40)]
    columns = [
        column("sales", name, f"c_{name}_{n}")._replace(comment=f"about {name} {n} " * 20)
        for name in names
        for n in range(30)
    ]
    records = {
        "metadata_schemas": [schema("sales")],
        "metadata_tables": [table("sales", name) for name in names],
        "metadata_columns": columns,
    }
    write_package(tmp_path, records)

    with open_warehouse(select_runs(tmp_path, "athena", Files())) as warehouse:
        shown = tables_figures(warehouse, 10**6).shown
        whole = details(warehouse, shown, 1_000_000)
        half = details(warehouse, shown, sum(map(len, whole.packets)) - 1)
        none = details(warehouse, shown, 50)

    assert (shown, whole.level, half.level) == (40, LEVELS[0], LEVELS[1])
    assert sum(map(len, half.packets)) < sum(map(len, whole.packets))
    assert none.packets == []


def long_estate(directory: Path) -> Runs:
    """One site: 600 tables of which one is used, each with a link and columns of its own."""
    names = [f"table_{n:03d}_{n * 7919:x}" for n in range(600)]
    write_package(
        directory,
        {
            "metadata_schemas": [schema("sales")],
            "metadata_tables": [table("sales", name) for name in names],
            "metadata_columns": [column("sales", name, f"c_{name}") for name in names],
            "linkages": [link(names[n], names[n + 1], "a", f"b{n}", "CTAS") for n in range(300)],
            "databaselog": [query(f"q{n}", scanned_bytes=2**30) for n in range(40)],
        },
    )
    return select_runs(directory, "athena", Files())


@pytest.mark.parametrize(
    ("site_bytes", "parts", "said"),
    [
        (40_000, {"head", "tables", "edges", "pairs", "names", "details-0", "details-1"}, ""),
        (9_000, {"head", "tables", "edges", "names", "details-0"}, "lineage of columns"),
        (4_000, {"head", "tables", "edges"}, "columns, comments, users and view texts of all"),
        (3_200, {"head", "tables", "edges"}, "lineage of tables"),
        (1_000, set(), None),
    ],
)
def test_a_site_keeps_to_its_room_and_says_what_it_lacks(
    tmp_path: Path, site_bytes: int, parts: set[str], said: str | None
) -> None:
    """Details go first, then lineage and the ends of lists; the key figures stay in any case."""
    found = site_data(long_estate(tmp_path), None, site="eu", max_bytes=site_bytes)

    assert set(found.parts) == parts
    assert found.size_bytes <= site_bytes
    assert found.summary["estate"]["tables"] == 600
    if said is not None:
        head = json.loads(gzip.decompress(base64.b64decode(found.parts["head"])))
        words = "; ".join([*head["leftOut"], *head["details"]["leftOut"]])
        assert said in words
        assert bool(said) == bool(words)
        assert head["estate"]["tables"] == 600


def test_the_data_of_many_sites_keep_to_the_room_of_the_page(tmp_path: Path) -> None:
    """Whatever their number: each has its share, the last ones too."""
    sites, max_bytes = 8, 60_000
    runs = long_estate(tmp_path)
    writer = PageWriter(sites, files=Files(), max_bytes=max_bytes)
    for number in range(sites):
        writer.add(runs, site=f"site_{number}")
    page = writer.write(tmp_path / "page.html").path.read_text(encoding="utf-8")

    sizes = [0] * sites
    for number, _, text in PART.findall(page):
        sizes[int(number)] += len(text)
    assert sum(sizes) <= max_bytes
    assert min(sizes) > 3_000
    assert f"site_{sites - 1}: 600 tables, 0 views; 40 queries" in page


def test_a_small_site_leaves_its_room_to_the_next(tmp_path: Path) -> None:
    """Room that the first does not need is for those after it."""
    (tmp_path / "large").mkdir()
    (tmp_path / "small").mkdir()
    large = long_estate(tmp_path / "large")
    write_package(tmp_path / "small", {"metadata_schemas": [schema("sales")]})
    small = select_runs(tmp_path / "small", "athena", Files())
    left_out = []
    for order in ((small, large), (large, small)):
        writer = PageWriter(2, files=Files(), max_bytes=50_000)
        for number, runs in enumerate(order):
            writer.add(runs, site=f"s{number}")
        page = writer.write(tmp_path / "page.html").path.read_text(encoding="utf-8")
        left_out.append(parts_of(page, order.index(large))["head"]["leftOut"])

    assert left_out[0] == []
