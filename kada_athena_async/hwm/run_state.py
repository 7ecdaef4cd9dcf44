"""State that a run leaves to the next one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from kada_athena_async.hwm.origin import Origin

# How far behind its submission an execution may become listable, beside the settling time.
OVERLAP = timedelta(hours=1)


class WorkgroupState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End of the extracted history of one workgroup, and the executions around it.

    Attributes:
        mark: The end of the last window that was extracted.
        pending: Executions submitted before *mark* that were not finished then: their ids and
            when they were submitted, or first seen if nobody may say.
        recent: Executions already accounted for that were submitted within ``OVERLAP`` before
            *mark*: their ids and when they were submitted.
        recent_since: Where *recent* begins instead, if Athena's system table was read: its rows
            come later, and nobody lists what is under way.
        since: Where the time begins that is extracted without a hole up to *mark*; None in states
            of earlier versions.
    """

    mark: datetime
    since: datetime | None = None
    pending: dict[str, datetime] = {}
    recent: dict[str, datetime] = {}
    recent_since: datetime | None = None

    @property
    def knows_since(self) -> datetime:
        """All executions submitted from here on to *mark* are known, done or under way."""
        return self.recent_since or self.mark - OVERLAP


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredState:
    """Knowledge of a store about the last run.

    Attributes:
        hwm: The high-water mark; None before the first run.
        carried: None without a state that belongs to *hwm*.
        was_edited: True if there is a state and it belongs to another mark: somebody set the mark.
        before_edit: That state, if ``was_edited``.
        manifest_sha256: The commit that moved the mark; empty if nobody knows.
        output_path: The directory of the commit that left the state; empty if nobody knows.
    """

    hwm: datetime | None = None
    carried: RunState | None = None
    was_edited: bool = False
    before_edit: RunState | None = None
    # Says who, not how far: two marks that lead to the same window are equal.
    manifest_sha256: str = field(default="", compare=False)
    output_path: str = field(default="", compare=False)

    @property
    def newest(self) -> RunState | None:
        """State of the last run that left one, whatever mark it belongs to."""
        return self.carried or self.before_edit
