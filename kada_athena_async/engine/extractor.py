"""The door to the engine: what a caller can ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from typing_extensions import Self, Unpack

from kada_athena_async.commit.recovery import RecoverySettings
from kada_athena_async.concurrency import Clock, SystemClock, load_module, require_asyncio
from kada_athena_async.config import Config, ConfigFields, check_name, config_digest, make_config
from kada_athena_async.engine.aws_secrets import with_aws_secrets
from kada_athena_async.engine.connection import Connection, connect
from kada_athena_async.engine.destination import Destination
from kada_athena_async.engine.finish_hook import FinishHook
from kada_athena_async.engine.ownership import learn_account
from kada_athena_async.engine.pending_delivery import PendingDelivery
from kada_athena_async.engine.preflight import check_disk, meet
from kada_athena_async.engine.record_stream import RecordStreams
from kada_athena_async.engine.session import open_session
from kada_athena_async.engine.shared import Shared
from kada_athena_async.engine.statements import check_overwritten, known_statement
from kada_athena_async.engine.window_planner import WindowPlanner
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.events import Event, Observer, Warned
from kada_athena_async.fanout import Fanout, checked_observers
from kada_athena_async.files import Files
from kada_athena_async.landing import DeliveryReport, joined
from kada_athena_async.retry import CHECK_POLICY, RetryPolicy
from kada_athena_async.sinks.staging import new_run_id
from kada_athena_async.sources.statement_texts import default_texts

if TYPE_CHECKING:
    from kada_athena_async.engine.doctor import DoctorReport
    from kada_athena_async.engine.preview import PlanReport
    from kada_athena_async.report import ConnectionReport, RunReport


class Extractor(RecordStreams):
    """Extracts metadata and query history of one site.

    ``async with Extractor(config) as extractor: report = await extractor.run()``, or records
    without files, ``async for batch in extractor.tables()``; see ``RecordStreams``. It keeps no
    global state, installs no signal handlers, prints nothing and never blocks the event loop.

    Args:
        config: The configuration; or give its fields as keywords, as the vendor's collector takes
            them.
        observers: Receive what happens, in the event loop; see ``events``.
        name: Name of the instance: files, lock and HWM are its own.
        hwm_path: File of the high-water mark; if None, as ``hwm_store`` says, or
            ``<name>_hwm.txt`` in the working directory.
        shared: What it shares with other extractors of this process; see ``Shared``.
        files, clock, rng: Seams for tests.

    Raises:
        ConfigError: With every problem of the fields.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        observers: Sequence[Observer] = (),
        name: str = "athena",
        hwm_path: Path | str | None = None,
        shared: Shared | None = None,
        files: Files | None = None,
        clock: Clock | None = None,
        rng: Random | None = None,
        **fields: Unpack[ConfigFields],
    ) -> None:
        if config is not None and fields:
            raise TypeError("give a Config or its fields, not both")

        self._observers = checked_observers(observers)
        check_name(name)
        self.config = config or make_config(fields)
        self.name = name
        self._hwm_path = Path(hwm_path) if hwm_path else None
        self._shared = shared
        self._files = files or Files()
        self._clock = clock or SystemClock()
        self._rng = rng or Random()
        self._texts = default_texts()

    def __repr__(self) -> str:
        return f"Extractor(name={self.name!r}, server={self.config.server!r})"

    async def __aenter__(self) -> Self:
        require_asyncio()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Nothing outlives a call, so there is nothing to close; the block marks the lifetime."""

    def list_sql(self) -> list[str]:
        """Names of the statements that a run may send to Athena."""
        return list(self._texts)

    def get_sql(self, name: str) -> str:
        """The text of a statement, with its placeholders ``{0}`` (catalog) and ``{1}`` (condition).

        Raises:
            ConfigError: There is no such statement.
        """
        return known_statement(self._texts, name)

    def overwrite_sql(self, name: str, statement: str) -> None:
        """Run *statement* instead, from the next run on.

        Raises:
            ConfigError: There is no such statement, or the text lacks a placeholder or a column.
        """
        known_statement(self._texts, name)
        check_overwritten(name, statement)
        self._texts[name] = statement

    async def test_connection(self) -> ConnectionReport:
        """Log in and look around, without running a query or writing a file.

        Raises:
            ConfigError: Region, catalog, workgroup or bucket do not exist.
            CredentialsError: AWS does not accept who we say we are.
            UnitError: AWS cannot be reached.
        """
        destination = await self._destination()
        async with self._connection(destination.notify, policy=CHECK_POLICY) as connection:
            await load_module("engine.connection_report")
            from kada_athena_async.engine.connection_report import report_connection

            report = await report_connection(connection)

        missing = await destination.missing_rights()
        return replace(report, missing=(*report.missing, *missing))

    async def plan(
        self, *, start_hwm: datetime | str | None = None, end_hwm: datetime | str | None = None
    ) -> PlanReport:
        """Preview of the next run, its calls and time; runs no query and writes nothing.

        Args:
            start_hwm, end_hwm: The window, as for ``run``.

        Raises:
            ConfigError: The configuration cannot be used.
            AbortError: A run could not start.
            UnitError: AWS cannot be reached.
        """
        start, end = self._window(start_hwm, end_hwm)
        destination = await self._destination()
        async with (
            destination.store(self._hwm_path) as store,
            self._connection(destination.notify) as connection,
        ):
            await load_module("engine.preview")
            from kada_athena_async.engine.preview import Preview

            preview = Preview(connection=connection, destination=destination, store=store)
            return await preview.make(start, end)

    async def examine(self, *, runs_query: bool = False) -> DoctorReport:
        """Try everything that a run needs, one thing after the other; nothing is left anywhere.

        Args:
            runs_query: Also run one statement from its start to its result, which leaves its
                result in the bucket as each of a run's does.

        Raises:
            ConfigError: The region is not AWS's.
        """
        written, destination = self.config, await self._destination()
        await load_module("engine.doctor.doctor")
        from kada_athena_async.engine.doctor.doctor import Doctor

        doctor = Doctor(
            destination=destination,
            written=written,
            hwm_path=self._hwm_path,
            texts=self._texts,
            runs_query=runs_query,
        )
        return await doctor.examine()

    async def push(self, *, sends_all: bool = False) -> DeliveryReport:
        """Bring what was extracted and not delivered to the landing, oldest first.

        Args:
            sends_all: Send also what another landing has, as after a change of the landing.

        Raises:
            ConfigError: The configuration names no landing.
            LockedError: A run of this name is going on.
            DeliveryError: The landing refuses or is down; run it again, what is there is not sent
                twice.
            StateError: The high-water mark of a package that waits cannot be used, or the package
                belongs to another site.
        """
        destination, place = await self._destination(), self.config.landing
        # Without hwm_store no other runner has this mark: what waits may go before it is read.
        if place is None:
            remedy = "write where to push: file:///directory, s3://bucket/prefix or an Azure URL"
            raise ConfigError([Problem("landing", "(empty)", remedy)])

        is_shared = self.config.hwm_store is not None
        async with open_session(
            destination,
            self._hwm_path,
            run_id="push",
            keeps_state=is_shared,
            learn_account=partial(
                learn_account, self._connection, destination.notify, needs_it=False
            ),
        ) as (delivery, planner):
            if is_shared:
                # A package whose HWM has not moved goes by the protocol of those who share the HWM.
                await planner.check()
                settings = replace(self._recovery(), only_commits=True)
                await delivery.begin(settings, sends_all=sends_all)
            else:
                await delivery.push(sends_all=sends_all)

            return joined(delivery.reports, place=place.url)

    async def run(
        self,
        *,
        start_hwm: datetime | str | None = None,
        end_hwm: datetime | str | None = None,
        fresh: bool = False,
        again: bool = False,
        manage_hwm: bool | None = None,
    ) -> RunReport:
        """Extract everything the configuration asks for, commit it, and only then move the HWM.

        A unit that fails is reported and the others finish. Running again after any failure is
        safe: nothing is lost and nothing is extracted twice. An interrupted run is finished first.

        Args:
            start_hwm, end_hwm: The window: datetimes, or texts such as ``YYYY-MM-DD HH:MM:SS`` in
                UTC, ISO 8601, or ``7d`` for seven days ago; None for the stored HWM and for now
                less ``settle_seconds``.
            fresh: Discard an interrupted run instead of finishing it.
            again: Extract the packages in the window once more; each must lie in it whole.
            manage_hwm: True if the stored HWM is read and moved; None: if *start_hwm* is None.

        Raises:
            ConfigError: The configuration cannot be used; nothing was called.
            AbortError: The run cannot start or go on at all; nothing was committed.
            CommitError: The files could not be made durable.
            DeliveryError: The extracts are published but not delivered, and the HWM has not moved;
                the next run delivers them first.
        """
        start, end = self._window(start_hwm, end_hwm)
        manages = start is None if manage_hwm is None else manage_hwm
        run_id = new_run_id(self._clock.now())
        begun = self._clock.monotonic()
        warnings: list[Warned] = []

        def keep_warnings(event: Event) -> None:
            if isinstance(event, Warned):
                warnings.append(event)

        destination = await self._destination(keep_warnings)
        notify = destination.notify
        hook = FinishHook(config=self.config, name=self.name, run_id=run_id, notify=notify)
        async with (
            hook.at_the_end(),
            open_session(
                destination,
                self._hwm_path,
                run_id=run_id,
                keeps_state=manages,
                learn_account=partial(learn_account, self._connection, notify),
            ) as (delivery, planner),
        ):
            planner = replace(planner, start=start, end=end, again=again)
            report = hook.report = await self._extract(delivery, run_id, planner, fresh, warnings)

        notify(report.finished(self._clock.monotonic() - begun))
        return report

    async def _extract(
        self,
        delivery: PendingDelivery,
        run_id: str,
        planner: WindowPlanner,
        fresh: bool,
        warnings: list[Warned],
    ) -> RunReport:
        """Check what costs no call, finish interrupted runs, then extract over a connection."""
        destination, owner = delivery.destination, delivery.owner
        # An HWM or state that is damaged, or somebody else's, is refused before anything moves.
        await planner.check()
        settings = replace(self._recovery(), is_fresh=fresh)
        # A typing error must not cost finished parts.
        resumable, unfinished = await delivery.begin(settings, before_discard=self.test_connection)
        # So is a window that is published, before AWS is asked for anything that costs.
        planner = replace(planner, origin=owner.origin)
        windows, _ = await planner.requested_windows(self._clock.now())
        await destination.check_landing()
        await check_disk(delivery)
        notify = destination.notify
        async with self._connection(notify, account_id=owner.account_id) as connection:
            owner.ask = connection.learn_account
            # A run that is continued may have the first schemas already.
            connection.lists_tables_ahead = bool(windows) and resumable is None
            for code, message in await meet(connection, looks_ahead=True):
                notify(Warned(code=code, message=message))

            await load_module("engine.run")
            from kada_athena_async.engine.run import Run

            run = Run(connection=connection, planner=planner, warnings=warnings, delivery=delivery)
            return await run.extract(run_id, resumable, unfinished)

    async def _read_secrets(self, notify: Observer) -> None:
        """Put the secrets that lie in AWS in place of their references, once."""
        self.config = await with_aws_secrets(
            self.config, clock=self._clock, rng=self._rng, notify=notify
        )

    @asynccontextmanager
    async def _connection(
        self,
        notify: Observer | None = None,
        *,
        policy: RetryPolicy | None = None,
        account_id: str | None = None,
    ) -> AsyncIterator[Connection]:
        notify = notify or Fanout(self._observers)
        await self._read_secrets(notify)
        async with connect(
            self.config,
            clock=self._clock,
            rng=self._rng,
            notify=notify,
            texts=self._texts,
            policy=policy,
            shared=self._shared,
            account_id=account_id,
        ) as connection:
            yield connection

    async def _destination(self, *listeners: Observer) -> Destination:
        """Destination of a call, its secrets read; what it notifies goes to *listeners* first."""
        require_asyncio()
        notify = Fanout((*listeners, *self._observers))
        await self._read_secrets(notify)
        return Destination(
            config=self.config,
            name=self.name,
            files=self._files,
            clock=self._clock,
            rng=self._rng,
            notify=notify,
        )

    def _recovery(self) -> RecoverySettings:
        return RecoverySettings(
            config_digest=config_digest(self.config),
            now=self._clock.now(),
            resume=timedelta(hours=self.config.resume_hours),
        )
