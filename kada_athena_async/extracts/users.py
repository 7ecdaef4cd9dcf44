"""Users of queries and of tables: by user, and by principal where one is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache

from kada_athena_async.extracts.executions import executions
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.extracts.table_usage import folded

MAX_HELD = 100_000
"""Users, or users of tables, that are distinguished; the executions of the others count as one."""

_NAMES_HELD = 10_000
OTHERS = "(others)"


@dataclass(slots=True, kw_only=True)
class UserTotal:
    """Usage of a user with one client.

    Attributes:
        principal, client: Empty where ``query_principals`` does not say.
        usd: By bytes; DPU hours of reservations stand apart.
    """

    user: str
    principal: str
    client: str
    executions: int = 0
    failed: int = 0
    scanned_bytes: int = 0
    billed_bytes: int = 0
    dpu_hours: float = 0.0
    usd: float = 0.0
    last_at: str = ""

    def to_dict(self) -> dict[str, object]:
        """The total as plain JSON values."""
        return {name: None if value == "" else value for name, value in asdict(self).items()}


@dataclass(slots=True, kw_only=True)
class TableUser:
    """Reads and writes of a table by a user.

    Attributes:
        event_type: ``READ``, ``WRITE``, ``CREATE``, ``ALTER`` or ``DROP``.
    """

    catalog: str
    schema: str
    table: str
    event_type: str
    user: str
    principal: str
    client: str
    executions: int = 0
    last_at: str = ""

    def to_dict(self) -> dict[str, object]:
        """The figures as plain JSON values."""
        return {name: None if value == "" else value for name, value in asdict(self).items()}


def user_totals(runs: Runs) -> list[UserTotal]:
    """A total for each user, principal and client, the one with most dollars first."""
    found: dict[tuple[str, str, str], UserTotal] = {}
    prices = runs.prices
    for ran in executions(runs, has_touched=False):
        key = (ran.user, ran.principal, ran.client)
        if key not in found and len(found) >= MAX_HELD:
            key = (OTHERS, "", "")

        total = found.get(key)
        if total is None:
            user, principal, client = key
            total = found[key] = UserTotal(user=user, principal=principal, client=client)

        total.executions += 1
        total.failed += ran.status == "FAILED"
        total.scanned_bytes += ran.scanned_bytes
        total.billed_bytes += ran.billed_bytes
        total.dpu_hours += ran.dpu_hours
        total.last_at = max(total.last_at, ran.ended_at)

    for total in found.values():
        total.usd = round(prices.scanned_usd(total.billed_bytes), 4)
        total.dpu_hours = round(total.dpu_hours, 4)

    return sorted(
        found.values(), key=lambda t: (-t.usd, -t.executions, t.user, t.principal, t.client)
    )


def table_users(runs: Runs, name: str) -> list[TableUser]:
    """Users of the tables that *name* fits, the most frequent first.

    Args:
        name: ``table``, ``schema.table`` or ``catalog.schema.table``, in any case.
    """
    wanted = name.lower().replace('"', "").replace("`", "")
    found: dict[tuple[str, ...], TableUser] = {}
    # Each table is named by many executions.
    fits = lru_cache(_NAMES_HELD)(lambda *place: _fits(place, wanted))
    for ran in executions(runs, uses=fits):
        # A statement that reads a table twice reads it once.
        touched = dict.fromkeys(each[:4] for each in ran.touched)
        for what, catalog, schema, table in touched:
            key = (*folded(catalog, schema, table), what, ran.user, ran.principal, ran.client)
            if key not in found and len(found) >= MAX_HELD:
                continue

            use = found.get(key)
            if use is None:
                use = found[key] = TableUser(
                    catalog=catalog,
                    schema=schema,
                    table=table,
                    event_type=what,
                    user=ran.user,
                    principal=ran.principal,
                    client=ran.client,
                )

            use.executions += 1
            use.last_at = max(use.last_at, ran.ended_at)

    return sorted(
        found.values(),
        key=lambda u: (-u.executions, u.catalog, u.schema, u.table, u.event_type, u.user),
    )


def known_table(runs: Runs, name: str) -> bool:
    """True if the newest run's metadata has a table or view that *name* fits."""
    wanted = name.lower().replace('"', "").replace("`", "")
    rows: Iterable[tuple[str, ...]] = runs.newest.rows(
        "metadata_tables", "catalog", "schema", "table"
    )
    return any(_fits(row, wanted) for row in rows)


def _fits(place: Iterable[str], wanted: str) -> bool:
    whole = ".".join(folded(*place))
    return whole == wanted or whole.endswith(f".{wanted}")
