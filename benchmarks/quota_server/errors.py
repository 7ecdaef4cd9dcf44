"""A refusal, in the terms of the service that utters it."""

from __future__ import annotations


class ServiceError(Exception):
    """An error answer: *code* as AWS names it, with the HTTP status it is sent with."""

    def __init__(
        self, code: str, message: str, *, status: int = 400, reason: str | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.reason = reason
