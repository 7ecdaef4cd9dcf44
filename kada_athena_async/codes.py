"""Exit codes, codes of warnings and states of executions: each in one place.

The help, the README's tables and the tests are made from the two enums. Values are part of the
contract: scripts compare exit codes, and the codes of warnings stand in manifests and JSON lines.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from typing_extensions import Self


class ExitCode(enum.IntEnum):
    """Exit code of a command; an error carries the code that it ends a command with.

    Attributes:
        meaning: One sentence or two, for the help and the README.
    """

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    OK = 0, "committed, or nothing to do"
    FAILED = 1, "units of work failed, or the disk did; nothing was committed"
    USAGE = 2, "the configuration or the command cannot be used; nothing was committed"
    CANNOT_START = 3, "cannot start or go on: credentials, lock, high-water mark, network"
    NOT_DELIVERED = 4, "extracted, not delivered; the next run delivers first"
    INTERRUPTED = 130, "interrupted (143 by SIGTERM); the next run goes on where it stopped"

    __str__ = int.__repr__


def common_exit_code(codes: Sequence[int]) -> int:
    """One exit code for several sites.

    0: all good. 4: all extracted, some not delivered. 3: no site could start (2 if for its
    configuration alone). 1: anything else; the good sites are committed.
    """
    found = set(codes)
    if found <= {ExitCode.OK}:
        return ExitCode.OK

    if found <= {ExitCode.OK, ExitCode.NOT_DELIVERED}:
        return ExitCode.NOT_DELIVERED

    return max(found) if found <= {ExitCode.USAGE, ExitCode.CANNOT_START} else ExitCode.FAILED


class WarningCode(str, enum.Enum):
    """Code of a warning; a warning never ends a run.

    The value is what manifests and JSON lines hold; it never changes.

    Attributes:
        meaning: What the warning means and what to do, in one sentence.
    """

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        code = str.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    GAP = (
        "gap",
        "No extract holds queries of this time: Athena has forgotten them, or a right is missing.",
    )
    WINDOW_START_ADJUSTED = (
        "clipped",
        "The window begins later than asked: what was committed before is left out.",
    )
    WINDOW_END_ADJUSTED = (
        "clamped",
        "The window ends earlier than asked: what is newer is not settled yet.",
    )
    NOTHING_TO_DO = "nothing_to_do", "The window is empty: all that is settled is extracted."
    HWM_EDITED = "mark_edited", "The high-water mark was set by hand; the run respects it."
    HWM_MOVED_BACK = (
        "twice",
        "The high-water mark was set back: what is published of that time is left out.",
    )
    HWM_LOST = (
        "mark_lost",
        "There is no high-water mark, but published manifests: the run goes on from the newest.",
    )
    ORIGIN_ADOPTED = (
        "origin_adopted",
        "A state or package of an earlier version does not say whose it is; it is taken for ours.",
    )
    ACCOUNT_UNKNOWN = (
        "account_unknown",
        "The AWS account could not be learned; only server and Region show whose a state is.",
    )
    UNMASKED = (
        "unmasked",
        "A package whose texts are not masked is not delivered while `mask` is on.",
    )
    DELIVERED_ELSEWHERE = (
        "delivered_elsewhere",
        "Packages that another landing has are not sent to this one; `push --all` sends them.",
    )
    HWM_RELOCATED = (
        "hwm_relocated",
        "The high-water mark lay among the extracts in the landing; it lies below _hwm/ now.",
    )
    REDELIVERED = "told_again", "A package was not delivered whole and is delivered once more."
    DELIVERY_COMPLETED = (
        "adopted",
        "Another machine delivered this package; the high-water mark moves to its end.",
    )
    BEING_REPLACED = (
        "being_replaced",
        "The files of this package are being replaced by those of a later run with `--reprocess`.",
    )
    SUPERSEDED = (
        "superseded",
        "Another machine delivered this time since; the undelivered package here is removed.",
    )
    CLOCK_SKEW = "clock_skew", "This machine's clock and AWS's differ: set the clock."
    RIGHT_MISSING = (
        "right_missing",
        "A right is missing; the message says what the extracts lack without it.",
    )
    SYSTEM_TABLE_UNUSED = (
        "system_table_unused",
        "Athena's system table was asked for and cannot be used; the history comes from the API.",
    )
    PRINCIPALS_MISSING = (
        "principals_missing",
        "Who ran the queries is not known, or in part only; the message says which right is "
        "missing or what failed.",
    )
    TAGS_MISSING = (
        "tags_missing",
        "Tags of Lake Formation are missing, or some of them; the message says which right is "
        "missing or what failed.",
    )
    SQL_REFUSED = "sql_refused", "SQL on a catalog is refused; its metadata comes from the API."
    STAND_IN = (
        "stand_in",
        "A source of metadata failed and another replaces it; the manifest says so.",
    )
    UNREADABLE = (
        "unreadable",
        "A part of an answer of AWS could not be read and is left out; the manifest names it.",
    )
    DESTINATION_UNREADABLE = (
        "landing_unseen",
        "The landing may not be listed, so files may be sent that are there already.",
    )
    STALE_RUN = (
        "leftover",
        "A query or directory of an interrupted run remains; the message says where.",
    )
    DISK_SPACE = "disk_space", "Little disk space is left: make some before the run fails."
    REMOTE_DISK = (
        "remote_disk",
        "A directory lies on a network file system, where locks and renames may not hold.",
    )
    READABLE_SECRET = (
        "readable_secret",
        "Other users of this machine can read a secret in the configuration file.",
    )
    TEMPORARY_KEY = (
        "temporary_key",
        "The key is a temporary one, which AWS refuses without its session token.",
    )
    ENDPOINT = "endpoint", "AWS settings of this machine send calls elsewhere than to AWS."
    UNMASKABLE = "unmaskable", "Texts that could not be masked with certainty were left out."

    FILTER_UNMATCHED = (
        "filter_unmatched",
        "A pattern of include_schemas or workgroups matches nothing that is there now.",
    )
    HOOK_FAILED = (
        "hook_failed",
        "What on_finish or on_finish_url names failed or was too slow; the run is not affected.",
    )
    OBSERVER_FAILED = (
        "observer_failed",
        "An observer of the embedding program raised an error and receives no more events.",
    )

    __str__ = str.__str__


def exit_code_lines() -> str:
    """The exit codes as lines of the help: code and meaning."""
    return "\n".join(f"  {code.value:<4} {code.meaning}" for code in ExitCode)


# QueryExecutionStatus, Athena API reference.
FINAL_STATES = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
OPEN_STATES = frozenset({"QUEUED", "RUNNING"})


def is_finished(state: str, completed_at: object | None) -> bool:
    """True in a state that no other follows; in one that is not documented, if there is an end."""
    return state in FINAL_STATES or (state not in OPEN_STATES and completed_at is not None)
