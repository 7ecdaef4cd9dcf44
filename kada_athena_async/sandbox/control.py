"""Control of a running sandbox over HTTP, for tests whose sandbox is another process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, get_type_hints

import msgspec

from kada_athena_async.errors import ConfigError
from kada_athena_async.sandbox.behaviour import Behaviour
from kada_athena_async.sandbox.estate.model import Execution
from kada_athena_async.sandbox.faults import parse_kind
from kada_athena_async.sandbox.truth import count
from kada_athena_async.sandbox.wire import Json, Reply, Request

if TYPE_CHECKING:
    from kada_athena_async.sandbox.sandbox import Sandbox

PREFIX = "/_sandbox/"


class Control:
    """Answers what lies under ``/_sandbox/``: unsigned JSON, which loopback alone can reach.

    GET  describe, truth, calls, log, faults, behaviour, execution?<id>
    POST fault {kind, operation, ...}, clear {number?}, behaviour {knob: value},
         submit {an execution's fields}, finish {query_execution_id, ...}, expire_sessions, stop
    """

    def __init__(self, sandbox: Sandbox, stop_asked: threading.Event) -> None:
        self._sandbox = sandbox
        self._stop_asked = stop_asked
        self._gets: Mapping[str, Callable[[str], object]] = {
            "describe": lambda _: sandbox.describe(),
            "truth": lambda _: count(sandbox.estate),
            "calls": lambda _: dict(sandbox.calls),
            "log": lambda _: list(sandbox.log),
            "faults": lambda _: {str(n): f for n, f in sandbox.faults.in_force().items()},
            "behaviour": lambda _: sandbox.behaviour,
            "execution": lambda query_id: sandbox.estate.executions[query_id],
        }
        self._posts: Mapping[str, Callable[[Json], object]] = {
            "fault": self._add_fault,
            "clear": self._clear,
            "behaviour": self._turn,
            "submit": self._submit,
            "finish": self._finish,
            "expire_sessions": lambda _: {"sessions": sandbox.expire_sessions()},
            "stop": self._stop,
        }

    def answer(self, request: Request) -> Reply | None:
        """The reply to *request*; None where it is not meant for the control."""
        if not request.path.startswith(PREFIX):
            return None

        name = request.path.removeprefix(PREFIX).strip("/")
        try:
            if request.method == "GET":
                return _json(self._gets[name](request.query))

            body = msgspec.json.decode(request.body or b"{}", type=dict[str, object])
            return _json(self._posts[name](body))
        except KeyError as error:
            return _json({"error": f"there is no {error.args[0]!r}"}, status=404)
        except (ConfigError, TypeError, ValueError, msgspec.MsgspecError) as error:
            return _json({"error": str(error)}, status=400)

    def _add_fault(self, body: Json) -> Json:
        kind = parse_kind(body.pop("kind", None))
        operation = body.pop("operation", None)
        number = self._sandbox.faults.add(
            kind, str(operation) if operation is not None else None, **body
        )
        return {"number": number}

    def _clear(self, body: Json) -> Json:
        number = body.get("number")
        self._sandbox.faults.clear(number if isinstance(number, int) else None)
        return {}

    def _turn(self, body: Json) -> Behaviour:
        kinds = get_type_hints(Behaviour)
        for name, value in body.items():
            setattr(self._sandbox.behaviour, name, msgspec.convert(value, kinds[name]))

        return self._sandbox.behaviour

    def _submit(self, body: Json) -> Json:
        self._sandbox.submit(msgspec.convert(body, Execution))
        return {}

    def _finish(self, body: Json) -> Execution:
        query_id = str(body.pop("query_execution_id"))
        state = str(body.pop("state", "SUCCEEDED"))
        completed_at = body.get("completed_at")
        if isinstance(completed_at, str):
            body["completed_at"] = msgspec.convert(completed_at, datetime)

        return self._sandbox.finish(query_id, state=state, **body)

    def _stop(self, _body: Json) -> Json:
        self._stop_asked.set()
        return {}


def _json(payload: object, *, status: int = 200) -> Reply:
    return Reply(
        status=status,
        headers=(("Content-Type", "application/json"),),
        body=msgspec.json.encode(payload),
    )
