"""Resources that extractors of one process share: SDK models, SQL workers, AWS's quotas."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kada_athena_async.aws.network import UnreachedHosts
from kada_athena_async.aws.pacing import Pacer
from kada_athena_async.aws.sdk_models import SdkModels
from kada_athena_async.concurrency import Clock, Slots, SystemClock
from kada_athena_async.config import Config
from kada_athena_async.engine.ownership import account_of_role
from kada_athena_async.errors import ConfigError, Problem

if TYPE_CHECKING:
    from kada_athena_async.sql.worker_pool import WorkerPool


@dataclass(frozen=True, slots=True)
class Budget:
    """Quotas that the callers of one account and region share.

    Attributes:
        pacer: Calls per second.
        slots: Active queries.
    """

    pacer: Pacer
    slots: Slots


class Shared:
    """Give it to several extractors of one event loop, and they respect AWS's quotas together.

    AWS counts calls and active queries by account and region, whoever makes them: two extractors
    of one account that each keep to its quotas exceed them. It holds nothing that must be closed.
    One event loop at a time may use it: what waits in one loop cannot be woken from another.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self.models = SdkModels()
        self._sql_workers: WorkerPool | None = None
        self.unreached = UnreachedHosts()
        self._clock = clock or SystemClock()
        self._budgets: dict[tuple[str, str, str], Budget] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._users = 0
        self._counting = threading.Lock()

    @property
    def sql_workers(self) -> WorkerPool:
        """The processes that parse SQL for all of them."""
        from kada_athena_async.sql.worker_pool import WorkerPool

        if self._sql_workers is None:
            self._sql_workers = WorkerPool()

        return self._sql_workers

    @asynccontextmanager
    async def used(self) -> AsyncIterator[None]:
        """Within the block, belong to the running event loop.

        Raises:
            ConfigError: Another event loop, of another thread, uses it now.
        """
        loop = asyncio.get_running_loop()
        with self._counting:
            if self._users and self._loop is not loop:
                remedy = "another event loop uses it now; make one Shared for each event loop"
                raise ConfigError([Problem("shared", "(in use)", remedy)], source="call")

            self._loop = loop
            self._users += 1

        try:
            yield
        finally:
            with self._counting:
                self._users -= 1

    async def budget(self, config: Config, ask: Callable[[], Awaitable[str]]) -> Budget:
        """The budget of the account and region of *config*; the least that any of its users allows.

        Args:
            ask: Returns the id of the account that the credentials belong to, empty if unknown; not
                asked where the role names it.
        """
        unknown = f"key {config.key.get_secret_value()} profile {config.profile}"
        account = account_of_role(config) or await ask() or unknown
        place = (config.endpoint_url or "", account, config.region)
        if place not in self._budgets:
            self._budgets[place] = make_budget(config, self._clock)

        budget = self._budgets[place]
        budget.pacer.allow_no_more_than(config.quota_share)
        budget.slots.allow_no_more_than(config.max_concurrent_queries)
        return budget


def make_budget(config: Config, clock: Clock) -> Budget:
    """A budget of its own for *config*."""
    return Budget(
        pacer=Pacer(quota_share=config.quota_share, clock=clock),
        slots=Slots(config.max_concurrent_queries),
    )
