"""The site and instance that a state, a run or a package belongs to."""

from __future__ import annotations

import msgspec


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

    def differs_from(self, other: Origin) -> tuple[str, ...]:
        """The fields that are known on both sides and differ, in the order of a sentence."""
        return tuple(
            name
            for name in self.__struct_fields__
            if getattr(self, name) != getattr(other, name)
            and getattr(self, name)
            and getattr(other, name)
        )
