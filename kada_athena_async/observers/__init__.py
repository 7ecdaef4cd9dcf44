"""Display of a run: observers of the engine's events, and text made fit to be shown."""

from __future__ import annotations

QUIET, NORMAL, VERBOSE = -1, 0, 1
"""Verbosity of what people read: only what goes wrong, a run's progress, each unit and query."""
