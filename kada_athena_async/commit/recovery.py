"""Remains of earlier runs: finish them, offer them for continuation, or remove them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

import anyio.lowlevel

from kada_athena_async.codes import WarningCode
from kada_athena_async.commit.publication import JournaledCommit, Publisher
from kada_athena_async.errors import StateError
from kada_athena_async.events import Observer, Warned
from kada_athena_async.files import Files, failing
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm import StoredState
from kada_athena_async.manifest import manifest_name, read_manifest
from kada_athena_async.sinks.journal import (
    COMMIT,
    INTENT,
    CommitJournal,
    RunIntent,
    read_journal,
)
from kada_athena_async.sinks.staging import DONE, remove_run, staging_root


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverySettings:
    """Conditions under which remains of a run may be continued.

    Attributes:
        config_digest: Of the configuration now: a run with another one is not continued, because
            it may not have masked.
        now: The present, by which its age counts.
        resume: How old an interrupted run may be.
        is_fresh: True if nothing is to be continued.
        only_commits: True if nothing but published commits is looked at: interrupted runs are left
            to a run.
    """

    config_digest: str
    now: datetime
    resume: timedelta
    is_fresh: bool = False
    only_commits: bool = False


async def recover(
    output_path: Path,
    name: str,
    *,
    settings: RecoverySettings,
    publisher: Publisher,
    before_discard: Callable[[], Awaitable[object]] = anyio.lowlevel.checkpoint,
) -> InterruptedRun | None:
    """Look at what earlier runs of *name* left; return the one to ``reopen``, if there is one.

    A commit that reached its journal is finished: its files are complete, and no call to AWS is
    needed. One that was journaled under another configuration is taken back. An interrupted run
    that is young enough is offered for continuation, the youngest if there are several; every
    other is discarded. Files that no journal names are never touched. The caller holds the lock.

    Args:
        output_path: A real directory, no link.
        publisher: Without a store, what runs with one left is left alone.
        before_discard: Is awaited before an interrupted run of another configuration is
            discarded; what it raises keeps that run. A typing error must not cost it.

    Raises:
        StateError: The staging directory, or one in it, is a link or not ours alone; a commit is
            another's; or a file of a published one is missing or damaged; nothing is changed.
        CommitError: The file system refuses.
        DeliveryError: As of *publisher*; the HWM has not moved.
    """
    root = staging_root(output_path, name)
    resumable: InterruptedRun | None = None
    files, notify = publisher.files, publisher.notify
    for entry in reversed(await _staged(root, files)):
        interrupted = await _inspect(root / entry, files)
        if interrupted is None:
            await _remove(root / entry, None, files)
            continue

        action = await _choose(interrupted, settings, publisher)
        if action is _Action.LEAVE:
            notify(_stale(f"{interrupted.path} is left to a run with a high-water mark"))
        elif action is _Action.UNPUBLISH and interrupted.commit:
            await _unpublish(interrupted.commit, notify)
        elif action is _Action.RESUME and resumable is None:
            resumable = interrupted
        elif action is _Action.FINISH and interrupted.commit:
            await publisher.complete(interrupted.commit)
        elif action is _Action.ACCEPT and interrupted.commit:
            alone = Publisher(files=files, notify=notify, store=None)
            await alone.complete(interrupted.commit)
        else:
            if settings.config_digest != interrupted.intent.config_digest and not settings.is_fresh:
                await before_discard()

            await _discard(interrupted, settings, files, notify)

    return resumable


async def _staged(root: Path, files: Files) -> list[str]:
    """Names in the staging directory, which is ours alone: what lies there is published."""
    with failing(root):
        await in_thread(lambda: files.guard(root))

    return await in_thread(lambda: files.names(root))


class _Action(Enum):
    """Action on the remains of a run.

    FINISH: Publish it, deliver it, move the HWM. ACCEPT: Publish it; another runner did the rest.
    RESUME: Offer it for continuation. DISCARD: Remove what is staged. UNPUBLISH: Remove what is
    published too. LEAVE: Touch nothing.
    """

    FINISH = "finish"
    ACCEPT = "accept"
    RESUME = "resume"
    DISCARD = "discard"
    LEAVE = "leave"
    UNPUBLISH = "unpublish"


_ON_COMMITS = (_Action.FINISH, _Action.ACCEPT, _Action.UNPUBLISH)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedRun:
    """Content of a run's staging directory, and the part of it that is published.

    Attributes:
        commit: None if none is journaled.
        is_published: The manifest of this commit is published, unharmed.
        is_over: A published manifest carries this run's id.
        missing: The files of the journal that are neither published nor staged, or are damaged.
        has_unpublished: The older commit that this one replaces is unpublished.
    """

    path: Path
    intent: RunIntent
    commit: JournaledCommit | None = None
    is_published: bool = False
    is_over: bool = False
    missing: tuple[str, ...] = ()
    has_unpublished: bool = False


async def _inspect(path: Path, files: Files) -> InterruptedRun | None:
    """Look at a staging directory; None if no run's intent lies there.

    Raises:
        StateError: A journal or a published manifest is damaged.
    """

    def look() -> InterruptedRun | None:
        intent = None if path.suffix == DONE else read_journal(files, path / INTENT, RunIntent)
        if intent is None:
            return None

        journal = read_journal(files, path / COMMIT, CommitJournal)
        published_path = path.parent.parent / manifest_name(intent.name, intent.end)
        if journal is None:
            found = read_manifest(published_path, files)
            is_over = found is not None and found.manifest.run_id == intent.run_id
            return InterruptedRun(path=path, intent=intent, is_over=is_over)

        commit = JournaledCommit(path, intent, journal, files)
        return InterruptedRun(
            path=path,
            intent=intent,
            commit=commit,
            is_published=commit.is_published(journal.manifest),
            missing=commit.missing(),
            has_unpublished=journal.replaces and not files.exists(published_path),
        )

    with failing(path):
        interrupted = await in_thread(look)

    if interrupted is not None:
        _refuse_damage(interrupted)

    return interrupted


def _refuse_damage(interrupted: InterruptedRun) -> None:
    """Refuse a damaged commit, which can neither be finished nor undone."""
    commit, is_begun = interrupted.commit, interrupted.is_published or interrupted.has_unpublished
    if commit and interrupted.missing and is_begun:
        names = ", ".join(interrupted.missing)
        manifest = commit.output_path / commit.journal.manifest.name
        raise StateError(
            f"the commit of {interrupted.intent.window} is damaged: {names} missing or not what "
            "was written; the high-water mark has not moved",
            hint=f"restore it; or remove {manifest} and {interrupted.path}, "
            "and the window is extracted again",
        )


async def _choose(
    interrupted: InterruptedRun, settings: RecoverySettings, publisher: Publisher
) -> _Action:
    """The action on remains, by what the other runners of the same HWM say."""
    known = await publisher.store.read() if publisher.store is not None else None
    is_behind = await publisher.claimed_elsewhere(interrupted.intent)
    action = _decide(interrupted, settings, known=known, is_behind=is_behind)
    if action in _ON_COMMITS:
        await publisher.check_owner(interrupted.intent)

    if action is _Action.UNPUBLISH and interrupted.commit:
        is_held = await publisher.holds(interrupted.commit.journal.manifest)
        return _Action.ACCEPT if is_held else action

    return action


def _decide(
    interrupted: InterruptedRun,
    settings: RecoverySettings,
    *,
    known: tuple[datetime | None, StoredState | None] | None,
    is_behind: bool,
) -> _Action:
    """The action on remains of a run.

    Args:
        known: HWM and state; None if the caller keeps the HWM.
        is_behind: Another runner's delivery begins at the HWM and goes before this one.
    """
    intent = interrupted.intent
    if interrupted.is_over:
        return _Action.DISCARD

    if (intent.manages_hwm and known is None) or (
        settings.only_commits and not interrupted.is_published
    ):
        return _Action.LEAVE

    is_superseded = is_behind or (known is not None and _is_superseded(interrupted, *known))
    if interrupted.is_published:
        return _Action.UNPUBLISH if is_superseded else _Action.FINISH

    if interrupted.has_unpublished:
        return _Action.FINISH

    is_wanted = (
        not is_superseded
        and not settings.is_fresh
        and intent.config_digest == settings.config_digest
        and (not intent.manages_hwm or (known is not None and intent.hwm == known[0]))
    )
    if interrupted.commit is not None:
        return _Action.FINISH if is_wanted and not interrupted.missing else _Action.DISCARD

    is_young = timedelta(0) <= settings.now - intent.started_at < settings.resume
    return _Action.RESUME if is_wanted and is_young else _Action.DISCARD


def _is_superseded(
    interrupted: InterruptedRun, hwm: datetime | None, stored: StoredState | None
) -> bool:
    """True if a run elsewhere moved the HWM since, wherever to: the time was extracted there.

    An HWM that was set by hand is no such HWM: its state belongs to another one.
    """
    intent = interrupted.intent
    if stored is None or stored.state.hwm != hwm or not intent.manages_hwm or intent.replaces:
        return False

    if hwm == intent.end and interrupted.commit is not None:
        own = interrupted.commit.journal.manifest.sha256
        return stored.manifest_sha256 not in ("", own)

    return hwm != intent.hwm


async def _unpublish(commit: JournaledCommit, notify: Observer) -> None:
    with failing(commit.run_path):
        await in_thread(commit.discard)

    notify(
        Warned(
            code=WarningCode.SUPERSEDED,
            message=f"the extracts of {commit.intent.window} were not delivered from here and were "
            "extracted by another machine since; they are unpublished",
        )
    )


async def _discard(
    interrupted: InterruptedRun,
    settings: RecoverySettings,
    files: Files,
    notify: Observer,
) -> None:
    await _remove(interrupted.path, interrupted.commit, files)
    if not interrupted.is_over:
        why = "is discarded, as asked"
        if not settings.is_fresh:
            why = "cannot be continued and was discarded"

        notify(_stale(f"the interrupted run {interrupted.intent.run_id} {why}"))


def _stale(message: str) -> Warned:
    return Warned(code=WarningCode.STALE_RUN, message=message)


async def _remove(path: Path, commit: JournaledCommit | None, files: Files) -> None:
    """Remove the remains of a run, and of its files those that it published alone."""

    def clear() -> None:
        if commit is not None and not commit.journal.replaces:
            commit.unpublish()

        remove_run(path, files)

    with failing(path):
        await in_thread(clear)
