"""``doctor`` at the terminal: a table, what is missing in sentences, an exit code for CI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from kada_athena_async.cli.app import app
from kada_athena_async.sandbox import Sandbox


def run(path: Path, *arguments: str, columns: int = 80) -> Result:
    return CliRunner().invoke(
        app, ["doctor", "-c", str(path), *arguments], env={"COLUMNS": str(columns), "TERM": "dumb"}
    )


def written(sandbox: Sandbox, folder: Path, **fields: Any) -> Path:
    path = folder / "config.json"
    values = sandbox.config(folder / "out", quota_share=1.0, **fields)
    hwm_store = {"hwm_store": (folder / "marks").as_uri()}
    (folder / "marks").mkdir()
    path.write_text(json.dumps({**values, **hwm_store}))
    path.chmod(0o600)
    return path


def test_the_table_fits_and_ends_in_a_verdict(sandbox: Sandbox, tmp_path: Path) -> None:
    """80 columns, no colour in a file, the statement to add, and what it comes to."""
    user = sandbox.add_user("without", policy=without("athena:ListWorkGroups"))
    path = written(sandbox, tmp_path, key=user.access_key_id, secret=user.secret)
    result = run(path)

    assert result.exit_code == 1, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "\x1b" not in result.stdout
    assert "DENIED   athena:ListWorkGroups  account" in result.stdout
    assert "lost     no history at all and no users are extracted" in result.stdout
    assert '"athena:ListWorkGroups"' in result.stdout
    assert "1 of it a run cannot do without" in result.stdout
    assert user.secret not in result.stdout


def test_json_holds_each_finding(sandbox: Sandbox, tmp_path: Path) -> None:
    """One object a site, for programs."""
    result = run(written(sandbox, tmp_path), "--json")
    (line,) = [json.loads(line) for line in result.stdout.splitlines()]

    assert (result.exit_code, line["exit_code"]) == (0, 0)
    assert {f["area"] for f in line["findings"]} >= {"rights", "disk", "mark", "versions"}
    assert line["counts"]["denied"] == 0


def test_every_site_is_examined_unless_one_is_chosen(sandbox: Sandbox, tmp_path: Path) -> None:
    """One that is good and one that is not make 1, as in a run of several sites."""
    sites = [{"name": "good"}, {"name": "bad", "workgroup": "nowhere"}]
    path = written(sandbox, tmp_path, sites=sites)
    every, one = run(path, columns=200), run(path, "--site", "good", columns=200)

    assert (every.exit_code, one.exit_code) == (1, 0), every.stderr + one.stderr
    assert "site good, ap-southeast-2" in every.stdout
    assert "site bad, ap-southeast-2" in every.stdout
    assert "site bad" not in one.stdout


def without(action: str) -> dict[str, Any]:
    return {
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": action, "Resource": "*"},
        ]
    }
