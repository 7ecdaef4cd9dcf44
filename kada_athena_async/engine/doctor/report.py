"""Findings of an examination. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from typing import Literal, TypeAlias

from kada_athena_async.codes import ExitCode
from kada_athena_async.errors import AccessDeniedError, NotFoundError, RequestError, UnitError

State: TypeAlias = Literal["ok", "denied", "problem", "untried"]
"""``untried``: it cannot be tried without harm, or what it needs is not there."""

Area: TypeAlias = Literal[
    "identity",
    "rights",
    "workgroup",
    "catalogs",
    "statement",
    "clock",
    "disk",
    "landing",
    "mark",
    "versions",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: Such as ``athena:ListWorkGroups`` or ``output_path``.
        detail: What was found.
        used_for: What a run does with it.
        lost: What a run is without it; empty if it is there.
        remedy: What to do about it.
        exit_code: 0 if a run can do without; else 1 something is missing, 2 the configuration
            names what does not exist, 3 AWS does not accept who we are.
        statement: The policy statement that grants a right that is denied.
    """

    area: Area
    subject: str
    state: State
    detail: str = ""
    _: KW_ONLY
    used_for: str = ""
    lost: str = ""
    remedy: str = ""
    exit_code: int = ExitCode.OK
    statement: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorReport:
    """Findings of an examination, in its order.

    Attributes:
        identity: ARN of who we are; empty where AWS does not say.
    """

    name: str
    region: str
    identity: str = ""
    account: str = ""
    endpoint_url: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 if all that is needed is there; else that of the gravest finding."""
        return max((finding.exit_code for finding in self.findings), default=ExitCode.OK)

    @property
    def reason(self) -> str:
        """The first of the findings that a run cannot do without; empty if there is none."""
        grave = [finding for finding in self.findings if finding.exit_code]
        if not grave:
            return ""

        rest = f" (and {len(grave) - 1} more)" if len(grave) > 1 else ""
        return f"{grave[0].subject}: {grave[0].detail}{rest}"

    @property
    def counts(self) -> dict[str, int]:
        """State -> how many findings."""
        states: Sequence[State] = ("ok", "denied", "problem", "untried")
        return {s: sum(finding.state == s for finding in self.findings) for s in states}

    @property
    def policy(self) -> Mapping[str, object] | None:
        """The policy that grants what is denied; None if nothing is."""
        missing = [f.statement for f in self.findings if f.statement is not None]
        return {"Version": "2012-10-17", "Statement": missing} if missing else None

    def to_dict(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return {**asdict(self), "exit_code": self.exit_code, "counts": self.counts}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of trying one right.

    Attributes:
        refusal: What the service said against the request as such, the right being there.
    """

    state: State
    detail: str = ""
    refusal: str = ""


GRANTED = CheckResult("ok")

NAMES_SHOWN = 5


def untried(why: str) -> CheckResult:
    """A right that cannot be tried."""
    return CheckResult("untried", why)


def together(tried: Mapping[str, CheckResult]) -> CheckResult:
    """One state for many things: denied if it is on one of them, granted if it is on one."""
    denied = [name for name, one in tried.items() if one.state == "denied"]
    broken = [f"{name}: {one.detail}" for name, one in tried.items() if one.state == "problem"]
    if denied:
        more = len(denied) - NAMES_SHOWN
        shown = ", ".join(denied[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
        of = "" if len(denied) == len(tried) else f" ({len(denied)} of {len(tried)})"
        return CheckResult("denied", f"on {shown}{of}")

    if broken:
        return CheckResult("problem", "; ".join(broken[:NAMES_SHOWN]))

    granted = [name for name, one in tried.items() if one.state == "ok"]
    if not granted:
        return next(iter(tried.values()), untried("there is nothing to try it on"))

    left = len(tried) - len(granted)
    return CheckResult("ok", f"tried on {len(granted)} of {len(tried)}" if left else "")


async def outcome(call: Awaitable[object]) -> CheckResult:
    """The result of *call* for its right: any answer but a denial means that it is allowed.

    IAM is asked before the service looks at the request, so a service that finds nothing, or
    refuses the request as such, has granted the right.

    Raises:
        CredentialsError: AWS does not accept us.
    """
    try:
        await call
    except AccessDeniedError as exc:
        return CheckResult("denied", exc.message)
    except (NotFoundError, RequestError) as exc:
        return CheckResult("ok", refusal=exc.message)
    except UnitError as exc:
        return CheckResult("problem", exc.message)

    return GRANTED
