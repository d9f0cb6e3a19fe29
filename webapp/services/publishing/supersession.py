"""Schedules that a later decision of an editor contradicts: they end, and say why.

A schedule never brings back what an editor has replaced or withdrawn. Publishing ends the item's
open schedules for the same version or an older one; one for a newer version stays, and so does one
to unpublish. What follows upon a newer version stays as well: the return to an older one after it
was planned as a return. Unpublishing ends all of the item's open schedules. An editor who plans the
return to an older version afterwards means it, and is not stopped.
"""

from collections.abc import Sequence

from sqlalchemy import and_, exists, func, literal, or_, select, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql import ColumnElement

from webapp.kit.timelines import overtaken
from webapp.models import ContentVersion, Publication, Release, ReleaseEntry, Schedule
from webapp.models.arrays import is_one_of
from webapp.models.publishing.schedules import IS_OPEN
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.publishing import schedule_notices
from webapp.services.publishing.schedule_notices import Ended
from webapp.services.publishing.timelines import open_actions

WITHDRAWN = "The item was unpublished before its moment."
NOT_APPROVED = "The approval that it rests upon was taken back before its moment."
OLDER = "A newer version was published before its moment."


def end_at_publication(session: Session, actor: Actor, content_id: int, number: int) -> None:
    """End the open schedules that would put the same version, or an older one, in the new one's
    place.

    The item is locked by the caller, so that a firing comes either before or after all of this.
    """
    ended = overtaken(open_actions(session, content_id), number)
    ids = [action.id for action in ended if action.of == "schedule" and action.id is not None]
    if ids:
        reason = f"Version {number} was published before its moment."
        _end(session, actor.user_id, is_one_of(Schedule.id, ids), reason)


def end_at_withdrawal(session: Session, actor: Actor, content_id: int) -> None:
    """End every open schedule of an item that is locked by the caller."""
    _end(session, actor.user_id, Schedule.content_id == content_id, WITHDRAWN)


def end_at_withdrawals(session: Session, actor: Actor, content_ids: Sequence[int]) -> None:
    """Do the same to many items."""
    _end(session, actor.user_id, is_one_of(Schedule.content_id, content_ids), WITHDRAWN)


def end_with_approval(
    session: Session, actor: Actor, content_id: int, version_id: int, schedule_id: int | None
) -> None:
    """End the open schedules that rest upon the approval of a version, and still pin that one.

    `schedule_id` is the one that the review names, which is all that the release before notes. The
    item is locked by the caller.
    """
    condition = and_(
        Schedule.content_id == content_id,
        Schedule.version_id == version_id,
        or_(Schedule.rests_on_approval, Schedule.id == schedule_id),
    )
    _end(session, actor.user_id, condition, NOT_APPROVED)


def end_at_firing(session: Session, schedule_ids: Sequence[int]) -> None:
    """End schedules that `is_superseded` was true of, in nobody's name."""
    if schedule_ids:
        _end(session, None, is_one_of(Schedule.id, schedule_ids), OLDER)


def advice(session: Session, content_id: int) -> str:
    """Return a sentence that names the next open schedule to publish an item, or nothing."""
    planned = (
        select(Schedule.id)
        .where(Schedule.content_id == content_id, Schedule.action == "publish", IS_OPEN)
        .order_by(Schedule.due_at, Schedule.id)
        .limit(1)
    )
    schedule_id = session.scalar(planned)
    return "" if schedule_id is None else f" Schedule {schedule_id} would make it so; cancel it."


def is_superseded() -> ColumnElement[bool]:
    """Return the condition that a schedule would replace a newer version by an older one unasked.

    It was asked for when its version was chosen after the newer one had gone public: PostgreSQL
    wrote both moments while it held the lock of the item. And it is a return that was planned where
    the timeline itself has brought the newer one: the schedule or the release of it notes its end
    after the document.
    """
    shown, pinned = aliased(ContentVersion), aliased(ContentVersion)
    earlier = aliased(Schedule)
    came_by_timeline = exists().where(
        earlier.content_id == Publication.content_id,
        earlier.version_id == Publication.version_id,
        earlier.state == "fired",
        earlier.fired_at >= Publication.updated_at,
    )
    came_by_release = exists(
        select(literal(1))
        .select_from(ReleaseEntry)
        .join(Release, Release.id == ReleaseEntry.release_id)
        .where(
            ReleaseEntry.content_id == Publication.content_id,
            ReleaseEntry.version_id == Publication.version_id,
            Release.went_live_at >= Publication.updated_at,
        )
    )
    return exists(
        select(literal(1))
        .select_from(Publication)
        .join(shown, shown.id == Publication.version_id)
        .join(pinned, pinned.id == Schedule.version_id)
        .where(
            Publication.content_id == Schedule.content_id,
            shown.number > pinned.number,
            Publication.updated_at > func.coalesce(Schedule.pinned_at, Schedule.created_at),
            ~came_by_timeline,
            ~came_by_release,
        )
        .correlate(Schedule)
    )


def _end(
    session: Session, actor_id: int | None, condition: ColumnElement[bool], reason: str
) -> None:
    ended = session.execute(
        update(Schedule)
        .where(condition, IS_OPEN)
        .values(
            state="cancelled",
            failure=reason,
            revision=Schedule.revision + 1,
            updated_at=func.clock_timestamp(),
        )
        .returning(
            Schedule.id, Schedule.content_id, Schedule.action, Schedule.due_at,
            Schedule.created_by_id,
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    rows = [Ended(*row) for row in ended]
    for row in rows:
        activity.record(
            session, actor_id, "schedule.supersede", "content", row.content_id,
            schedule_id=row.id, reason=reason,
        )  # fmt: skip
    schedule_notices.tell_of_ends(session, rows, reason, actor_id)
