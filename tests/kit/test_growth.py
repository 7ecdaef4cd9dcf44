"""The measure of growth: it tells a quadratic pattern from a linear one."""

from __future__ import annotations

import re

from tests.kit.growth import MAX_GROWTH, cpu_growth


def test_a_quadratic_pattern_is_seen() -> None:
    """A run is searched again from each of its characters."""
    search = re.compile(r"a+b").findall
    assert cpu_growth(search, lambda size: "a" * size, 8_192, least_ms=0.1) > MAX_GROWTH


def test_a_linear_pattern_passes() -> None:
    """A run is searched once."""
    assert cpu_growth(re.compile(r"a+").findall, lambda size: "ab" * size, 131_072) < MAX_GROWTH
