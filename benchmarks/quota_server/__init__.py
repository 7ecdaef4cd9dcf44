"""A stand-in for Athena, Glue, S3 and STS, faithful to their rates, page sizes and latencies.

It runs as a process of its own (``python -m benchmarks.quota_server``), invents an estate from a
few numbers and computes every answer on the fly, so that ten million columns cost no memory. It
checks no credentials and interprets only the statements that a metadata extraction needs: the
sandbox of the package is the place for semantics, this is the place for time.
"""

from __future__ import annotations
