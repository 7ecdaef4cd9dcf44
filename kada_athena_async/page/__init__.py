"""A run's extracts as one HTML page for people who would rather look."""

from __future__ import annotations

from kada_athena_async.page.writing import PageReport, write_page

__all__ = ["PageReport", "write_page"]
