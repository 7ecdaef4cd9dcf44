"""The commit: every step that publishes extracts or moves the HWM, in the order that matters.

What it promises: a consumer that reads only what a manifest names sees all extracts of a run,
whole, or none; and the HWM names the end of a window only if the window's manifest is published.
Whenever the process or the machine dies, the next run's ``recover`` brings the world to one of
these two ends.

What a machine keeps when it dies: content that was synced; of other content any prefix, or zeros; a
name whose directory was synced after it changed; of other changes of names any subset, in any
order, though each rename as a whole. POSIX promises no more, and file systems make use of that.

The steps, and what a death after each of them leaves to ``recover``:

0. The run's intent was written before its first part, and each finished unit is sealed. A death
   before step 3 ends leaves a run that is continued, or discarded: nothing is published.
1. Join the parts of each kind, in plan order, behind a header, into ``OUT`` in the staging
   directory (on the file system of the output, so that a rename can move them). Sync each file: a
   manifest must never name content that is only in a cache.
2. Write the manifest into ``OUT``, with the size and the hash of each file. Sync it, and ``OUT``,
   so that the commit which the next step announces can be finished and need not be done again.
3. Write the journal: the name, size and hash of all that is about to appear. From here on
   ``recover`` goes forward, without a call to AWS. The journal must be durable before the first
   move: without it the files of a dead commit could not be distinguished from those that somebody
   else put there. If the commit must not be finished (the configuration is another one now), it is
   taken back: exactly the files with that content are removed, and no others.
   Where there is a landing, the delivery is claimed now, before anything is published: of two
   runners that share an HWM one is refused here, and what it extracted is discarded.
4. Where an older commit of the same window is replaced: remove its manifest, sync the directory,
   and only then touch its files, for a manifest must never name a mixture. From here on there is
   only the way forward.
5. Publish the extracts: move them to their place. Sync the directory: were the manifest's name to
   survive and that of an extract not, the manifest would be a lie.
6. Publish the manifest: the commit point. Sync the directory: the HWM, which lies in
   another one, must not survive a manifest that does not. Where there is a landing, all published
   is now brought there. While that fails the HWM waits, and ``recover`` begins with it: to repeat
   a delivery changes nothing.
7. Write the state, then the HWM, each aside, synced, renamed, and the directory synced. The state
   names the HWM that it belongs to, so one whose HWM was not reached is known to be early. A
   death before the HWM leaves the journal, so ``recover`` moves the HWM and extracts nothing.
   An HWM that is lost all the same costs no row: the next run goes on from the newest manifest.
8. Rename the staging directory to a name that says it is rubbish, sync, and remove it. Removed
   file by file under its own name it could look, for a moment, like a run to be continued.

An error that is no death, such as a full disk in step 5, is undone at once: what was moved is
removed and the journal removed. From the commit point on nothing is undone, only finished.

tests/unit/commit/test_crash.py kills a run at each of its file operations, loses power there in
all these ways, also while recovering; and it fails when a sync that carries the promise is left
out, or when steps change places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kada_athena_async.commit.publication import OUT, JournaledCommit, Publisher
from kada_athena_async.errors import CommitError, StateError
from kada_athena_async.files import failing, to_bytes
from kada_athena_async.files.digest import NamedFile
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm import ExecutionLedger, HeldPrincipals, RunState
from kada_athena_async.manifest import (
    Manifest,
    ManifestFile,
    PublishedPackage,
    RunFacts,
    extract_name,
    manifest_name,
    named,
    read_manifest,
)
from kada_athena_async.records import KINDS
from kada_athena_async.sinks.csv_format import header
from kada_athena_async.sinks.journal import COMMIT, CommitJournal
from kada_athena_async.sinks.part import as_member
from kada_athena_async.sinks.staging import Staging

SPARE_BYTES = 4 << 20
"""Bytes that the manifest, the journals and the HWMs need beside the extracts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitRequest:
    """Files and facts to commit.

    Attributes:
        unit_order: Every unit whose parts belong in the extracts, in plan order; all sealed.
        state: What the next run has to know; its ``hwm`` is the window's end.
        accounts: Of the workgroups, for a runner that takes the delivery over.
        principals: Those of the package that is replaced, for the same.
    """

    unit_order: Sequence[str]
    facts: RunFacts
    state: RunState
    kinds: Sequence[str] = KINDS
    accounts: Sequence[ExecutionLedger] = ()
    principals: HeldPrincipals = field(default_factory=HeldPrincipals)


async def commit(
    staging: Staging, request: CommitRequest, publisher: Publisher
) -> PublishedPackage[Manifest]:
    """Publish a run's extracts, all of them, then move the HWM; see the module's account.

    Raises:
        LockedError: Another runner is faster; nothing of this run stays.
        DeliveryError: As of *publisher*; the HWM has not moved, ``recover`` goes on from there.
        CommitError: The file system refuses; what was published before is untouched, or the next
            ``recover`` finishes what is journaled.
        StateError: A unit is not sealed, a part is not what was written, or the HWM is damaged.
    """
    output_path, intent = staging.output_path, staging.intent
    if request.state.hwm != intent.end:
        raise ValueError(f"the state of {request.state.hwm} cannot close a window to {intent.end}")

    if publisher.store is not None:
        await publisher.store.check()

    needed_bytes = SPARE_BYTES + sum(
        part.size_bytes for unit in staging.sealed().values() for part in unit.parts
    )
    with failing(output_path, needed_bytes=needed_bytes):
        journal = await in_thread(lambda: _prepare(staging, request, needed_bytes))

    return await publisher.complete(JournaledCommit(staging.path, intent, journal, staging.files))


def _prepare(staging: Staging, request: CommitRequest, needed_bytes: int) -> CommitJournal:
    """Steps 1 to 3: all that will be published lies durable in ``OUT``, and is journaled."""
    files, intent, output_path = staging.files, staging.intent, staging.output_path
    staging.check_home()
    if (free_bytes := files.free_bytes(output_path)) < needed_bytes:
        raise CommitError(
            f"no space left in {output_path}: {needed_bytes:,} bytes are needed, "
            f"{free_bytes:,} are free",
            hint="free space there, then run again within resume_hours; what is done is kept",
        )

    older = _older_commit(staging, request)
    out = staging.path / OUT
    files.remove_tree(out)
    files.make_private_dir(out)
    extracts = files.each(lambda kind: _join_kind(staging, request, kind), request.kinds)
    manifest = Manifest(
        run_id=intent.run_id,
        name=intent.name,
        start=intent.start,
        end=intent.end,
        started_at=intent.started_at,
        config_digest=intent.config_digest,
        plan_digest=intent.plan_digest,
        manages_hwm=intent.manages_hwm,
        mask=intent.mask,
        statements_digest=intent.statements_digest,
        files=tuple(extracts),
        facts=request.facts,
        state=request.state,
    )
    path = out / manifest_name(intent.name, intent.end)
    files.write_new(path, to_bytes(manifest))
    files.sync_dir(out)

    names = {extract.name for extract in extracts}
    journal = CommitJournal(
        run_id=intent.run_id,
        files=tuple(named(extract) for extract in extracts),
        manifest=NamedFile(name=path.name, **files.digest(path)._asdict()),
        replaces=older is not None,
        removes=tuple(f.name for f in older.manifest.files if f.name not in names) if older else (),
        early={a.workgroup: a.early for a in request.accounts if a.early},
        elsewhere=tuple(i for a in request.accounts for i in a.elsewhere),
        principals=request.principals,
    )
    files.write_durably(staging.path / COMMIT, to_bytes(journal))
    return journal


def _older_commit(staging: Staging, request: CommitRequest) -> PublishedPackage[Manifest] | None:
    """The published commit of the same end that this one may replace.

    Raises:
        CommitError: Something published has the name of an extract, and may not be replaced.
    """
    files, intent, output_path = staging.files, staging.intent, staging.output_path
    older = read_manifest(output_path / manifest_name(intent.name, intent.end), files)
    if older is not None and intent.replaces:
        return older

    names = [manifest_name(intent.name, intent.end)]
    for kind in request.kinds:
        names += [extract_name(intent.name, kind, intent.end, compress=c) for c in (True, False)]

    for name in names:
        if files.exists(output_path / name):
            raise CommitError(
                f"{output_path / name} is published already",
                hint="move it away, or replace the whole commit of it with `again=True`",
            )

    return None


def _join_kind(staging: Staging, request: CommitRequest, kind: str) -> ManifestFile:
    """Write one extract into ``OUT``: the header's member, then the parts in plan order."""
    files, intent = staging.files, staging.intent
    parts = staging.parts(request.unit_order, kind)
    name = extract_name(intent.name, kind, intent.end, compress=intent.compress)
    whole, *found = files.join(
        [(part.path, part.within) for part in parts],
        staging.path / OUT / name,
        head=as_member(header(kind), compress=intent.compress),
    )
    for part, digest in zip(parts, found, strict=True):
        if digest != (part.size_bytes, part.sha256):
            raise StateError(
                f"the part {part.path} is not what was written",
                hint="check the disk, then run again",
            )

    return ManifestFile(
        name=name, kind=kind, rows=sum(part.rows for part in parts), **whole._asdict()
    )
