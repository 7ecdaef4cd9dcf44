"""The sandbox: a local AWS with an invented estate behind one loopback address."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Literal

from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.sandbox.athena.site import Site
from kada_athena_async.sandbox.behaviour import Behaviour
from kada_athena_async.sandbox.buckets import Buckets
from kada_athena_async.sandbox.control import Control
from kada_athena_async.sandbox.estate.build import build_estate
from kada_athena_async.sandbox.estate.model import Estate, Execution
from kada_athena_async.sandbox.faults import Faults
from kada_athena_async.sandbox.front import Front, LoggedCall
from kada_athena_async.sandbox.identity import Directory, Key, Role
from kada_athena_async.sandbox.policy import ADMIN, Policy, collector_policy
from kada_athena_async.sandbox.server import Broken, Server
from kada_athena_async.sandbox.wire import Json, Reply, Request

PolicyChoice = Literal["admin", "seed"] | Mapping[str, object]

ROLE_NAME = "KadaAthenaRole"
USER_NAME = "kada-collector"
ACCOUNT_ID = "123456789012"
REGION = "ap-southeast-2"
RESULTS_PREFIX = "athena-results"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteHandle:
    """Facts that a collector must know of one account and region."""

    account_id: str
    region: str
    role_arn: str
    results_bucket: str
    estate: Estate


class Sandbox:
    """A local AWS; use it as a context manager.

    After entering, boto3 or the extractor may call `endpoint_url` with the keys given here. After
    leaving, no socket is open and no thread of it lives. moto's state belongs to the process, so
    only one sandbox at a time can run in one.

    Args:
        estate: What it serves; invented from `seed` and `scale` where None.
        policy: What the collector and its role may do: ``admin``, all; ``seed``, what the vendor's
            documentation grants; or a policy document.
        port: 0 takes a free one.
        now: The clock of everything that AWS dates; the system's where None.
        behaviour: Knobs that may also be turned while it runs.
    """

    def __init__(
        self,
        estate: Estate | None = None,
        *,
        seed: int = 7,
        scale: float = 1.0,
        policy: PolicyChoice = "admin",
        port: int = 0,
        now: Callable[[], datetime] | None = None,
        behaviour: Behaviour | None = None,
    ) -> None:
        self._now = now or _utc_now
        self._port = port
        self._policy = policy
        self.behaviour = behaviour or Behaviour()
        self.faults = Faults(seed=seed)
        self._estate = estate or build_estate(
            seed=seed,
            scale=scale,
            now=self._now(),
            account_id=ACCOUNT_ID,
            region=REGION,
            results_bucket=_bucket_name(ACCOUNT_ID, REGION),
        )
        self.account_id = self._estate.account_id
        self.region = self._estate.region
        self.directory = Directory(now=self._now)
        self._sites: dict[tuple[str, str], Site] = {}
        self._guard = threading.Lock()
        self._server: Server | None = None
        self._stop_asked = threading.Event()

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Takes the port and begins to answer.

        Raises:
            ConfigError: The port is taken, or the policy cannot be evaluated.
        """
        self._buckets = Buckets()
        self._front = Front(
            directory=self.directory,
            buckets=self._buckets,
            faults=self.faults,
            behaviour=self.behaviour,
            site=self._site,
            now=self._now,
        )
        policy = Policy.parse(self._policy_document(self.account_id))
        may_assume = Policy.parse(
            {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}
        )
        self.admin = self.directory.add_user(self.account_id, "admin", Policy.parse(ADMIN))
        self.collector = self.directory.add_user(
            self.account_id, USER_NAME, policy.joined(may_assume)
        )
        handle = self._add_site(self._estate, self.account_id, self.region, policy)
        self.role_arn = handle.role_arn
        self.results_bucket = handle.results_bucket
        self._server = self._listen()
        self._server.start()

    def stop(self) -> None:
        """Returns when nothing of it runs any more."""
        if self._server is None:
            return

        self._front.stopping.set()
        self._server.stop()
        self._server = None
        for site in self._sites.values():
            site.close()

        self._buckets.close()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Blocks until somebody asks over HTTP for the stop; True if so, False at the timeout."""
        return self._stop_asked.wait(timeout_s)

    @property
    def endpoint_url(self) -> str:
        port = self._server.port if self._server is not None else self._port
        return f"http://127.0.0.1:{port}"

    @property
    def access_key_id(self) -> str:
        """The collector's; `admin` has the one that may do everything."""
        return self.collector.access_key_id

    @property
    def secret_access_key(self) -> str:
        return self.collector.secret

    @property
    def estate(self) -> Estate:
        """The truth, every query in the state that it has by now."""
        site = self._sites.get((self.account_id, self.region))
        if site is not None:
            site.queries.advance()

        return self._estate

    @property
    def calls(self) -> Counter[str]:
        """Calls so far, by operation such as ``athena:ListQueryExecutions``."""
        return self._front.calls

    @property
    def log(self) -> Sequence[LoggedCall]:
        """The last calls, oldest first."""
        return list(self._front.log)

    def config(self, output_path: Path | str, **overrides: object) -> dict[str, object]:
        """A collector's configuration for the estate, ready to be written as its JSON file."""
        return {
            "key": self.access_key_id,
            "secret": self.secret_access_key,
            "server": "athena.sandbox",
            "bucket": f"s3://{self.results_bucket}/{RESULTS_PREFIX}",
            "catalogs": ["AwsDataCatalog"],
            "region": self.region,
            "role": "",
            "output_path": str(output_path),
            "mask": True,
            "compress": True,
            "endpoint_url": self.endpoint_url,
            **overrides,
        }

    def describe(self) -> Json:
        """Services and the way to reach them; plain JSON, with the invented secrets."""
        estate = self.estate
        tables = [table for _, _, table in estate.tables()]
        return {
            "endpoint_url": self.endpoint_url,
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
            "admin_access_key_id": self.admin.access_key_id,
            "admin_secret_access_key": self.admin.secret,
            "region": self.region,
            "account_id": self.account_id,
            "role_arn": self.role_arn,
            "results_bucket": self.results_bucket,
            "policy": self._policy if isinstance(self._policy, str) else "own",
            "catalogs": len(estate.catalogs),
            "schemas": sum(len(catalog.schemas) for catalog in estate.catalogs.values()),
            "tables": sum(not table.is_view for table in tables),
            "views": sum(table.is_view for table in tables),
            "columns": sum(len(table.current_columns) for table in tables),
            "workgroups": len(estate.workgroups),
            "executions": len(estate.executions),
        }

    def add_account(
        self, account_id: str, region: str, estate: Estate, *, policy: PolicyChoice | None = None
    ) -> SiteHandle:
        """Another site: its own estate, bucket and a KadaAthenaRole that the collector may assume.

        A second region of a known account shares the account's role and its rights.
        """
        document = self._policy_document(account_id, policy)
        return self._add_site(estate, account_id, region, Policy.parse(document))

    def add_role(
        self,
        name: str,
        *,
        policy: PolicyChoice = "admin",
        trusted: Sequence[str] = (),
        external_id: str | None = None,
        max_session_s: int = 43_200,
        account_id: str | None = None,
    ) -> str:
        """A role to assume; its ARN.

        Args:
            trusted: ARNs that may assume it; all of the sandbox's own account where empty.
        """
        account_id = account_id or self.account_id
        arn = f"arn:aws:iam::{account_id}:role/{name}"
        document = self._policy_document(account_id, policy)
        root = f"arn:aws:iam::{self.account_id}:root"
        self.directory.add_role(
            Role(
                arn=arn,
                policy=Policy.parse(document),
                trusted=tuple(trusted) or (root,),
                external_id=external_id,
                max_session_s=max_session_s,
            )
        )
        return arn

    def add_user(self, name: str, *, policy: PolicyChoice = "admin") -> Key:
        """A user with a key of its own."""
        document = self._policy_document(self.account_id, policy)
        return self.directory.add_user(self.account_id, name, Policy.parse(document))

    def create_bucket(self, name: str) -> None:
        """An empty bucket in the sandbox's account and region."""
        self._buckets.create(self.account_id, self.region, name)

    def expire_sessions(self) -> int:
        """Ends every session of an assumed role now; how many there were."""
        return self.directory.expire_sessions()

    def submit(self, execution: Execution) -> None:
        """Puts an execution into the history, as if another tool had submitted it."""
        site = self._site(self.account_id, self.region)
        with site.guard:
            site.history.add(execution)

    def finish(
        self, query_execution_id: str, *, state: str = "SUCCEEDED", **changes: object
    ) -> Execution:
        """Ends an execution, or changes any of its fields; completed now unless told otherwise."""
        site = self._site(self.account_id, self.region)
        execution = site.estate.executions[query_execution_id]
        known = {member.name for member in fields(Execution)}
        if unknown := set(changes) - known:
            raise TypeError(f"an execution has no {sorted(unknown)}")

        with site.guard:
            execution.state = state
            if execution.is_final and execution.completed_at is None:
                execution.completed_at = self._now()

            for name, value in changes.items():
                setattr(execution, name, value)

        return execution

    def now(self) -> datetime:
        """The sandbox's clock."""
        return self._now()

    def _listen(self) -> Server:
        try:
            return Server(self._port, self._router(Control(self, self._stop_asked)))
        except OSError as error:
            problem = Problem("port", str(self._port), f"choose another one: {error}")
            raise ConfigError([problem], source="sandbox") from error

    def _router(self, control: Control) -> Callable[[Request], Reply | Broken]:
        def answer(request: Request) -> Reply | Broken:
            own = control.answer(request)
            return own if own is not None else self._front.answer(request)

        return answer

    def _add_site(self, estate: Estate, account_id: str, region: str, policy: Policy) -> SiteHandle:
        bucket = _bucket_name(account_id, region)
        role_arn = f"arn:aws:iam::{account_id}:role/{ROLE_NAME}"
        self._buckets.create(account_id, region, bucket)
        root = f"arn:aws:iam::{self.account_id}:root"
        if all(known != account_id for known, _ in self._sites):
            self.directory.add_role(Role(arn=role_arn, policy=policy, trusted=(root,)))

        with self._guard:
            self._sites[account_id, region] = self._new_site(estate)

        return SiteHandle(
            account_id=account_id,
            region=region,
            role_arn=role_arn,
            results_bucket=bucket,
            estate=estate,
        )

    def _site(self, account_id: str, region: str) -> Site:
        """The site; one that nobody added is an empty one, as a fresh region is in AWS."""
        with self._guard:
            site = self._sites.get((account_id, region))
            if site is None:
                site = self._new_site(Estate(account_id=account_id, region=region))
                self._sites[account_id, region] = site

        return site

    def _new_site(self, estate: Estate) -> Site:
        return Site(estate, self._buckets, self.behaviour, self.faults, now=self._now)

    def _policy_document(
        self, account_id: str, policy: PolicyChoice | None = None
    ) -> Mapping[str, object]:
        choice = policy if policy is not None else self._policy
        if isinstance(choice, str):
            # One role serves every region of an account, so it may use each region's bucket.
            any_region = _bucket_name(account_id, "*")
            return ADMIN if choice == "admin" else collector_policy(any_region)

        return choice


def _bucket_name(account_id: str, region: str) -> str:
    return f"kada-athena-results-{account_id}-{region}"


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)
