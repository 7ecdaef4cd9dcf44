"""``report`` writes a page or says in a sentence why it cannot."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

from tests.unit.cli.conftest import Cli
from tests.unit.page.estate import END, query, write_package


def test_a_page_is_written_and_named(cli: Cli, tmp_path: Path) -> None:
    """The path goes to stdout, the talk to stderr; a second page replaces the first."""
    manifest = write_package(tmp_path / "out", {"databaselog": [query("q")]})
    (tmp_path / "athena_report.html").write_text("old")

    done = cli("report", "--output-path", "out")

    assert done.returncode == 0, done.stderr
    page = tmp_path / "athena_report.html"
    assert done.stdout == f"{page}\n"
    assert manifest.name in done.stderr
    assert "<title>Athena estate of athena.example</title>" in page.read_text()


def test_the_sandbox_has_a_word_of_its_own(cli: Cli, tmp_path: Path) -> None:
    """--sandbox stands for the directory of `run --sandbox`, and for no other place beside it."""
    (tmp_path / "kada-sandbox").mkdir()
    manifest = write_package(tmp_path / "kada-sandbox" / "extracts", {"databaselog": [query("q")]})

    done = cli("report", "--sandbox")
    both = cli("report", "--sandbox", "--output-path", "out")

    assert done.returncode == 0, done.stderr
    assert manifest.name in done.stderr
    assert both.returncode == 2
    assert "--sandbox = given: leave out --output-path and --config with it" in both.stderr


def test_facts_as_json(cli: Cli, tmp_path: Path) -> None:
    """With --json one object tells what was written and from what."""
    manifest = write_package(tmp_path / "out", {})

    done = cli("report", "--output-path", "out", "-f", "x.html", "--json")

    told = json.loads(done.stdout)
    assert told["path"] == str(tmp_path / "x.html")
    assert told["size_bytes"] == (tmp_path / "x.html").stat().st_size
    assert (told["manifest"], told["runs"]) == (str(manifest), 1)


def test_history_of_all_runs_counts(cli: Cli, tmp_path: Path) -> None:
    """A second night adds to the page and takes nothing away; --days and --since look at less."""
    for nights_ago, count in ((2, 4), (1, 2), (0, 1)):
        end = END - timedelta(days=nights_ago)
        at = end - timedelta(hours=12)
        rows = [query(f"q{nights_ago}-{n}", completed_at=at) for n in range(count)]
        write_package(tmp_path / "out", {"databaselog": rows}, end=end)

    def counts(*options: str) -> tuple[int, int]:
        facts = json.loads(cli("report", "--output-path", "out", "--json", *options).stdout)
        return facts["runs"], facts["executions"]

    assert counts() == (3, 7)
    assert counts("--days", "2") == (2, 3)
    assert counts("--since", "2026-11-24 12:00:01") == (1, 0)
    assert counts("--since", "9999d") == counts("--days", "999999999999") == (3, 7)


def test_a_time_that_is_none_is_refused(cli: Cli) -> None:
    """Option, value and remedy are named, and only one of the two may be given."""
    bad = cli("report", "--output-path", "out", "--since", "yesterday")
    both = cli("report", "--output-path", "out", "--since", "2026-11-24", "--days", "2")

    assert (bad.returncode, both.returncode) == (2, 2)
    assert "--since = 'yesterday': write YYYY-MM-DD HH:MM:SS in UTC" in bad.stderr
    assert "--days = 2: leave it out, or --since" in both.stderr


def test_no_extracts(cli: Cli, tmp_path: Path) -> None:
    """Directory and name are said, and what to do."""
    done = cli("report", "--output-path", "nowhere", "-n", "other")

    assert done.returncode == 3
    assert f"error: there are no extracts of 'other' in {tmp_path}/nowhere" in done.stderr
    assert "try: extract first, or name the directory" in done.stderr
    assert not (tmp_path / "other_report.html").exists()


def test_torn_extract(cli: Cli, tmp_path: Path) -> None:
    """The file is named; no page is written from half a truth."""
    write_package(tmp_path / "out", {"databaselog": [query("q")]})
    (extract,) = (tmp_path / "out").glob("*databaselog*")
    extract.write_bytes(extract.read_bytes()[:-5])

    done = cli("report", "--output-path", "out")

    assert done.returncode == 3
    assert f"error: {extract} is torn: it holds other bytes than" in done.stderr
    assert "try: restore it from where it was delivered" in done.stderr
    assert not (tmp_path / "athena_report.html").exists()


def test_page_that_cannot_be_written(cli: Cli, tmp_path: Path) -> None:
    """Key, value and remedy are named."""
    write_package(tmp_path / "out", {})

    done = cli("report", "--output-path", "out", "-f", "missing/x.html")

    assert done.returncode == 2
    assert f"--file = '{tmp_path}/missing/x.html': cannot be written" in done.stderr
    assert "name another" in done.stderr


def test_a_python_without_sqlite(cli: Cli, tmp_path: Path) -> None:
    """The message names what is missing, and what to do."""
    (tmp_path / "sqlite3.py").write_text("raise ModuleNotFoundError('no', name='_sqlite3')")
    root = Path(__file__).parents[3]

    # Read at the start of an interpreter: a process forked from one that has SQLite would not do.
    anew = {"PYTHONPATH": f"{tmp_path}:{root}", "PYTHONNOUSERSITE": "1"}
    done = cli("report", "--output-path", "out", **anew)

    assert done.returncode == 2
    assert "report = (needs _sqlite3): use a Python that was built with SQLite" in done.stderr


def test_all_sites_have_one_page(cli: Cli, tmp_path: Path) -> None:
    """Named after the collector; one site alone has its own; one in trouble is left out."""
    config = {
        "region": "eu-west-1",
        "bucket": "s3://results/here",
        "output_path": str(tmp_path / "out"),
        "usd_per_tb": 2.5,
        "sites": [{"name": site, "server": site} for site in ("one", "two", "three")],
    }
    (tmp_path / "kada_athena_extractor_config.json").write_text(json.dumps(config))
    for site in ("one", "two"):
        rows = [query("q", scanned_bytes=2**40)]
        write_package(tmp_path / "out", {"databaselog": rows}, name=f"athena-{site}", server=site)

    every = cli("report")
    one_site = cli("report", "--site", "two")
    one_file = cli("report", "-f", "x.html", "--site", "two")

    assert every.returncode == 1
    assert "there are no extracts of 'athena-three'" in every.stderr
    assert "2 runs of 2 sites" in every.stderr
    page = tmp_path / "athena_report.html"
    assert every.stdout == f"{page}\n"
    text = page.read_text()
    assert "<title>Athena estates of 2 sites</title>" in text
    assert text.count("1 query from") == text.count("about $2.50.") == 2
    assert one_site.stdout == f"{tmp_path / 'athena-two_report.html'}\n"
    assert one_file.stdout == f"{tmp_path / 'x.html'}\n"


def test_command_of_the_guide_works(cli: Cli, tmp_path: Path) -> None:
    """It stands there as it is typed after the sandbox's first run."""
    guide = (Path(__file__).parents[3] / "docs/viewing.md").read_text(encoding="utf-8")
    (typed,) = re.findall(r"<!-- command: page -->\n    kada-athena-async (.+)\n", guide)
    (tmp_path / "kada-sandbox").mkdir()
    write_package(tmp_path / "kada-sandbox" / "extracts", {})

    done = cli(*typed.split())

    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).exists()


def test_without_directory_the_configuration_is_asked(cli: Cli) -> None:
    """A missing configuration is told as for every other command."""
    done = cli("report")

    assert done.returncode == 2
    assert "kada_athena_extractor_config.json" in done.stderr
