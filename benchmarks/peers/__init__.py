"""The same extraction by other means: a script for each, run in an environment of their own."""

from __future__ import annotations
