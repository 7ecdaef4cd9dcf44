"""A smaller estate than the sandbox's smallest, for tests that run over a whole one."""

from __future__ import annotations

from typing import Any

from kada_athena_async.sandbox import Sandbox

_KEPT = {"2024_close", "customers", "data-quality", "default", "finance", "hr", "sales"}
_KEPT |= {"zz_decommissioned"}


def few_schemas(**settings: Any) -> Sandbox:
    """A sandbox, not begun yet, with eight of the 21 schemas of its main catalog.

    A run asks for each schema, so it makes half of the calls. All other catalogs and every oddity
    of names are there; executions over what is gone are gone as well.

    Args:
        settings: Of ``Sandbox``.
    """
    sandbox = Sandbox(**settings)
    estate = sandbox.estate
    schemas = estate.catalogs["AwsDataCatalog"].schemas
    gone = schemas.keys() - _KEPT
    for name in gone:
        del schemas[name]

    for query_id, execution in [*estate.executions.items()]:
        if any(
            table.catalog == "AwsDataCatalog" and table.schema in gone
            for table in (*execution.reads, *execution.writes)
        ):
            del estate.executions[query_id]

    return sandbox
