"""Result of a delivery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """Result of a delivery.

    Attributes:
        manifests: Names of the manifests that are now delivered, oldest first; not those that
            were known to be delivered before.
        sent, skipped: Files sent, and files found there already.
        removed: Names of delivered files that were removed here for their age.
    """

    place: str
    manifests: tuple[str, ...] = ()
    sent: int = 0
    skipped: int = 0
    sent_bytes: int = 0
    removed: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return {
            **asdict(self),
            "manifests": list(self.manifests),
            "removed": list(self.removed),
        }


def joined(reports: Iterable[DeliveryReport | None], *, place: str) -> DeliveryReport:
    """Several deliveries to one landing as one."""
    found = [report for report in reports if report is not None]
    return DeliveryReport(
        place=place,
        manifests=tuple(name for report in found for name in report.manifests),
        sent=sum(report.sent for report in found),
        skipped=sum(report.skipped for report in found),
        sent_bytes=sum(report.sent_bytes for report in found),
        removed=tuple(name for report in found for name in report.removed),
    )
