"""Statements: their kind, lineage and fingerprint, and the masking of their literals.

Names no module: a worker that parses loads nothing of masking.
"""
