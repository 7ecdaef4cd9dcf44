"""What a run on another disk left half-way: its delivery was announced, its mark has not moved.

On the disk that made them, ``recover`` finds the files of a commit and goes on. A runner on
another machine (a pod, a pool of workers) finds nothing but the mark, and what the landing got of
the next window. Were it to extract a window of its own, that would come twice. So a run tells its
delivery where the mark is kept before it begins, and the next one looks there:

- the landing holds the manifest that was told: it goes last, so all is there. The mark follows.
- it does not: that same window is extracted once more, first of all. Its files have the same
  names, so they replace what lies in the landing of them.

Not seen is a landing that is emptied before the next run comes to look.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from kada_athena_async.codes import WarningCode
from kada_athena_async.commit import CommittedManifest, Manifest, parse_manifest
from kada_athena_async.engine.delivery import Outside, Store
from kada_athena_async.events import Warned
from kada_athena_async.files import Files
from kada_athena_async.hwm import Announcement, format_hwm
from kada_athena_async.sinks import staging_root

_BEFORE_ALL = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Hands a delivery that is under way to whoever has to finish it.

    Args:
        store: None if the caller keeps his own marks; then there is nothing to hand over.
    """

    outside: Outside
    store: Store | None
    output_path: Path
    files: Files

    async def announce(self, committed: CommittedManifest) -> None:
        """Tell that *committed* is about to be delivered, if there is a landing.

        Raises:
            LockedError: Another runner uses the same mark.
            CommitError: The place of the mark refuses.
        """
        manifest = committed.manifest
        if self.store is None or self.outside.config.landing is None or not manifest.manages_hwm:
            return

        await self.store.announce(
            Announcement(
                run_id=manifest.run_id,
                hwm=(await self.store.read()).hwm,
                start=manifest.start,
                end=manifest.end,
                manifest=committed.path.name,
                sha256=committed.sha256,
                origin=manifest.carried.origin,
            )
        )

    async def unfinished(self) -> Announcement | None:
        """The announced delivery behind which the mark has not moved, if there is one.

        Raises:
            StateError: What was announced cannot be trusted.
        """
        if self.store is None or self.outside.config.landing is None:
            return None

        found = await self.store.announced()
        hwm = (await self.store.read()).hwm
        is_behind = found is not None and found.hwm == hwm and found.end > (hwm or _BEFORE_ALL)
        return found if is_behind else None

    async def adopt(self) -> None:
        """Let the mark follow a delivery that is whole, unless its run is here to be recovered.

        Raises:
            DeliveryError: The landing cannot be asked.
            StateError: The manifest there is newer than this package.
        """
        found = await self.unfinished()
        if found is None or self.store is None:
            return

        root = staging_root(self.output_path, self.outside.name)
        if self.files.exists(root / found.run_id):
            return

        manifest = await self._delivered(found)
        if manifest is None:
            return

        await self.store.write(
            manifest.carried, run_id=manifest.run_id, manifest_sha256=found.sha256
        )
        self.outside.tell(
            Warned(
                code=WarningCode.DELIVERY_COMPLETED,
                message=f"the mark moves to {format_hwm(manifest.end)}: {found.manifest} was "
                "delivered by a run whose disk is not this one, and which ended before that",
            )
        )

    async def _delivered(self, announced: Announcement) -> Manifest | None:
        data = await self.outside.look_up(announced.manifest)
        if data is None or hashlib.sha256(data).hexdigest() != announced.sha256:
            return None

        return parse_manifest(data, source=announced.manifest)
