"""An extractor inside a web service: start a run, watch it, cancel it, read what came of it.

    pip install 'kada-athena-async[service]'
    python -m kada_athena_async.examples.service --config kada_athena_extractor_config.json

    POST   /runs               start; 202 with the run's address, 409 while another one is going on
    GET    /runs/{id}          state, and the report when it is over; 404 for what is not known
    GET    /runs/{id}/events   progress as server-sent events, from the first one that is still kept
    DELETE /runs/{id}          cancel; what is finished is kept for the next run

It has no authentication of its own and binds to loopback: put it behind whatever knows your users.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import anyio
import typer
from anyio.abc import TaskGroup

from kada_athena_async.config import Config, known_secrets, load_config
from kada_athena_async.engine import Extractor
from kada_athena_async.errors import KadaAthenaError
from kada_athena_async.observers.jsonlines import JsonLines
from kada_athena_async.redact import Redactor
from kada_athena_async.report import RunReport

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response, StreamingResponse
    from starlette.routing import Route
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"the service needs {missing.name}: pip install 'kada-athena-async[service]'",
        name=missing.name,
    ) from None

KEPT_EVENTS = 1_000
"""A client that is further behind misses some; it never slows a run down."""

KEPT_RUNS = 20

KEEP_ALIVE_S = 15.0
"""Proxies close connections on which nothing is said."""

GRACE_S = 5
"""Time that a shutdown waits for requests before it cancels what is still going on."""


@dataclass(slots=True)
class Job:
    """One run of the service.

    Attributes:
        events: Number and JSON text of the last ones.
        news: Set, and replaced, with each event and at the end.
    """

    id: str = field(default_factory=lambda: uuid4().hex)
    state: str = "running"
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    events: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    count: int = 0
    news: anyio.Event = field(default_factory=anyio.Event)
    report: RunReport | None = None
    error: dict[str, object] | None = None

    def note(self, text: str) -> None:
        """Keep the JSON text of an event and wake those who watch."""
        self.count += 1
        self.events.append((self.count, text))
        self._wake()

    def end(self, state: str) -> None:
        """Set the final state and wake those who watch."""
        self.state = state
        self._wake()

    def _wake(self) -> None:
        self.news.set()
        self.news = anyio.Event()

    def to_dict(self) -> dict[str, object]:
        """The job as plain JSON values."""
        report = self.report.to_dict() if self.report else None
        return {"id": self.id, "state": self.state, "report": report, "error": self.error}


class Service:
    """Runs one extraction at a time and remembers the last ones.

    Args:
        config: What every run extracts.
        name, hwm_path: See ``Extractor``.
    """

    def __init__(
        self, config: Config, *, name: str = "athena", hwm_path: Path | None = None
    ) -> None:
        self._config, self._name, self._hwm_path = config, name, hwm_path
        self._redact = Redactor(known_secrets(config))
        self._jobs: dict[str, Job] = {}
        self._tasks: TaskGroup | None = None

    def app(self) -> Starlette:
        """The ASGI application; mount it wherever you like, its lifespan included."""
        routes = [
            Route("/runs", self._start, methods=["POST"]),
            Route("/runs/{id}", self._show, methods=["GET"]),
            Route("/runs/{id}", self._cancel, methods=["DELETE"]),
            Route("/runs/{id}/events", self._watch, methods=["GET"]),
        ]
        return Starlette(routes=routes, lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with anyio.create_task_group() as self._tasks:
            yield
            # A run that is going on tidies up; the next start of the service continues it.
            self._tasks.cancel_scope.cancel()

    async def _start(self, _: Request) -> Response:
        if going_on := [job for job in self._jobs.values() if job.state == "running"]:
            return JSONResponse(
                {"error": "a run is going on", "run": f"/runs/{going_on[0].id}"}, status_code=409
            )

        assert self._tasks is not None
        job = Job()
        self._jobs[job.id] = job
        for old in list(self._jobs)[:-KEPT_RUNS]:
            del self._jobs[old]

        self._tasks.start_soon(self._run, job)
        where = f"/runs/{job.id}"
        return JSONResponse(job.to_dict(), status_code=202, headers={"Location": where})

    async def _show(self, request: Request) -> Response:
        return JSONResponse(self._job(request).to_dict())

    async def _cancel(self, request: Request) -> Response:
        job = self._job(request)
        job.scope.cancel()
        return JSONResponse(job.to_dict(), status_code=202)

    async def _watch(self, request: Request) -> Response:
        job = self._job(request)
        seen = request.headers.get("Last-Event-ID", "")
        stream = _server_sent(job, after=int(seen) if seen.isdecimal() else 0)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    def _job(self, request: Request) -> Job:
        try:
            return self._jobs[request.path_params["id"]]
        except KeyError:
            raise HTTPException(404, "there is no such run") from None

    async def _run(self, job: Job) -> None:
        lines = JsonLines(job.note, redact=self._redact, clock=lambda: datetime.now(timezone.utc))
        state = "cancelled"
        try:
            with job.scope:
                extractor = Extractor(
                    self._config, observers=[lines], name=self._name, hwm_path=self._hwm_path
                )
                async with extractor:
                    job.report = await extractor.run(manage_hwm=True)
                    state = "failed" if job.report.exit_code else "finished"
        except KadaAthenaError as exc:
            state = "failed"
            summary = {"message": self._redact(exc.message), "hint": self._redact(exc.hint)}
            job.error = {"kind": type(exc).__name__, "exit_code": exc.exit_code, **summary}
        except Exception as exc:
            # A bug of ours must not end the service; its message may quote SQL.
            state, job.error = "failed", {"kind": type(exc).__name__, "exit_code": 1}
        finally:
            job.end(state)


async def _server_sent(job: Job, *, after: int) -> AsyncGenerator[str, None]:
    """The events of *job* that are kept, then each as it comes, and at last its state.

    Ends with the run. A client that goes away ends it too: the server cancels the response.
    """
    while True:
        news = job.news
        for number, text in [event for event in job.events if event[0] > after]:
            yield f"id: {number}\ndata: {text}\n\n"
            after = number

        if job.state != "running" and after >= job.count:
            yield f"event: end\ndata: {job.state}\n\n"
            return

        with anyio.move_on_after(KEEP_ALIVE_S) as quiet:
            await news.wait()

        if quiet.cancelled_caught:
            yield ": still here\n\n"


def main(
    config: Annotated[Path, typer.Option("--config", "-c")],
    name: str = "athena",
    host: str = "127.0.0.1",
    port: int = 8000,
) -> None:
    """Serve until Ctrl-C."""
    app = Service(load_config(config), name=name).app()
    uvicorn.run(app, host=host, port=port, timeout_graceful_shutdown=GRACE_S)


if __name__ == "__main__":
    typer.run(main)
