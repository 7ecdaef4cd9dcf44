"""Latency of each answer: seeded draws from lognormal distributions."""

from __future__ import annotations

import math
import random

from benchmarks.quota_server.settings import DEFAULT_LATENCY, LATENCIES, Latency

Z99 = 2.3263478740408408
"""The standard normal distribution's 99th percentile."""


def lognormal_parameters(latency: Latency) -> tuple[float, float]:
    """mu and sigma (of milliseconds) of the lognormal with these percentiles."""
    return math.log(latency.p50_ms), math.log(latency.p99_ms / latency.p50_ms) / Z99


def mean_ms(latency: Latency) -> float:
    """The distribution's mean; what a chain of serial calls costs per call."""
    mu, sigma = lognormal_parameters(latency)
    return math.exp(mu + sigma * sigma / 2)


class Latencies:
    """A source of delays; each operation has its own row of draws, the same for the same seed."""

    def __init__(self, seed: int, scale: float) -> None:
        self._seed = seed
        self._scale = scale
        self._draws: dict[str, tuple[random.Random, float, float]] = {}

    def draw_s(self, name: str, latency: Latency | None = None) -> float:
        """The next delay of *name*, in seconds."""
        if name not in self._draws:
            shape = latency or LATENCIES.get(name, DEFAULT_LATENCY)
            self._draws[name] = (
                random.Random(f"{self._seed}:{name}"),
                *lognormal_parameters(shape),
            )

        rng, mu, sigma = self._draws[name]
        return rng.lognormvariate(mu, sigma) / 1000.0 * self._scale
