"""The public surface: what is promised resolves, and naming it costs little."""

from __future__ import annotations

import subprocess
import sys

import pytest

import kada_athena_async
from kada_athena_async import sql


def test_every_public_name_resolves() -> None:
    """``__all__`` is what can be imported, sorted, no more and no less."""
    assert kada_athena_async.__all__ == sorted(kada_athena_async.__all__)
    for name in kada_athena_async.__all__:
        assert getattr(kada_athena_async, name) is not None


def test_every_public_name_is_listed() -> None:
    """``dir`` and so the completion of an editor or a notebook show what can be imported."""
    assert set(kada_athena_async.__all__) <= set(dir(kada_athena_async))


def test_what_the_engine_gives_and_raises_is_public() -> None:
    """Reports, records, errors and codes need no import from an inner module."""
    wanted = {
        "AccessDeniedError", "DoctorReport", "ExitCode", "Fanout", "PlanReport", "SiteResult",
        "StateError", "TableRecord", "WarningCode",
    }  # fmt: skip

    assert wanted <= set(kada_athena_async.__all__)


def test_misspelt_name_is_an_error() -> None:
    """The lazy root refuses what it does not have, as any module does."""
    assert not hasattr(kada_athena_async, "Extracter")


def test_naming_the_package_loads_nothing_heavy() -> None:
    """An Airflow DAG file that imports the package does not pay for SDKs and parsers."""
    heavy = ["aioboto3", "botocore", "duckdb", "moto", "pydantic", "rich", "sqlglot"]
    code = f"import sys, kada_athena_async; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_engine_runs_without_the_sql_parser() -> None:
    """sqlglot's 30 MB are loaded by the worker processes that parse, never by the main process.

    Nor does a run load what only ``doctor`` needs.
    """
    heavy = ["sqlglot", "kada_athena_async.engine.doctor.doctor", "packaging", "yaml"]
    code = (
        "import sys, kada_athena_async.engine, kada_athena_async.sql.derivation;"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_statements_are_masked_by_names_of_their_area() -> None:
    """``kada_athena_async.sql`` gives programs the names to mask and compare statements by."""
    assert sql.mask_sql("SELECT 'x'") == "SELECT ?"
    assert sql.mask_text("no 'x'", "SELECT 1") == "no ?"
    assert sql.fingerprint("SELECT 1") == sql.fingerprint("SELECT 2")
    with pytest.raises(AttributeError, match="has no attribute 'mask_all'"):
        sql.mask_all  # noqa: B018
