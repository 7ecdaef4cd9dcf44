"""The connection of a run to one site: login, account, checks of the configuration, inventory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import anyio

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.session import AwsSession, Identity
from kada_athena_async.codes import WarningCode
from kada_athena_async.concurrency import (
    Clock,
    Slots,
    load_module,
    map_bounded,
    offload,
    require_asyncio,
)
from kada_athena_async.config import Config
from kada_athena_async.discover import (
    discover_catalogs,
    discover_schemas,
    discover_workgroups,
)
from kada_athena_async.engine.ownership import account_of_role, ask_account
from kada_athena_async.engine.shared import Shared, make_budget
from kada_athena_async.errors import (
    AccessDeniedError,
    ConfigError,
    KadaAthenaError,
    NotFoundError,
    Problem,
    RequestError,
    UnitError,
)
from kada_athena_async.events import Observer, Warned
from kada_athena_async.filters import check_own_workgroup, check_schemas, check_workgroups
from kada_athena_async.inventory import Inventory, WorkgroupFacts
from kada_athena_async.retry import RetryPolicy
from kada_athena_async.sinks.interface import RecordSink
from kada_athena_async.sources.strategy import metadata_source

# Loaded when they are used: the first call of a run needs nothing of them.
if TYPE_CHECKING:
    from kada_athena_async.aws.athena import AthenaQueries
    from kada_athena_async.engine.schema_listing import FoundCatalogs, SchemaListing
    from kada_athena_async.pipeline import UnitExtraction
    from kada_athena_async.sql.worker_pool import WorkerPool

HISTORY_UNITS_AT_ONCE = 8
"""Workgroups listed side by side: two would use up the account's five list calls a second."""


@dataclass(slots=True, kw_only=True)
class Connection:
    """An open connection; made by ``connect``.

    Args:
        texts: Statement name -> text.
        slots: Active queries, over all runs that share them.
        pool: The processes that parse SQL, shared with other runs; None for some of its own.

    Attributes:
        workgroups, workgroups_error: What ``meet`` found.
        account_id: What ``learn_account`` found; None before.
        lists_tables_ahead: True to begin with tables while schemas are still listed.
        unreadable: What of the lists of catalogs and workgroups could not be read, by path.
    """

    config: Config
    client: AwsClient
    clock: Clock
    rng: Random
    notify: Observer
    texts: Mapping[str, str]
    slots: Slots
    pool: WorkerPool | None = None
    workgroups: tuple[WorkgroupFacts, ...] = ()
    workgroups_error: UnitError | None = None
    account_id: str | None = None
    lists_tables_ahead: bool = False
    unreadable: list[str] = field(default_factory=list)
    _catalogs: FoundCatalogs | KadaAthenaError | None = None
    _can_list: anyio.Event = field(default_factory=anyio.Event)

    @property
    def metadata_units_at_once(self) -> int:
        """Metadata units that are worked on side by side."""
        source = metadata_source(self.config)
        return source.units_at_once(query_slots=self.config.max_concurrent_queries)

    def settled_now(self) -> datetime:
        """The earlier of this machine's clock and AWS's, as far as its answers have shown it."""
        now, log = self.clock.now(), self.client.log
        is_ahead = log.server_time is not None and log.skew > timedelta()
        return now - log.skew if is_ahead else now

    def queries(self, run_id: str) -> AthenaQueries:
        """Runner of the statements of a run."""
        from kada_athena_async.aws.athena import AthenaQueries
        from kada_athena_async.sql.masking import mask_text

        bucket = self.config.bucket
        return AthenaQueries(
            client=self.client,
            run_id=run_id,
            workgroup=self.config.workgroup,
            output_location=f"{bucket.rstrip('/')}/" if bucket else None,
            slots=self.slots,
            clock=self.clock,
            rng=self.rng,
            notify=self.notify,
            mask=mask_text if self.config.mask else lambda reason, _statement: reason,
        )

    def extraction(self, run_id: str, sink: RecordSink) -> UnitExtraction:
        """Extractor of the units of a run, into *sink*."""
        from kada_athena_async.pipeline import UnitExtraction

        return UnitExtraction(
            config=self.config,
            client=self.client,
            queries=self.queries(run_id),
            texts=self.texts,
            sink=sink,
            clock=self.clock,
            notify=self.notify,
        )

    async def usable_workgroups(self) -> tuple[WorkgroupFacts, ...]:
        """List the workgroups.

        Raises:
            ConfigError: The workgroup for our queries cannot run them.
            UnitError: They may not be listed.
        """
        notes: list[str] = []
        workgroups = await discover_workgroups(self.client, unreadable=notes)
        self.unreadable += notes
        check_own_workgroup(self.config, Inventory(catalogs=(), workgroups=workgroups))
        if not notes:
            idle = check_workgroups(self.config, [workgroup.name for workgroup in workgroups])
            self._warn_idle("workgroups", idle)

        return workgroups

    def _warn_idle(self, key: str, patterns: Sequence[str]) -> None:
        if patterns:
            message = f"{key}: nothing that is there matches {', '.join(map(repr, patterns))}"
            self.notify(Warned(code=WarningCode.FILTER_UNMATCHED, message=message))

    async def learn_account(self) -> str:
        """The id of the account that the credentials belong to; empty if it cannot be learned.

        The role's ARN names it; else STS is asked once.

        Raises:
            CredentialsError: AWS does not accept us.
        """
        if self.account_id is None:
            of_role = account_of_role(self.config)
            self.account_id = of_role or await ask_account(self.client, self.notify)

        return self.account_id

    async def meet(self) -> None:
        """Make the first call of a run, which also shows AWS's clock: list the workgroups.

        Raises:
            ConfigError: The workgroup for our queries cannot run them.
        """
        if self.workgroups or self.workgroups_error:
            return

        async def ask() -> None:
            try:
                self.workgroups = await self.usable_workgroups()
            except UnitError as exc:
                self.workgroups_error = exc

        async def load() -> None:
            await self.client.first_sent.wait()
            await load_module("engine.schema_listing")
            self._can_list.set()
            if not metadata_source(self.config).asks_sql:
                await self.client.prepare("glue")  # which discover_ahead asks next
            await load_module("pipeline")

        await map_bounded(lambda step: step(), [ask, load], limit=2)

    async def check_catalogs(self) -> int:
        """Refuse catalogs and schemas that do not exist, without a query; the number of catalogs.

        Raises:
            ConfigError: A catalog, or what a filter names, does not exist.
            UnitError: All catalogs were asked for and they may not be listed.
        """
        found = self._take_found()
        catalogs = (
            found.catalogs if found else await discover_catalogs(self.client, self.config.catalogs)
        )
        if "*" not in self.config.include_schemas:
            if not found:
                catalogs = await discover_schemas(catalogs, self._schemas(queries=None).of)

            self._warn_idle("include_schemas", check_schemas(self.config, catalogs))

        return len(catalogs)

    def _take_found(self) -> FoundCatalogs | None:
        """The findings of ``discover_ahead``, once; raises what went wrong there."""
        found, self._catalogs = self._catalogs, None
        if isinstance(found, KadaAthenaError):
            raise found

        return found

    async def check_bucket(self) -> None:
        """Refuse a bucket for results that does not exist; one call.

        Raises:
            ConfigError: It does not.
        """
        if not metadata_source(self.config).asks_sql or not self.config.bucket:
            return

        await load_module("engine.schema_listing")
        from kada_athena_async.aws.athena import split_location

        bucket = split_location(self.config.bucket)["Bucket"]
        try:
            await self.client.call("s3", "HeadBucket", Bucket=bucket)
        except NotFoundError:
            remedy = "there is no such bucket; create or name one"
            raise ConfigError([Problem("bucket", repr(self.config.bucket), remedy)]) from None
        except (AccessDeniedError, RequestError):
            pass  # s3:ListBucket may be missing while Athena may write all the same

    def _schemas(self, queries: AthenaQueries | None) -> SchemaListing:
        from kada_athena_async.engine.schema_listing import SchemaListing

        return SchemaListing(
            config=self.config,
            client=self.client,
            queries=queries,
            texts=self.texts,
            notify=self.notify,
            looks_ahead=self.lists_tables_ahead and queries is None,
        )

    async def discover(self, run_id: str) -> Inventory:
        """Catalogs, schemas and workgroups that the configuration asks for.

        Raises:
            ConfigError: A catalog, the workgroup for our queries, or what a filter names does not
                exist.
            UnitError: All catalogs were asked for and they may not be listed.
        """
        await self.meet()
        if (found := self._take_found()) is None:
            found = await self._schemas(self.queries(run_id)).catalogs()
        elif metadata_source(self.config).asks_sql:
            found = await self._schemas(self.queries(run_id)).completed(found)

        self.unreadable += found.unreadable
        self._warn_idle("include_schemas", check_schemas(self.config, found.catalogs))
        in_catalogs = (note for catalog in found.catalogs for note in catalog.unreadable)
        unreadable = [*self.unreadable, *in_catalogs]
        if unreadable:
            message = f"the list of what exists is incomplete: {unreadable[0]}"
            self.notify(Warned(code=WarningCode.UNREADABLE, message=message))

        return Inventory(
            catalogs=found.catalogs,
            workgroups=self.workgroups,
            workgroups_error=self.workgroups_error,
            unreadable=tuple(self.unreadable),
            unlisted=tuple(found.unlisted),
        )

    async def discover_ahead(self) -> None:
        """Find catalogs and schemas beside the first calls, by the API only, for ``discover``."""
        if not metadata_source(self.config).asks_api:
            return

        await self._can_list.wait()
        try:
            self._catalogs = await self._schemas(queries=None).catalogs()
        except KadaAthenaError as exc:
            self._catalogs = exc


def identity_of(config: Config) -> Identity:
    """Identity of the run towards AWS."""
    return Identity(
        region=config.region,
        key=config.key.get_secret_value(),
        secret=config.secret.get_secret_value(),
        profile=config.profile,
        role=config.role,
        external_id=config.external_id,
        session_name=config.session_name,
    )


@asynccontextmanager
async def connect(
    config: Config,
    *,
    clock: Clock,
    rng: Random,
    notify: Observer,
    texts: Mapping[str, str],
    policy: RetryPolicy | None = None,
    shared: Shared | None = None,
    account_id: str | None = None,
) -> AsyncIterator[Connection]:
    """Open a connection as *config* says; closes it in any case.

    Args:
        account_id: The account, where it was asked for before: then it is not asked for again.
        shared: What it shares with other connections of this process.

    Raises:
        CredentialsError: There are no credentials.
        ConfigError: The region is not AWS's, or another event loop uses *shared*.
    """
    require_asyncio()
    identity, models = identity_of(config), shared.models if shared else None
    # The SDK reads files and compiles patterns for a tenth of a second: not on the event loop.
    session = await offload(
        lambda: AwsSession(identity, endpoint_url=config.endpoint_url, models=models)
    )
    budget = make_budget(config, clock)
    client = AwsClient(
        session,
        pacer=budget.pacer,
        clock=clock,
        rng=rng,
        notify=notify,
        policy=policy,
        unreached=shared.unreached if shared else None,
    )
    async with shared.used() if shared else nullcontext(), client:

        async def account() -> str:
            nonlocal account_id
            if account_id is None:
                account_id = await ask_account(client, notify)
            return account_id

        if shared is not None:
            budget = await shared.budget(config, account)
            client.pace_by(budget.pacer)

        yield Connection(
            config=config,
            client=client,
            clock=clock,
            rng=rng,
            notify=notify,
            texts=texts,
            slots=budget.slots,
            pool=await offload(lambda: shared.sql_workers) if shared else None,
            account_id=account_id,
        )
