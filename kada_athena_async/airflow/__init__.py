"""Airflow: a hook on its AWS connection and an operator that extracts, delivers and keeps HWMs.

Airflow imports each DAG file again and again, so nothing here loads the engine before a task runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kada_athena_async.airflow.hook import KadaAthenaHook
    from kada_athena_async.airflow.operator import KadaAthenaOperator

__all__ = ["KadaAthenaHook", "KadaAthenaOperator"]

_HOMES = {
    "KadaAthenaHook": "kada_athena_async.airflow.hook",
    "KadaAthenaOperator": "kada_athena_async.airflow.operator",
}

if not TYPE_CHECKING:  # so that type checkers still catch a misspelt name

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

        try:
            return getattr(import_module(_HOMES[name]), name)
        except ModuleNotFoundError as missing:
            raise ModuleNotFoundError(
                f"Airflow's classes need {missing.name}: pip install 'kada-athena-async[airflow]'",
                name=missing.name,
            ) from None
