"""The extra `fast`: sqlglot compiled gives what sqlglot in Python gives."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# In one interpreter sqlglot is compiled or it is not: where compiled modules are installed, a
# finder that knows source files only gives sqlglot in Python.
READ_ALL = """
import importlib.machinery, sys

class InPython:
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] != "sqlglot":
            return None
        loader = (importlib.machinery.SourceFileLoader, [".py"])
        for directory in path or sys.path:
            spec = importlib.machinery.FileFinder(directory, loader).find_spec(name)
            if spec is not None and spec.loader is not None:
                return spec

if sys.argv[1] == "python":
    sys.meta_path.insert(0, InPython())

import logging
logging.disable()
import sqlglot.parser
from kada_athena_async.sql.analysis import Statement, analyse
from tests.unit.sql.labelled import LABELLED
from tests.unit.sql.test_lineage import SCHEMA

print(sqlglot.parser.__file__.endswith(".py"))
for case in LABELLED:
    print(repr(analyse(Statement(sql=case.sql, schema="sales", **case.types), SCHEMA)))
"""


def read_all(how: str) -> tuple[str, list[str]]:
    """``True`` if sqlglot ran in Python, and what each labelled statement does."""
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, how],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    in_python, *found = done.stdout.splitlines()
    return in_python, found


def is_compiled() -> bool:
    spec = find_spec("sqlglot.parser")
    return spec is not None and not (spec.origin or "").endswith(".py")


@pytest.mark.skipif(not is_compiled(), reason="sqlglotc is not installed: the extra `fast`")
def test_the_compiled_parser_reads_every_labelled_statement_alike() -> None:
    """Tables, columns, flows and kinds are equal, statement by statement."""
    compiled, in_python = read_all("compiled"), read_all("python")

    assert (compiled[0], in_python[0]) == ("False", "True")
    assert len(compiled[1]) > 100
    assert compiled[1] == in_python[1]
