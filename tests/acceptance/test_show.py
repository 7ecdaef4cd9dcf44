"""`show`: into the extracts without other tools, on any terminal, whatever the names are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from kada_athena_async.records import KINDS
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Column
from kada_athena_async.sandbox.estate.sentinels import SENTINEL_SECRETS
from tests.acceptance.conftest import Cli
from tests.kit.terminal import all_on_terminal
from tests.unit.extracts.making import columns, make_package, query, schema_record, table

STYLE = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = "\x1b]0;own\x07[red]bold[/red]\u202eevil\n\x9b2J:boom:"
VIEWS = [
    ("counts",),
    ("search", "o"),
    ("head", "metadata_tables"),
    ("head", "databaselog"),
    ("workgroups",),
    ("slowest",),
    ("costliest",),
    ("failures",),
    ("problems",),
    ("changes",),
    ("tables",),
    ("unused",),
    ("users",),
    ("who", "orders"),
    ("advice",),
]


def hostile_packages(path: Path) -> None:
    """Two packages in which every name and text tries to do something to the reader."""
    path.mkdir()
    rows = [
        query(
            1,
            workgroup=HOSTILE,
            fingerprint="f" * 32,
            query=f'SELECT "{HOSTILE}" FROM t -- {HOSTILE}',
            total_ms=5,
            scanned_bytes=7,
        ),
        query(2, workgroup=HOSTILE, status="FAILED", status_reason=HOSTILE, error_category=2),
    ]
    records = {
        "metadata_tables": [table(f"o{HOSTILE}", comment=HOSTILE), table("orders")],
        "metadata_columns": columns(f"o{HOSTILE}", **{HOSTILE: HOSTILE, "id": "int"}),
        "databaselog": rows,
    }
    denied = schema_record(HOSTILE, "denied")
    complete = [schema_record("sales"), denied]
    make_package(path, {}, completeness=complete)
    make_package(path, records, day=1, completeness=complete)


@pytest.mark.parametrize(
    ("width", "view"),
    [*((80, view) for view in VIEWS), *((200, view) for view in VIEWS[1:3])],
    ids=lambda value: str(value) if isinstance(value, int) else " ".join(value),
)
def test_hostile_names_show_harmlessly(
    environment: dict[str, str], tmp_path: Path, width: int, view: tuple[str, ...]
) -> None:
    """On a terminal nothing but styles gets through, markup is text, and no line is too long."""
    hostile_packages(tmp_path / "out")
    arguments = ["show", *view, "--output-path", str(tmp_path / "out")]

    code, seen = all_on_terminal(arguments, width=width, cwd=tmp_path, environment=environment)

    text = STYLE.sub("", seen)
    assert code == 0, text
    assert [line for line in text.split("\n") if cell_len(line) > width] == []
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text) == []
    if view[0] in ("search", "workgroups", "problems", "changes"):
        assert r"\x1b]0;own\x07[red]" in re.sub(r"\s", "", text)
    elif view[0] == "failures":  # what may be a value is masked in a reason
        assert r"\x1b]?;own\x07[?]" in re.sub(r"\s", "", text)


NARROW = """\
athena: 2026-11-23 00:00:00 to 2026-11-24 00:00:00 UTC, 1 run
workgroup                        queries  failed  cancelled  scanned        time
etl                                    2       1          0   2.8 GB  1 h 23 min
a_workgroup_with_quite_a_long_…        1       0          1      0 B       0.0 s
2 workgroups                           3       1          1   2.8 GB  1 h 23 min
"""
WIDE = """\
athena: 2026-11-23 00:00:00 to 2026-11-24 00:00:00 UTC, 1 run
workgroup                                              queries  failed  cancelled  scanned        time
etl                                                          2       1          0   2.8 GB  1 h 23 min
a_workgroup_with_quite_a_long_name_that_would_not_fit        1       0          1      0 B       0.0 s
2 workgroups                                                 3       1          1   2.8 GB  1 h 23 min
"""  # noqa: E501


def test_a_page_fits_its_terminal(environment: dict[str, str], tmp_path: Path) -> None:
    """The same page, word for word, at 80 and at 200 columns: only what is too long is cut."""
    long = "a_workgroup_with_quite_a_long_name_that_would_not_fit"
    rows = [
        query(1, workgroup="etl", total_ms=5_000_000, scanned_bytes=3 * 10**9),
        query(2, workgroup="etl", status="FAILED"),
        query(3, workgroup=long, status="CANCELLED"),
    ]
    make_package(tmp_path, {"databaselog": rows})
    arguments = ["show", "workgroups", "--output-path", str(tmp_path)]

    pages = {
        width: STYLE.sub(
            "", all_on_terminal(arguments, width=width, cwd=tmp_path, environment=environment)[1]
        )
        for width in (80, 200)
    }

    assert pages == {80: NARROW, 200: WIDE}


def test_the_sandbox_is_looked_into(
    cli: Cli, configure: Callable[..., Path], sandbox: Sandbox, tmp_path: Path
) -> None:
    """Every view of a real run's extracts, in words and as objects, and what changed since."""
    configure(metadata_source="api", workgroups=["adhoc", "etl_nightly"])
    # A run within the second in which the one before began would find nothing to do.
    assert cli("run", "-q", "--end-hwm", "1d").returncode == 0
    tables = sandbox.estate.catalogs["AwsDataCatalog"].schemas["sales"].tables
    names = [name for name, each in tables.items() if not each.is_view]
    gone, grown = tables.pop(names[0]), tables[names[1]]
    tables["brand_new"] = replace(gone, name="brand_new")
    old, *others = grown.columns
    column = Column(name="added_later", type="string", trino_type="varchar")
    tables[grown.name] = replace(
        grown, columns=(replace(old, type="tinyint", trino_type="tinyint"), column, *others)
    )
    assert cli("run", "-q").returncode == 0

    pages = {view: cli("show", *view) for view in VIEWS}
    objects = {
        view: [json.loads(line) for line in cli("show", *view, "--json").stdout.splitlines()]
        for view in VIEWS
    }

    assert {page.returncode for page in pages.values()} == {0}
    assert "".join(page.stderr for page in pages.values()) == ""
    everything = "".join(page.stdout for page in pages.values()) + json.dumps(
        [*objects.values()], ensure_ascii=False
    )
    assert [secret for secret in SENTINEL_SECRETS if secret in everything] == []
    assert all(found[0]["event"] == "package" for found in objects.values())
    assert {each["kind"] for each in objects["counts",][1:]} == set(KINDS)
    changes = {
        (each["table"], each["column"], each["before"], each["after"])
        for each in objects["changes",][1:]
    }
    place = f"AwsDataCatalog.sales.{grown.name}"
    assert changes == {
        (gone.name, None, "TABLE", None),
        ("brand_new", None, None, "TABLE"),
        (grown.name, "added_later", None, "varchar"),
        (grown.name, old.name, old.trino_type, "tinyint"),
    }
    assert f"+  column  {place}.added_later" in re.sub(r"  +", "  ", pages["changes",].stdout)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["head", "tables"], 2, "show head = 'tables': name a kind of extract: metadata_catalogs,"),
        (["head"], 2, "show head = (nothing): name a kind"),
        (["search"], 2, "show search = (nothing): name a part of a table's or column's name"),
        (["failures", "x"], 2, "show failures = 'x': leave it out; only search, head and who"),
        (["frobnicate"], 2, "WHAT = 'frobnicate': write one of counts, search, head"),
        (["--sandbox", "-c", "x"], 2, "leave out --output-path and --config with it"),
        (["--sandbox"], 3, "there are no extracts of 'athena' in"),
        (["--output-path", ".", "--name", "x"], 3, "one of those that are there: athena"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_shown_is_said(
    cli: Cli, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    """One sentence and a remedy, no traceback."""
    make_package(tmp_path, {})

    done = cli("show", *arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_torn_extract_is_said(cli: Cli, tmp_path: Path) -> None:
    """Rows before the torn place are not shown as if they were all."""
    package = make_package(tmp_path, {"databaselog": [query(1), query(2)]}, compress=False)
    (path,) = package.extracts("databaselog")
    path.write_bytes(path.read_bytes().replace(b"q1", b"q9"))

    done = cli("show", "workgroups", "--output-path", ".")

    assert (done.returncode, done.stdout) == (3, "")
    assert f"error: {path} is torn: it holds other bytes than" in done.stderr
    assert "try: restore it from where it was delivered" in done.stderr


def test_each_site_is_looked_into(cli: Cli, configure: Callable[..., Path], tmp_path: Path) -> None:
    """A configuration of several sites shows one after the other, or those that are named."""
    (tmp_path / "output").mkdir()
    for site, rows in (("au", 1), ("eu", 2)):
        records = {"databaselog": [query(n, workgroup=f"of_{site}") for n in range(rows)]}
        make_package(tmp_path / "output", records, name=f"athena-{site}")
    configure(sites=[{"name": "au"}, {"name": "eu"}])

    both = cli("show", "workgroups")
    one = cli("show", "workgroups", "--site", "eu", "--json")

    told = re.findall(r"^(athena-\w+|of_\w+ +\d)", both.stdout, re.MULTILINE)
    assert [" ".join(line.split()) for line in told] == [
        "athena-au",
        "of_au 1",
        "athena-eu",
        "of_eu 2",
    ]
    objects = [json.loads(line) for line in one.stdout.splitlines()]
    assert [each.get("workgroup") for each in objects] == [None, "of_eu"]
    assert objects[0]["name"] == "athena-eu"


def test_prices_configured_now_win(cli: Cli, tmp_path: Path) -> None:
    """A price given to `show` alone takes effect, by option, file or variable."""
    terabyte = query(1, scanned_bytes=2**40, statement_type="DML")
    make_package(tmp_path, {"databaselog": [terabyte]})
    (tmp_path / "prices.json").write_text('{"usd_per_tb": 8}')
    place = ("show", "users", "--output-path", str(tmp_path), "--json")

    def usd(*options: str, **variables: str) -> float:
        done = cli(*place, *options, **variables)
        return float(json.loads(done.stdout.splitlines()[1])["usd"])

    assert usd() == 5
    assert usd("--set", "usd_per_tb=6.5") == 6.5
    assert usd("--config", str(tmp_path / "prices.json")) == 8
    assert usd(KADA_ATHENA_USD_PER_TB="7") == 7
    bad = cli(*place, "--set", "usd_per_tb=cheap")
    assert bad.returncode == 2
    assert 'usd_per_tb = "cheap": write a number' in bad.stderr
