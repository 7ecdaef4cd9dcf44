"""Measurements of the engine against its peers and against the bounds that AWS's quotas set."""

from __future__ import annotations
