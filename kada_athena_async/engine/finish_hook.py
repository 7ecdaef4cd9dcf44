"""The hook of a run: a command, a webhook or both, given the run's summary when it has ended."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from signal import SIGKILL
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from kada_athena_async.aws import network
from kada_athena_async.aws.resolver import make_resolver
from kada_athena_async.codes import ExitCode, WarningCode
from kada_athena_async.config import Config, known_secrets
from kada_athena_async.config.config_file import ENVIRONMENT_PREFIX
from kada_athena_async.errors import KadaAthenaError
from kada_athena_async.events import Observer, Warned
from kada_athena_async.files.threads import in_thread
from kada_athena_async.redact import Redactor

if TYPE_CHECKING:
    from kada_athena_async.report import RunReport

DEADLINE_S = 30.0
"""Time that a hook may take; it is ended then."""

SUMMARY_VERSION = 1
_STDERR_BYTES = 200
_FAILED_UNITS = 20


@dataclass(slots=True, kw_only=True)
class FinishHook:
    """Calls what ``on_finish`` and ``on_finish_url`` name; never fails a run.

    Attributes:
        report: To be set when the run has one; an error is seen by ``at_the_end`` itself.
    """

    config: Config
    name: str
    run_id: str
    notify: Observer
    deadline_s: float = DEADLINE_S
    report: RunReport | None = None

    @asynccontextmanager
    async def at_the_end(self) -> AsyncIterator[None]:
        """Call the hook after the block, unless it is cancelled; a failure is warned of."""
        try:
            yield
        except Exception as error:
            await self._call(_of_error(error))
            raise

        if self.report is not None:
            await self._call(_of_report(self.report))

    async def _call(self, facts: Mapping[str, object]) -> None:
        config, url = self.config, self.config.on_finish_url.get_secret_value()
        if not config.on_finish and not url:
            return

        who = {"version": SUMMARY_VERSION, "name": self.name, "server": config.server}
        summary = {**who, "run_id": self.run_id, **facts}
        redact = Redactor(known_secrets(config))
        body = json.dumps(_redacted(summary, redact)).encode()
        if config.on_finish:
            command = list(config.on_finish)
            problem = await in_thread(lambda: _run(command, body, self.deadline_s))
            self._warn("on_finish", f"the command {redact(ascii(command[0]))}", redact(problem))

        if url:
            problem = await _post(url, body, self.deadline_s)
            self._warn("on_finish_url", network.origin(url), redact(problem))

    def _warn(self, field: str, what: str, problem: str) -> None:
        if problem:
            self.notify(
                Warned(
                    code=WarningCode.HOOK_FAILED,
                    message=f"{field}: {what} {problem}; the run is not affected",
                    hint=f"correct or remove {field}",
                )
            )


def _of_report(report: RunReport) -> dict[str, object]:
    outcome = "committed" if report.committed else "failed" if report.exit_code else "nothing_to_do"
    facts = report.to_dict()
    kept = ("exit_code", "start", "end", "duration_s", "manifest", "rows", "calls", "throttles")
    return {
        "run_id": report.run_id,
        "outcome": outcome,
        **{key: facts[key] for key in (*kept, "gaps", "warnings")},
        "failed": [
            {"unit_id": unit.unit_id, "reason": unit.reason, "hint": unit.hint}
            for unit in report.failed[:_FAILED_UNITS]
        ],
        "incomplete": [
            {"scope": group.scope, "outcome": group.outcome, "reason": group.reason}
            | {"count": group.count, "names": list(group.names)}
            for group in report.incomplete
        ],
        "error": None,
    }


def _of_error(error: Exception) -> dict[str, object]:
    # The message of an error that is not ours may quote SQL.
    is_ours = isinstance(error, KadaAthenaError)
    code = error.exit_code if isinstance(error, KadaAthenaError) else ExitCode.FAILED
    return {
        "outcome": "not_delivered" if code == ExitCode.NOT_DELIVERED else "failed",
        "exit_code": int(code),
        "error": {
            "kind": type(error).__name__,
            "message": getattr(error, "message", "") if is_ours else "",
            "hint": getattr(error, "hint", "") if is_ours else "",
        },
    }


def _redacted(value: object, redact: Redactor) -> Any:
    if isinstance(value, str):
        return redact(value)

    if isinstance(value, Mapping):
        return {key: _redacted(item, redact) for key, item in value.items()}

    return [_redacted(v, redact) for v in value] if isinstance(value, list | tuple) else value


def _run(command: list[str], body: bytes, deadline_s: float) -> str:
    """Blocks. Run *command* with *body* on its stdin; what went wrong, or nothing.

    It gets this process's environment without our own variables, which may hold secrets.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ENVIRONMENT_PREFIX)}
    with TemporaryFile() as stderr:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            return f"cannot be started ({reason})"

        with process:
            try:
                process.communicate(body, timeout=deadline_s)
            except subprocess.TimeoutExpired:
                _kill(process)
                return f"was ended after {deadline_s:g} s"

        stderr.seek(max(0, stderr.tell() - _STDERR_BYTES))
        said = " ".join(stderr.read().decode(errors="replace").split())

    code = process.returncode
    return f"ended with exit code {code}" + (f" ({said})" if said else "") if code else ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, SIGKILL)


async def _post(url: str, body: bytes, deadline_s: float) -> str:
    """Send *body* to *url*; what went wrong, or nothing. Redirects are not followed."""
    try:
        connector = aiohttp.TCPConnector(
            ssl=await in_thread(network.make_context), resolver=make_resolver()
        )
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=deadline_s),
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
            session.post(
                URL(url, encoded=True),
                data=body,
                headers={"Content-Type": "application/json"},
                proxy=network.proxy_for(url),
                allow_redirects=False,
            ) as answer,
        ):
            return f"answered {answer.status}" if answer.status >= 300 else ""
    except KadaAthenaError as error:
        return f"was not called: {error.message}"
    except asyncio.TimeoutError:
        return f"did not answer within {deadline_s:g} s"
    except (aiohttp.ClientError, OSError) as error:
        return f"cannot be reached ({network.reason_of(error)})"
