"""Airflow finds the provider by its entry point, at no cost."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec


def test_the_entry_point_describes_what_is_there() -> None:
    """Each module that it names exists, and it carries our version."""
    (entry,) = (
        e
        for e in entry_points(group="apache_airflow_provider")
        if e.value.startswith("kada_athena_async.")
    )
    info = entry.load()()
    modules = [name for kind in ("operators", "hooks") for name in info[kind][0]["python-modules"]]
    modules += [name.rpartition(".")[0] for name in info["extra-links"]]

    assert entry.name == "provider_info"
    assert info["package-name"] == "kada-athena-async"
    assert len(modules) == 3
    assert all(find_spec(name) for name in modules)


def test_asking_for_it_loads_nothing() -> None:
    """Airflow asks at each start: neither Airflow itself nor the engine is imported."""
    code = (
        "import sys; from kada_athena_async.airflow.provider_info import get_provider_info; "
        "get_provider_info(); "
        "print(sorted({m.partition('.')[0] for m in sys.modules} "
        "& {'airflow', 'aioboto3', 'anyio', 'pydantic', 'sqlglot'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
