"""Published extracts as one HTML page."""

from __future__ import annotations

from kada_athena_async.page.writing import PageReport, PageWriter

__all__ = ["PageReport", "PageWriter"]
