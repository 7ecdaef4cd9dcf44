"""Published runs for other catalogues and tools: ``await export("openlineage", ...)``.

Offline: the extracts are read, AWS is not asked. ``export.sending`` posts OpenLineage's events.
"""

from __future__ import annotations

from kada_athena_async.export.exporting import TARGETS, ExportReport, export

__all__ = ["TARGETS", "ExportReport", "export"]
