"""Cost of a run: calls, time at AWS's quotas, rough dollars. Arithmetic, no I/O."""
