"""Unsaved changes: kept as they are typed, apart from everybody else's, until they are a version.

One row for each person and item, no version and no line in the activity log, so a client may write
it every few seconds. What has been left alone becomes a version by itself; what the item has moved
away from meanwhile stays, and its author is offered what can be put together.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, defer
from sqlalchemy.orm.attributes import flag_modified

from webapp.jobs.messages import KeepAutosave
from webapp.jobs.outbox import enqueue
from webapp.kit.lifecycle import Move
from webapp.models import Autosave, Content, ContentVersion
from webapp.services.accounts import quotas
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.holders import QuotasOfRole, account_actor
from webapp.services.content import content, item_reads, lifecycle, merging, text_origins
from webapp.services.content.merging import MergedChanges
from webapp.services.content.visibility import visible_content
from webapp.services.errors import (
    ConflictError,
    DailyQuotaError,
    InvalidInputError,
    NotFoundError,
    ServiceError,
    StaleRevisionError,
)

QUIET = timedelta(minutes=15)
"""How long changes are left alone before they become a version by themselves."""

REASON = "autosave"
MOST_OF_ONE_PERSON = 200

_ALREADY = "There are other unsaved changes of yours to this item; read them and send their ETag."
_GONE = (
    "Your unsaved changes have become a version or were forgotten; read the item again and begin "
    "anew without If-Match."
)


@dataclass(frozen=True)
class AutosaveView:
    """Unsaved changes, the newest version of the item, and what both make together if asked."""

    autosave: Autosave
    item_version: int
    merge: MergedChanges | None


def keep(
    session: Session,
    actor: Actor,
    content_id: int,
    revisions: Collection[int] | None,
    base_version: int,
    changes: dict[str, Any],
) -> AutosaveView:
    """Write the actor's unsaved changes to an item in the place of the ones before.

    `revisions` are those of the unsaved changes that the caller has seen, empty where it knows of
    none; None accepts whatever there is. `changes` holds fields of `Draft`, begun from the version
    `base_version`. Raises NotFoundError, ForbiddenError, InvalidInputError, ConflictError for an
    item in the trash, QuotaError and StaleRevisionError.

    What comes back holds no merge, so that writing stays cheap.
    """
    item = _item_to_edit(session, actor, content_id)
    if base_version > item.version:
        raise InvalidInputError("base_version", "the item has no such version")
    if base_version < item.version:
        _hold_base(session, content_id, base_version)
    changes = text_origins.with_writer(item, actor, changes)
    present = _lock(session, actor, content_id)
    if present is None:
        if revisions:
            raise StaleRevisionError(_GONE)
        begun = _begin(session, actor, content_id, base_version, changes)
        return AutosaveView(begun, item.version, None)
    _require_seen(present, revisions)
    was_conflicted = present.conflicted_at is not None
    present.base_version, present.changes = base_version, changes
    flag_modified(present, "changes")  # SQLAlchemy takes true and 1 for the same.
    present.revision += 1
    present.conflicted_at = None
    present.updated_at = func.clock_timestamp()
    session.flush()
    session.refresh(present)
    if was_conflicted:
        _enqueue_keeping(session, present)
    return AutosaveView(present, item.version, None)


def get(session: Session, actor: Actor, content_id: int) -> AutosaveView:
    """Return the actor's unsaved changes to an item. Raises NotFoundError."""
    item = content.get(session, actor, content_id).content
    autosave = session.scalar(_of(actor, content_id))
    if autosave is None:
        raise NotFoundError("There are no unsaved changes of yours to this item.")
    merge = None
    if autosave.base_version != item.version:
        merge = merging.merge_changes(session, item, autosave.base_version, autosave.changes)
    return AutosaveView(autosave, item.version, merge)


def discard(
    session: Session, actor: Actor, content_id: int, revisions: Collection[int] | None
) -> None:
    """Forget the actor's unsaved changes to an item. Raises NotFoundError, StaleRevisionError."""
    item_reads.require_item(session, actor, content_id)
    autosave = _lock(session, actor, content_id)
    if autosave is None:
        raise NotFoundError("There are no unsaved changes of yours to this item.")
    _require_seen(autosave, revisions)
    session.delete(autosave)
    session.flush()


def save(
    session: Session, actor: Actor, content_id: int, revisions: Collection[int] | None
) -> None:
    """Make a version of the actor's unsaved changes, and forget them.

    `revisions` are those of the item. Raises as `content.edit` does, and ConflictError where the
    item has another newest version than the one that they were begun from.
    """
    item = content.lock_for_change(session, actor, content_id, revisions)
    autosave = _lock(session, actor, content_id)
    if autosave is None:
        raise NotFoundError("There are no unsaved changes of yours to this item.")
    if autosave.base_version != item.version:
        raise ConflictError(
            f"Your changes were begun from version {autosave.base_version}, and there is version "
            f"{item.version} by now. Read them again: they come with what both make together."
        )
    content.edit(session, actor, content_id, None, autosave.changes)
    session.delete(autosave)
    session.flush()


def keep_quiet_one(session: Session, autosave_id: int, quotas_of: QuotasOfRole) -> float | None:
    """Make a version of changes that have been left alone.

    Returns in how many seconds to look again, or None where there is nothing more to do. What the
    item holds by now is forgotten. What cannot be a version, because the item has moved on or the
    author may not change it any more, stays as it is and is marked as conflicted.
    """
    found = session.get(Autosave, autosave_id)
    if found is None:
        return None
    # The item is locked first, as a save by its author does, so that the two cannot deadlock.
    item = session.get(Content, found.content_id, with_for_update=True, populate_existing=True)
    autosave = session.scalar(
        select(Autosave)
        .where(Autosave.id == autosave_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if item is None or autosave is None:
        return None
    seconds = _seconds_to_quiet(session, autosave)
    if seconds > 0:
        return seconds
    actor = account_actor(session, autosave.user_id, quotas_of)
    if actor is None or autosave.base_version != item.version:
        _settle_old(session, item, autosave)
        return None
    try:
        with session.begin_nested():
            content.edit(session, actor, item.id, None, autosave.changes, reason=REASON)
    except DailyQuotaError as full:
        return full.seconds
    except ServiceError:
        _mark_conflicted(session, autosave)
        return None
    session.delete(autosave)
    return None


def _settle_old(session: Session, item: Content, autosave: Autosave) -> None:
    if merging.holds_already(session, item, autosave.changes):
        session.delete(autosave)
    else:
        _mark_conflicted(session, autosave)


def _item_to_edit(session: Session, actor: Actor, content_id: int) -> Content:
    seen = visible_content(actor).where(Content.id == content_id)
    item = session.scalar(seen.options(defer(Content.body, raiseload=True)))
    if item is None:
        raise NotFoundError("There is no such item.")
    lifecycle.require_move(session, actor, item, Move.EDIT)
    return item


def _hold_base(session: Session, content_id: int, base_version: int) -> None:
    """Keep an old version from being pruned before there are changes that began from it."""
    held = select(ContentVersion.id).where(
        ContentVersion.content_id == content_id, ContentVersion.number == base_version
    )
    if session.scalar(held.with_for_update(read=True, key_share=True)) is None:
        raise InvalidInputError("base_version", "that version was pruned; read the item again")


def _begin(
    session: Session, actor: Actor, content_id: int, base_version: int, changes: dict[str, Any]
) -> Autosave:
    autosave: Autosave | None = session.scalar(
        insert(Autosave)
        .values(
            content_id=content_id,
            user_id=actor.user_id,
            base_version=base_version,
            changes=changes,
            # No revision comes twice, so that an ETag of changes that are gone fits no later ones.
            revision=func.floor(func.extract("epoch", func.clock_timestamp()) * 1000),
        )
        .on_conflict_do_nothing(index_elements=["content_id", "user_id"])
        .returning(Autosave)
    )
    if autosave is None:
        raise StaleRevisionError(_ALREADY)
    own = select(Autosave.id).where(Autosave.user_id == actor.user_id)
    quotas.require_room(
        session, actor, own, MOST_OF_ONE_PERSON, "items with unsaved changes. Save some of them."
    )
    _enqueue_keeping(session, autosave)
    return autosave


def _require_seen(autosave: Autosave, revisions: Collection[int] | None) -> None:
    if revisions is not None and autosave.revision not in revisions:
        raise StaleRevisionError(_ALREADY)


def _of(actor: Actor, content_id: int) -> Select[Autosave]:
    return select(Autosave).where(
        Autosave.content_id == content_id, Autosave.user_id == actor.user_id
    )


def _lock(session: Session, actor: Actor, content_id: int) -> Autosave | None:
    locked = _of(actor, content_id).with_for_update()
    return session.scalar(locked.execution_options(populate_existing=True))


def _enqueue_keeping(session: Session, autosave: Autosave) -> None:
    message = KeepAutosave(autosave_id=autosave.id)
    enqueue(session, message, run_at=autosave.updated_at + QUIET)


def _seconds_to_quiet(session: Session, autosave: Autosave) -> float:
    waiting = func.extract("epoch", Autosave.updated_at + QUIET - func.clock_timestamp())
    return float(session.scalars(select(waiting).where(Autosave.id == autosave.id)).one())


def _mark_conflicted(session: Session, autosave: Autosave) -> None:
    autosave.conflicted_at = func.clock_timestamp()
    session.flush()
