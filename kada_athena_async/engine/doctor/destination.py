"""Looks at places outside the output directory: the landing, and where the HWM is kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

from typing_extensions import assert_never

from kada_athena_async.codes import ExitCode
from kada_athena_async.config.landing import AzurePlace, LocalPlace, Place, S3Place
from kada_athena_async.engine.destination import Destination
from kada_athena_async.engine.doctor.buckets import BucketTrials
from kada_athena_async.engine.doctor.report import CheckResult, Finding
from kada_athena_async.errors import ConfigError, KadaAthenaError
from kada_athena_async.files import holder_of
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm import format_hwm
from kada_athena_async.hwm.store import FileHwmStore
from kada_athena_async.landing import open_client, open_landing
from kada_athena_async.landing.sas import sas_end
from kada_athena_async.permissions import Permission, Target
from kada_athena_async.sinks.staging import lock_path

_LANDING = frozenset({Target.LANDING, Target.LANDING_BUCKET, Target.LANDING_KEY})
_MARKS = frozenset({Target.MARKS, Target.MARKS_BUCKET})

# https://learn.microsoft.com/rest/api/storageservices/create-service-sas: sp holds one letter a
# right. Blocks are put with "c" or "w"; replacing a manifest or an HWM needs "w".
_SAS_RIGHTS = {"r": "read", "c": "create", "w": "write"}

UNDELIVERED = "nothing is delivered; the run ends with exit code 4"
"""What a run loses without its landing."""

NOTICE = timedelta(days=7)
"""Time before its end from which a token is warned of."""


@dataclass(frozen=True, slots=True)
class OutsideTrials:
    """Looks at the places of one instance."""

    destination: Destination
    hwm_path: Path | None

    async def check_permissions(
        self, permissions: Sequence[Permission]
    ) -> dict[Permission, CheckResult]:
        """The results of using the permissions on the landing's and the HWM's buckets.

        Raises:
            CredentialsError: S3 does not accept who writes there.
        """
        found: dict[Permission, CheckResult] = {}
        for targets, place in ((_LANDING, self._landing), (_MARKS, self._marks)):
            wanted = [permission for permission in permissions if permission.target in targets]
            if not wanted or not isinstance(place, S3Place):
                continue

            async with open_client(place, self.destination.runtime) as client:
                trials = BucketTrials(client, place.bucket, place.prefix)
                for permission in wanted:
                    found[permission] = await trials.check_permission(permission.action)

        return found

    async def findings(self) -> list[Finding]:
        """The landing itself, and the HWM."""
        found: list[Finding] = []
        if self._landing is not None:
            found += await self._look(self._landing)

        return [*found, *await self._mark_findings()]

    @property
    def _landing(self) -> Place | None:
        return self.destination.config.landing

    @property
    def _marks(self) -> Place | None:
        place = self.destination.config.hwm_store
        return None if place == "landing" else place

    async def _look(self, place: Place) -> list[Finding]:
        try:
            async with open_landing(place, self.destination.runtime) as landing:
                if not isinstance(place, S3Place):  # its rights are tried one by one
                    await landing.look(f"{self.destination.name}_hwm.txt")
        except KadaAthenaError as exc:
            return [
                Finding(
                    "landing",
                    place.url,
                    "problem",
                    exc.message,
                    lost=UNDELIVERED,
                    remedy=exc.hint,
                    exit_code=exc.exit_code if isinstance(exc, ConfigError) else ExitCode.FAILED,
                )
            ]

        match place:
            case S3Place():
                return []
            case AzurePlace():
                now = self.destination.clock.now()
                return sas_findings(place.sas_token.get_secret_value(), place.url, now)
            case LocalPlace():
                return [_directory(place)]
            case _:
                assert_never(place)

    async def _mark_findings(self) -> list[Finding]:
        try:
            async with self.destination.store(self.hwm_path) as store:
                hwm, _ = await store.read()
                await self.destination.planner(store).check()
        except KadaAthenaError as exc:
            return [
                Finding(
                    "mark",
                    "high-water mark",
                    "problem",
                    exc.message,
                    lost="the run does not start",
                    remedy=exc.hint,
                    exit_code=ExitCode.FAILED,
                )
            ]

        shown = format_hwm(hwm) if hwm else "none yet"
        if not isinstance(store, FileHwmStore):
            return [Finding("mark", store.place, "ok", shown)]

        found = await in_thread(lambda: self._file_findings(store, shown))
        return [*found, *await in_thread(self._runs)]

    @staticmethod
    def _file_findings(store: FileHwmStore, shown: str) -> list[Finding]:
        path, directory = str(store.hwm_path), store.hwm_path.parent
        if os.access(directory, os.W_OK | os.X_OK):
            return [Finding("mark", path, "ok", shown)]

        return [
            Finding(
                "mark",
                path,
                "problem",
                f"this user may not write in {directory}",
                lost="the high-water mark cannot move",
                remedy="give this user the right to write there, or name another `hwm_path=...`",
                exit_code=ExitCode.FAILED,
            )
        ]

    def _runs(self) -> list[Finding]:
        at = self.destination
        holder = holder_of(lock_path(at.config.output_path, at.name))
        pid = holder.get("pid")
        if not isinstance(pid, int) or not _lives(pid):
            return [Finding("mark", "lock", "ok", "no run is going on")]

        return [
            Finding(
                "mark",
                "lock",
                "problem",
                f"process {pid} holds it since {holder.get('since')}",
                lost="a second run of the same name is refused",
                remedy="wait for the run to end",
            )
        ]


def _directory(place: LocalPlace) -> Finding:
    if os.access(place.path, os.W_OK | os.X_OK):
        return Finding("landing", place.url, "ok", "can be written")

    return Finding(
        "landing",
        place.url,
        "denied",
        "this user may not write there",
        lost=UNDELIVERED,
        remedy="give this user the right to write there",
        exit_code=ExitCode.FAILED,
    )


def _lives(pid: int) -> bool:
    if os.name == "nt":
        return True  # there is no harmless way to ask; the file says that it did not end

    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True

    return True


def sas_findings(token: str, url: str, now: datetime) -> list[Finding]:
    """Findings about the rights and the expiry that a SAS token names."""
    fields = parse_qs(token)
    found = []
    rights = fields["sp"][0] if "sp" in fields else None
    missing = [word for letter, word in _SAS_RIGHTS.items() if letter not in (rights or "")]
    if rights is None:
        detail, remedy = "the token's rights are in a stored access policy", "look at the policy"
        found.append(Finding("landing", url, "untried", detail, remedy=remedy))
    elif missing:
        found.append(
            Finding(
                "landing",
                url,
                "denied",
                f"the token lacks {', '.join(missing)}",
                lost=UNDELIVERED,
                remedy="make a token with the rights read, create and write",
                exit_code=ExitCode.FAILED,
            )
        )
    else:
        found.append(Finding("landing", url, "ok", "read, create, write"))

    ends = sas_end(token)
    if ends is not None:
        is_soon = ends - now <= NOTICE
        found.append(
            Finding(
                "landing",
                "SAS token",
                "problem" if is_soon else "ok",
                f"ends at {ends:%Y-%m-%d %H:%M} UTC",
                lost=UNDELIVERED if is_soon else "",
                remedy="make a new token in time" if is_soon else "",
                exit_code=ExitCode.FAILED if ends <= now else ExitCode.OK,
            )
        )

    return found
