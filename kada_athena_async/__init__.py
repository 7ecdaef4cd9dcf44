"""Async extractor of AWS Athena metadata and query history."""
