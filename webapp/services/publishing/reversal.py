"""The way back from what was published or withdrawn, which leaves the schedules of others alone.

An editor who publishes or withdraws has decided anew, and so ends schedules. Who puts back what was
there before has not.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp.kit.lifecycle import Standing
from webapp.kit.permissions import Permission
from webapp.models import Content, ContentVersion, Event, Schedule
from webapp.models.publishing.schedules import IS_OPEN
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import lifecycle, versions
from webapp.services.publishing.publishing import Release, release, withdraw
from webapp.services.publishing.shown import shown_version


@dataclass(frozen=True)
class Shown:
    """The version that was public, and the public time that it showed."""

    number: int
    published_at: datetime


def withdraw_again(session: Session, actor: Actor, item: Content) -> None:
    """Take a locked item back that was not public before. Raises ForbiddenError."""
    actor.require(Permission.CONTENT_PUBLISH)
    shown, before = shown_version(session, item), lifecycle.standing_of(item)
    withdraw(session, [item.id])
    session.refresh(item)
    changes = activity.difference({"status": before}, {"status": lifecycle.standing_of(item)})
    activity.record(
        session, actor.user_id, "content.unpublish", "content", item.id,
        changes=changes, shown=shown,
    )  # fmt: skip


def show_again(session: Session, actor: Actor, item: Content, former: Shown) -> None:
    """Make public what a locked item showed before, at the public time that it had.

    Followers are told only where a withdrawal came before all had heard of it. Raises
    ForbiddenError and NotFoundError.
    """
    actor.require(Permission.CONTENT_PUBLISH)
    lifecycle.require_approval(session, actor, item, former.number)
    version = versions.get_version(session, item.id, former.number)
    before = {"status": lifecycle.standing_of(item)}
    shown = shown_version(session, item)
    if item.status == "published" and item.published_at != former.published_at:
        withdraw(session, [item.id])  # What is public keeps its public time.
    notify = _was_cut_short(session, item.id)
    if notify:
        actor.require(Permission.MESSAGE_SEND)
    release(session, [Release(item.id, version.id, former.published_at)], notify=notify)
    _let_schedules_stand(session, item.id, former.number)
    session.refresh(item)
    told: dict[str, Any] = {"sequence": item.publish_sequence} if notify else {}
    changes = activity.difference(before, {"status": Standing.PUBLISHED})
    activity.record(
        session, actor.user_id, "content.publish", "content", item.id,
        changes=changes, version=former.number, shown=shown, **told,
    )  # fmt: skip


def _was_cut_short(session: Session, content_id: int) -> bool:
    stopped_at = session.scalar(
        select(Event.stopped_at)
        .where(Event.kind == "content.published", Event.content_id == content_id)
        .order_by(Event.sequence.desc())
        .limit(1)
    )
    return stopped_at is not None


def _let_schedules_stand(session: Session, content_id: int, number: int) -> None:
    """Keep open schedules for an older version, which were made after this one had gone public.

    Their moment would take them for overtaken by it, because it has just gone public again.
    """
    older = select(ContentVersion.id).where(
        ContentVersion.content_id == content_id, ContentVersion.number < number
    )
    session.execute(
        update(Schedule)
        .where(
            Schedule.content_id == content_id,
            IS_OPEN,
            Schedule.version_id.in_(older),
        )
        .values(pinned_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
