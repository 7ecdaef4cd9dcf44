"""Refuses what belongs to another site or instance."""

from __future__ import annotations

from kada_athena_async.errors import StateError
from kada_athena_async.hwm import Origin

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
            hint="undo that change of the configuration; or give this one a name of its own: "
            "--name NAME (in Python: name=), and its history begins anew",
        )


def difference(own: Origin, other: Origin | None) -> str:
    """The fields of *other* that are not those of *own*, in words; empty if there are none."""
    fields = own.differs_from(other) if other is not None else ()
    return ", ".join(
        f"{_WORDS[name]} {getattr(other, name)}, not {getattr(own, name)}" for name in fields
    )
