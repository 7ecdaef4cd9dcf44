"""Events of the engine: frozen values, sent to observers.

The engine neither prints nor logs; a door (command line, service, Airflow) passes observers and
shows what it likes. Times are UTC; durations end in ``_s``.

One run: ``RunStarted``, its stages and units, ``RunFinished``; an interrupted run that is finished
first emits a ``RunStarted`` of its own and no end. Several sites: ``SitesStarted``; for each site
``SiteStarted``, all events of its run as ``SiteEvent(site, event)``, ``SiteFinished``; and at the
end ``SitesFinished``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from kada_athena_async.codes import WarningCode


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run has its window and its lock."""

    run_id: str
    name: str
    start: datetime
    end: datetime
    output_path: str
    endpoint_url: str | None
    is_resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted:
    """A stage began: ``recover``, ``discover``, ``extract``, ``commit`` or ``deliver``."""

    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFinished:
    """A stage ended well."""

    stage: str
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReady:
    """The plan of the run is made.

    Attributes:
        units: Unit ids in plan order.
        catalogs, schemas, workgroups: How many of each the plan covers.
    """

    units: tuple[str, ...]
    catalogs: int
    schemas: int
    workgroups: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStarted:
    """A unit of work began."""

    unit_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitProgress:
    """A unit wrote rows; ``rows`` are those of this batch."""

    unit_id: str
    kind: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAdvanced:
    """Progress of a unit whose rows alone do not show it.

    Attributes:
        share: Of its work, from 0 to 1: the part of the time that a history unit has listed, or
            of the texts that were read for lineage. An estimate that may fall; only the end of the
            unit is certain.
    """

    unit_id: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFinished:
    """A unit ended.

    Attributes:
        outcome: ``done``, ``skipped``, ``failed`` or ``resumed`` (done by an interrupted run).
        reason: Why it was skipped or failed; empty otherwise.
    """

    unit_id: str
    outcome: str
    rows: int
    duration_s: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryStarted:
    """Athena accepted one of our statements.

    Attributes:
        limit: Statements that we let run at once now; falls when Athena refuses more.
    """

    unit_id: str
    query_execution_id: str
    workgroup: str
    limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryFinished:
    """One of our statements reached a final state."""

    query_execution_id: str
    state: str
    duration_s: float
    scanned_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """AWS refused a call because of its rate; pacing slows down.

    Attributes:
        rate: Calls per second that we allow ourselves from now on.
    """

    operation: str
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFinished:
    """A request to AWS got its answer; only for observers whose ``takes_calls`` is True.

    Attributes:
        error: Kind of the error, such as ``ThrottledError``; empty if there was none.
    """

    operation: str
    duration_s: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRates:
    """Calls to AWS and the allowed rates; once a second at most, while the run calls.

    Attributes:
        calls: Operation -> requests sent since the connection was opened.
        allowed: Operation -> calls per second that pacing allows now; S3 is not paced.
    """

    calls: dict[str, int]
    allowed: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled:
    """A call failed in a way that passes and will be tried again."""

    operation: str
    attempt: int
    wait_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something the user should know that does not stop the run.

    Attributes:
        code: Equal to its text, such as ``gap`` or ``clock_skew``; ``code.meaning`` explains it.
    """

    code: WarningCode
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCommitted:
    """A file is durable and published."""

    name: str
    kind: str
    rows: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStarted:
    """Committed packages are on their way to the landing.

    Attributes:
        place: The landing's URL, without secrets.
        manifests: Names of the packages' manifests, oldest first.
    """

    place: str
    manifests: tuple[str, ...]
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDelivered:
    """The landing confirmed a file.

    Attributes:
        was_there: True if an earlier attempt had brought it there.
    """

    name: str
    size_bytes: int
    duration_s: float
    was_there: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFinished:
    """All that was on its way lies in the landing; figures are of this delivery."""

    place: str
    sent: int
    skipped: int
    sent_bytes: int
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomplete:
    """Scopes that are not complete for the same reason, added up; no event of its own.

    Attributes:
        scope: ``catalog``, ``schema`` or ``workgroup``.
        within: The catalog of the schemas; else empty.
        outcome: ``partial``, ``skipped`` or ``denied``.
        names: The first of them.
    """

    scope: str
    within: str
    outcome: str
    reason: str
    count: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The run is over.

    Attributes:
        committed: True if the manifest is published.
        exit_code: What the command line will return.
        calls: Requests per operation, such as ``{"athena:ListQueryExecutions": 14}``.
        incomplete: What the extracts lack, the most first.
    """

    run_id: str
    committed: bool
    exit_code: int
    duration_s: float
    rows: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    incomplete: tuple[Incomplete, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SitesStarted:
    """A run of several sites began; the first event of all.

    Attributes:
        sites: Their names, in the order of the configuration.
        at_once: How many are run side by side; the others wait their turn.
    """

    sites: tuple[str, ...]
    at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStarted:
    """The run of a site began; its events come as ``SiteEvent`` from now on.

    Attributes:
        name: Of its instance, which begins its files' names, such as ``athena-prod_au``.
    """

    site: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEvent:
    """An event of one site, as its run alone would emit it.

    Events of sites that run side by side come interleaved, those of one site in order, between
    its ``SiteStarted`` and its ``SiteFinished``. A ``SiteEvent`` never holds another one.
    """

    site: str
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SitesWaiting:
    """Sites at work of which nothing was heard for a while; comes again while that lasts.

    Attributes:
        silent_s: Site -> seconds since its last event, the longest first.
    """

    silent_s: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFinished:
    """The run of a site ended, with whatever outcome; the others go on.

    Attributes:
        exit_code: What the command line would return for this site alone.
        committed: True if its manifest is published; a run with nothing to do commits nothing.
        reason: Why it could not be extracted or delivered; empty if its exit code is 0.
        hint: What to try next; may be empty.
    """

    site: str
    exit_code: int
    committed: bool
    duration_s: float
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SitesFinished:
    """The runs of all sites ended; the last event of all.

    Attributes:
        exit_code: What the command line will return.
        good, failed: Names of the sites, in the order of the configuration.
    """

    exit_code: int
    good: tuple[str, ...]
    failed: tuple[str, ...]
    duration_s: float


Event: TypeAlias = (
    RunStarted
    | StageStarted
    | StageFinished
    | PlanReady
    | UnitStarted
    | UnitProgress
    | UnitAdvanced
    | UnitFinished
    | QueryStarted
    | QueryFinished
    | Throttled
    | CallFinished
    | CallRates
    | RetryScheduled
    | Warned
    | FileCommitted
    | DeliveryStarted
    | FileDelivered
    | DeliveryFinished
    | RunFinished
    | SitesStarted
    | SiteStarted
    | SiteEvent
    | SitesWaiting
    | SiteFinished
    | SitesFinished
)

Observer: TypeAlias = Callable[[Event], None]
"""Is called in the event loop for each event, in order; returns at once. See ``fanout``."""
