"""The configuration file's beginning: written, filled in, and looked over without a call."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli

FILE = "kada_athena_extractor_config.json"


def test_without_a_file_the_way_in_is_told(cli: Cli) -> None:
    """A first `run` ends in the two commands that lead on, as they have to be typed."""
    done = cli("run")

    assert done.returncode == 2
    assert f"config = '{FILE}': no such file" in done.stderr
    assert "-m kada_athena_async config init  (writes one to fill in)" in done.stderr
    assert "-m kada_athena_async run --sandbox" in done.stderr


def test_a_starter_names_what_is_to_be_filled_in(cli: Cli, tmp_path: Path) -> None:
    """The vendor's ten fields, for the owner only; bucket and region nobody can guess."""
    done = cli("config", "init")

    assert done.returncode == 0, done.stderr
    values = json.loads((tmp_path / FILE).read_text())
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert list(values)[:4] == ["key", "secret", "server", "bucket"]
    assert values["output_path"] == str(tmp_path / "extracts")
    said = [line for line in done.stderr.splitlines() if line.startswith("  fill in")]
    assert [line.split()[2] for line in said] == ["bucket:", "region:"]

    checked = cli("config", "check")

    assert checked.returncode == 2
    assert "2 problems in the configuration" in checked.stderr


def test_a_starter_can_be_filled_in_at_once(cli: Cli, tmp_path: Path) -> None:
    """With --set and the environment's region it is ready; the check says what it means."""
    made = cli(
        "config", "init", "my prod.json", "--set", "bucket=s3://some-bucket/x",
        AWS_REGION="eu-west-1",
    )  # fmt: skip
    checked = cli("config", "check", "-c", "my prod.json", "--json")

    assert (made.returncode, checked.returncode) == (0, 0), made.stderr + checked.stderr
    assert "fill in" not in made.stderr
    assert "run -c 'my prod.json'" in made.stderr
    facts = json.loads(checked.stdout)
    assert facts["region"] == "eu-west-1"
    assert facts["identity"] == "the usual AWS credentials"


def test_a_file_that_is_there_stays(cli: Cli, tmp_path: Path) -> None:
    """Whatever it holds."""
    (tmp_path / FILE).write_text("mine")

    done = cli("config", "init")

    assert done.returncode == 2
    assert "is there already and stays as it is" in done.stderr
    assert (tmp_path / FILE).read_text() == "mine"


def test_a_starter_takes_no_nonsense(cli: Cli, tmp_path: Path) -> None:
    """Misspelt fields and texts that are no value, all at once; nothing is written."""
    done = cli("config", "init", "--set", "regoin=x", "--set", "max_concurrent_queries=many")

    assert done.returncode == 2
    assert "regoin = (hidden): did you mean region?" in done.stderr
    assert 'max_concurrent_queries = "many": write a whole number' in done.stderr
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("name", ["prod.yaml", "prod.yml", "prod.toml"])
def test_yaml_and_toml_begin_with_what_each_field_means(
    cli: Cli, tmp_path: Path, name: str
) -> None:
    """The vendor's fields to be filled in, the others as comments; read back as they were set."""
    done = cli(
        "config", "init", name, "--set", "bucket=s3://examplebucket/x", "--set", "region=eu-west-1"
    )
    text = (tmp_path / name).read_text()
    checked = cli("config", "check", "-c", name, "--json")

    assert done.returncode == 0, done.stderr
    assert "# AWS region of Athena; empty: that of AWS_REGION" in text
    assert any(
        line.startswith(("# quota_share: 0.8", "# quota_share = 0.8")) for line in text.splitlines()
    )
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["region"] == "eu-west-1"
