"""The button on a task's page that opens its landing."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import BaseOperatorLink


class LandingLink(BaseOperatorLink):
    """Link to the landing in the console of S3; Airflow keeps it in XCom."""

    @property
    def name(self) -> str:
        """The text of the button."""
        return "Landing"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The page; empty before the task ran, and where there is no landing on S3."""
        return str(getattr(operator, "landing_url", ""))
