"""An authenticated call: its caller, its place, its parameters, and the faults that strike it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kada_athena_async.sandbox.faults import Fault, FaultKind
from kada_athena_async.sandbox.identity import Key
from kada_athena_async.sandbox.pages import Item, PageRule, page
from kada_athena_async.sandbox.wire import AwsError, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an AWS operation.

    Attributes:
        service, name: Such as ``athena`` and ``ListQueryExecutions``.
        parameters: The JSON body of the call.
        facts: What the call is about: workgroup, catalog, schema, table, bucket, key ...
        faults: Those that strike it.
    """

    service: str
    name: str
    key: Key
    account_id: str
    region: str
    parameters: Json
    facts: Mapping[str, str]
    faults: tuple[Fault, ...] = ()
    user_agent: str = ""

    @property
    def operation(self) -> str:
        return f"{self.service}:{self.name}"

    def fault(self, kind: FaultKind) -> Fault | None:
        """The first fault of that kind that strikes this call."""
        return next((fault for fault in self.faults if fault.kind == kind), None)

    @property
    def most_items(self) -> int | None:
        """The cut that a fault makes to this call's page."""
        fault = self.fault("short_page")
        return None if fault is None else fault.size

    def page(
        self, items: Sequence[Item], *, scope: str, rule: PageRule
    ) -> tuple[Sequence[Item], str | None]:
        """The page of *items* that this call asks for, and the token of the next one."""
        return page(items, self.parameters, scope=scope, rule=rule, at_most=self.most_items)

    def may(self, action: str, resource: str) -> bool:
        return self.key.principal.may(action, resource, region=self.region)

    def require(self, action: str, resource: str) -> None:
        """Returns if the caller may do *action* on *resource*.

        Raises:
            AwsError: AccessDeniedException in Athena's words.
        """
        if not self.may(action, resource):
            raise AwsError(
                "AccessDeniedException",
                f"You are not authorized to perform: {action} on the resource. After your AWS "
                "administrator or you have updated your permissions, please try again. "
                f"({resource})",
            )

    def arn(self, service: str, rest: str) -> str:
        """The ARN of something in the site of this call."""
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{rest}"
