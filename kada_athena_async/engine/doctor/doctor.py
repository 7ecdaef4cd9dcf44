"""The examination: everything that a run needs, tried once, in the order in which it needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

import kada_athena_async.sql.masking  # noqa: F401 - which a connection's statements need
from kada_athena_async.aws.athena import Statement, split_location
from kada_athena_async.aws.results import Results
from kada_athena_async.aws.wire import QueryExecution
from kada_athena_async.codes import ExitCode
from kada_athena_async.config import Config
from kada_athena_async.discover import discover_catalogs
from kada_athena_async.engine.connection import Connection, connect
from kada_athena_async.engine.destination import Destination
from kada_athena_async.engine.doctor.athena import AthenaTrials
from kada_athena_async.engine.doctor.buckets import BucketTrials
from kada_athena_async.engine.doctor.destination import UNDELIVERED, OutsideTrials
from kada_athena_async.engine.doctor.machine import (
    clock_finding,
    disk_findings,
    version_findings,
)
from kada_athena_async.engine.doctor.report import (
    GRANTED,
    Area,
    CheckResult,
    DoctorReport,
    Finding,
    untried,
)
from kada_athena_async.engine.doctor.workgroup import catalog_findings, workgroup_finding
from kada_athena_async.errors import (
    AccessDeniedError,
    ConfigError,
    CredentialsError,
    NetworkError,
    UnitError,
)
from kada_athena_async.files.threads import in_thread
from kada_athena_async.filters import check_workgroups
from kada_athena_async.inventory import CatalogFacts, WorkgroupFacts
from kada_athena_async.permissions import (
    AccountScope,
    Permission,
    Target,
    account_scope,
    permissions_of,
    statement_of,
)
from kada_athena_async.retry import CHECK_POLICY
from kada_athena_async.sources.statement_texts import STATEMENT_COLUMNS, fill
from kada_athena_async.sources.strategy import metadata_source

_RESULTS = frozenset({Target.RESULTS, Target.RESULTS_BUCKET})
_SECRETS = frozenset({Target.SECRETS, Target.PARAMETERS})
_OUTSIDE = frozenset(
    {
        *(Target.LANDING, Target.LANDING_BUCKET, Target.LANDING_KEY),
        *(Target.MARKS, Target.MARKS_BUCKET),
    }
)


@dataclass(slots=True, kw_only=True)
class Doctor:
    """Examines one instance.

    Args:
        texts: Statement name -> text.
        written: The configuration before its secrets were read from AWS.
        runs_query: True if one statement is run, from its start to its result.
    """

    destination: Destination
    hwm_path: Path | None
    texts: Mapping[str, str]
    written: Config
    runs_query: bool = False
    _findings: list[Finding] = field(default_factory=list)

    async def examine(self) -> DoctorReport:
        """Try everything.

        Raises:
            ConfigError: The region is not AWS's.
        """
        config, destination = self.destination.config, self.destination
        report = DoctorReport(
            name=destination.name, region=config.region, endpoint_url=config.endpoint_url
        )
        try:
            async with connect(
                config,
                clock=destination.clock,
                rng=destination.rng,
                notify=destination.notify,
                texts=self.texts,
                policy=CHECK_POLICY,
            ) as connection:
                caller = await connection.client.call("sts", "GetCallerIdentity")
                report = replace(
                    report, identity=str(caller.get("Arn")), account=str(caller.get("Account"))
                )
                self._findings.append(Finding("identity", "credentials", "ok", report.identity))
                await self._aws(connection, account_scope(config, report.account))
                self._findings.append(clock_finding(connection.client.log.skew))
        except (CredentialsError, NetworkError, UnitError) as exc:
            self._fail(
                "identity",
                "credentials" if isinstance(exc, CredentialsError) else "AWS",
                exc.message,
                lost="nothing can be asked of AWS",
                remedy=exc.hint,
                exit_code=ExitCode.FAILED if isinstance(exc, UnitError) else ExitCode.CANNOT_START,
            )

        self._findings += await OutsideTrials(destination, self.hwm_path).findings()
        self._findings += await in_thread(
            lambda: disk_findings(config.output_path, destination.name, destination.files)
        )
        self._findings += await in_thread(version_findings)
        return replace(report, findings=tuple(self._findings))

    async def _aws(self, connection: Connection, around: AccountScope) -> None:
        config = self.destination.config
        catalogs = await self._catalogs(connection)
        execution = await self._statement(connection) if self.runs_query else None
        trials = AthenaTrials(connection=connection, catalogs=catalogs, execution=execution)
        where = split_location(config.bucket)
        bucket = BucketTrials(connection.client, where["Bucket"], where["Key"])
        for permission in permissions_of(self.written):
            if permission.target in _SECRETS:  # without it we would not be here
                self._findings.append(_finding_of(permission, GRANTED, {}))

        destination = await self._destination_permissions()
        for permission in permissions_of(config):
            if permission in destination:
                tried = destination[permission]
            elif permission.target in _OUTSIDE:
                tried = untried("access is denied, see below")
            elif permission.target is Target.ROLES:
                tried = GRANTED if config.role else untried("see the landing")
            elif permission.target in _RESULTS:
                tried = await bucket.check_permission(permission.action)
            else:
                tried = await trials.check_permission(permission)

            self._findings.append(
                _finding_of(permission, tried, statement_of(config, permission, around))
            )

        if bucket.is_missing:
            self._fail(
                "workgroup",
                config.bucket,
                "there is no such bucket",
                lost="Athena cannot write results",
                remedy="create it, or name another in `bucket`",
            )

        self._findings += workgroup_finding(config, trials.workgroups, trials.settings)
        self._findings += catalog_findings(config, catalogs, trials.answers)
        await self._filters(connection, trials.workgroups)

    async def _filters(
        self, connection: Connection, workgroups: Sequence[WorkgroupFacts] | None
    ) -> None:
        """Check that the filters match something; schemas are listed if they are filtered."""
        config = self.destination.config
        try:
            if workgroups is not None:
                check_workgroups(config, [workgroup.name for workgroup in workgroups])

            # A statement would cost, so `sql` alone leaves it to the run.
            if metadata_source(config).asks_api and "*" not in config.include_schemas:
                by_api = config.model_copy(update={"metadata_source": "api", "workgroups": ("*",)})
                await replace(connection, config=by_api).discover("doctor")
        except ConfigError as exc:
            for problem in exc.problems:
                if problem.key != "catalogs":
                    subject = f"{problem.key} {problem.value}"
                    self._fail("catalogs", subject, "matches nothing", remedy=problem.remedy)
        except UnitError:
            pass  # the permission is tried by itself

    async def _catalogs(self, connection: Connection) -> tuple[CatalogFacts, ...]:
        names = self.destination.config.catalogs
        try:
            return await discover_catalogs(connection.client, names)
        except ConfigError as exc:
            for problem in exc.problems:
                self._fail("catalogs", problem.value, "does not exist", remedy=problem.remedy)
        except AccessDeniedError:
            pass  # the permission is tried by itself

        return ()

    async def _destination_permissions(self) -> dict[Permission, CheckResult]:
        trials = OutsideTrials(self.destination, self.hwm_path)
        try:
            return await trials.check_permissions(permissions_of(self.destination.config))
        except (CredentialsError, NetworkError) as exc:
            self._fail(
                "landing",
                "S3" if isinstance(exc, NetworkError) else "credentials",
                exc.message,
                lost=UNDELIVERED,
                remedy=exc.hint,
                exit_code=ExitCode.CANNOT_START,
            )
            return {}

    async def _statement(self, connection: Connection) -> QueryExecution | None:
        """Run one statement, as a run does; its execution, or None if it did not come so far."""
        name, catalog = "SCHEMATA_SQL", "AwsDataCatalog"
        queries = connection.queries(f"doctor-{connection.clock.now():%Y%m%dT%H%M%S}")
        text = fill(
            self.texts[name],
            catalog=catalog.lower(),
            conditions=["schema_name = 'default'"],
            run_id=queries.run_id,
        )
        begun = connection.clock.monotonic()
        execution = None
        try:
            execution = await queries.run(
                Statement(key="doctor", sql=text, catalog=catalog), unit_id="doctor"
            )
            results = Results(connection.client, source=connection.config.results)
            rows = results.read(execution, STATEMENT_COLUMNS[name])
            async with aclosing(rows) as batches:
                count = sum([len(batch[0]) async for batch in batches])
        except UnitError as exc:
            self._fail(
                "statement",
                "one statement",
                exc.message,
                lost="SQL is not asked: `sql` fails, `auto` has the API alone",
                remedy=exc.hint,
                exit_code=ExitCode.FAILED,
            )
        else:
            seconds = connection.clock.monotonic() - begun
            shown = "1 row" if count == 1 else f"{count} rows"
            detail = f"{shown} after {seconds:.1f} s"
            self._findings.append(Finding("statement", "one statement", "ok", detail))

        return execution

    def _fail(
        self,
        area: Area,
        subject: str,
        detail: str,
        *,
        lost: str = "the run does not start",
        remedy: str,
        exit_code: ExitCode = ExitCode.USAGE,
    ) -> None:
        found = Finding(
            area, subject, "problem", detail, lost=lost, remedy=remedy, exit_code=exit_code
        )
        self._findings.append(found)


def _finding_of(
    permission: Permission, tried: CheckResult, statement: Mapping[str, object]
) -> Finding:
    finding = Finding(
        "rights",
        permission.action,
        tried.state,
        permission.target.value,
        used_for=permission.used_for,
    )
    match tried.state:
        case "ok":
            more = f" ({tried.detail})" if tried.detail else ""
            return replace(finding, detail=finding.detail + more)
        case "untried":
            return replace(finding, detail=f"{finding.detail}; not tried: {tried.detail}")
        case "denied":
            # One refusal says no more than that the right is missing; one of many says on what.
            on = f", denied {tried.detail}" if tried.detail.startswith("on ") else ""
            to = {"run": "the run's identity"}.get(
                permission.principal, permission.principal.replace("_", " ")
            )
            return replace(
                finding,
                detail=f"{finding.detail}{on}",
                lost=permission.lost,
                remedy=f"allow it to {to}",
                exit_code=ExitCode.FAILED if permission.is_needed else ExitCode.OK,
                statement=statement,
            )
        case "problem":
            return replace(
                finding,
                detail=f"{finding.detail}; {tried.detail}",
                lost=permission.lost,
                remedy="look at what AWS says, then try again",
                exit_code=ExitCode.FAILED if permission.is_needed else ExitCode.OK,
            )
