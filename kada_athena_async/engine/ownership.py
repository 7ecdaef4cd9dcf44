"""Refuses what belongs to another site or instance."""

from __future__ import annotations

from kada_athena_async.errors import StateError
from kada_athena_async.hwm import DeliveryIntent, Origin
from kada_athena_async.sinks import RunIntent
from kada_athena_async.version import __version__

_WORDS = {"server": "server", "region": "Region", "account_id": "account", "instance": "instance"}


def check_owner(own: Origin, other: Origin | None, what: str) -> None:
    """Refuse *what* if *other*, whose it is, is not *own*; unknown parts are not compared.

    Args:
        other: None if nothing says whose it is.

    Raises:
        StateError: They differ; the sentence names how.
    """
    if problem := difference(own, other):
        raise StateError(
            f"{what} belongs to {problem}",
            hint="undo that change of the configuration; or give this one a name of its own "
            "with `name=...`, and its history begins anew",
        )


def difference(own: Origin, other: Origin | None) -> str:
    """The fields of *other* that are not those of *own*, in words; empty if there are none."""
    fields = own.differs_from(other) if other is not None else ()
    return ", ".join(
        f"{_WORDS[name]} {getattr(other, name)}, not {getattr(own, name)}" for name in fields
    )


def why_not_continued(intent: RunIntent, own: Origin, statements_digest: str) -> str:
    """Reason why this run must not continue an interrupted one; empty if it may.

    Args:
        statements_digest: Of the statements that are overwritten now.
    """
    if problem := difference(own, intent.origin):
        return f"it belongs to {problem}"

    if intent.version and intent.version != __version__:
        return f"version {intent.version} began it, this is {__version__}"

    if intent.version and intent.statements_digest != statements_digest:
        return "its statements were others"

    return ""


def may_continue(intent: RunIntent, unfinished: DeliveryIntent | None) -> bool:
    """False where another window has to go first, and this one would overlap it."""
    if unfinished is None:
        return True

    return (intent.start, intent.end) == (unfinished.start, unfinished.end)
