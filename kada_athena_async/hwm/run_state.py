"""State that a run leaves to the next one."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

STATE_VERSION = 2

# How far behind its submission an execution may become listable, beside the settling time.
OVERLAP = timedelta(hours=1)


UNRESOLVED_LIFE = timedelta(days=3)
"""An execution without an event is asked for again in later runs until it is this old (contract,
issue of attribute_users): CloudTrail delivers within minutes, and very late within a day."""


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names one instance of the collector at one site.

    Attributes:
        server: The host onboarded in K, the first column of every extract.
        region: The AWS Region.
        account_id: The twelve digits of the AWS account; empty where it could not be learned.
        instance: Name of the collector's instance, the first part of its file names.
    """

    server: str
    region: str
    account_id: str = ""
    instance: str


class WorkgroupState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End of the extracted history of one workgroup, and the executions around it.

    Attributes:
        hwm: The end of the last window that was extracted.
        pending: Executions submitted before *hwm* that were not finished then: their ids and
            when they were submitted, or first seen if that is unknown.
        recent: Executions already accounted for that were submitted within ``OVERLAP`` before
            *hwm*: their ids and when they were submitted.
        recent_since: Where *recent* begins instead, if Athena's system table was read: its rows
            come later, and what is under way is not listed.
        since: Where the time begins that is extracted without a hole up to *hwm*; None in states
            of earlier versions.
    """

    hwm: datetime = msgspec.field(name="mark")
    since: datetime | None = None
    pending: dict[str, datetime] = {}
    recent: dict[str, datetime] = {}
    recent_since: datetime | None = None

    @property
    def knows_since(self) -> datetime:
        """All executions submitted from here on to *hwm* are known, done or under way."""
        return self.recent_since or self.hwm - OVERLAP


class RunState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """State that one run leaves to the next, so that nothing is lost or published twice.

    Attributes:
        hwm: The high-water mark it belongs to: the end of the window that it closes.
        workgroups: By name. A workgroup that could not be read lags behind with its own mark.
        origin: Whose it is; None in states of earlier versions.
        unresolved: Executions already extracted whose principal is not known yet: their ids and
            when they were submitted.
    """

    hwm: datetime
    origin: Origin | None = None
    workgroups: dict[str, WorkgroupState] = {}
    unresolved: dict[str, datetime] = {}


class HeldPrincipals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Principals of a package that is extracted again.

    Attributes:
        late: Executions of earlier windows whose principal it holds: id -> time of the event.
        owed: Executions of its own whose principal later packages hold, or will hold.
        since: Time of its oldest event; None if no package is replaced.
    """

    late: dict[str, datetime] = {}
    owed: tuple[str, ...] = ()
    since: datetime | None = None

    def __or__(self, other: HeldPrincipals) -> HeldPrincipals:
        since = [held.since for held in (self, other) if held.since is not None]
        return HeldPrincipals(
            late=self.late | other.late,
            owed=tuple(sorted({*self.owed, *other.owed})),
            since=min(since, default=None),
        )


class StoredState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of the state file beside the high-water mark.

    Attributes:
        run_id, manifest_sha256: The commit that wrote it.
        output_path: The directory of that commit, if the HWM is a file; empty in states of earlier
            versions.
        state: Its ``hwm`` names the HWM that it belongs to; if another one is stored, somebody set
            that by hand.
    """

    schema_version: int = STATE_VERSION
    run_id: str
    manifest_sha256: str
    output_path: str = ""
    state: RunState = msgspec.field(name="carried")
