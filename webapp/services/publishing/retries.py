"""A schedule that failed is tried again, with the very version that it pinned."""

from collections.abc import Collection

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from webapp.jobs.outbox import wake_dispatcher
from webapp.kit.timelines import Action
from webapp.models import Content, ContentVersion, Event, Schedule
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import lifecycle
from webapp.services.errors import ConflictError
from webapp.services.publishing import schedules, timelines
from webapp.services.publishing.shown import shown_version


def retry(
    session: Session, actor: Actor, schedule_id: int, revisions: Collection[int] | None
) -> None:
    """Let a schedule that failed be due at once, unless its item has gone public since.

    Raises NotFoundError, ForbiddenError, StaleRevisionError, and ConflictError for one that has not
    failed, or whose item was made public since, or that could not happen as things are.
    """
    item, schedule = schedules.lock_open(
        session, actor, schedule_id, revisions, ("pending", "handed", "waiting", "failed")
    )
    if schedule.state != "failed":
        raise ConflictError(
            f"The schedule is {schedule.state}; only one that failed is tried again."
        )
    schedules.require_planning(actor, item, schedule.action)
    number = session.scalar(
        select(ContentVersion.number).where(ContentVersion.id == schedule.version_id)
    )
    if schedule.action == "publish" and number is not None:
        lifecycle.require_approval(session, actor, item, number)
        _require_unovertaken(session, item, schedule, number)
    before = timelines.open_actions(session, item.id)
    again = Action(schedule.action, schedule.due_at, number, schedule.id)  # type: ignore[arg-type]
    timelines.require_possible(session, item, before, [*before, again])
    session.execute(
        update(Schedule)
        .where(Schedule.id == schedule_id)
        .values(
            state="pending", failure=None, if_missed="run", revision=Schedule.revision + 1,
            updated_at=func.clock_timestamp(),
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    session.refresh(schedule)
    activity.record(
        session, actor.user_id, "schedule.edit", "content", item.id,
        changes=activity.difference({"state": "failed"}, {"state": "pending"}),
        schedule_id=schedule_id,
    )  # fmt: skip
    wake_dispatcher(session)


def _require_unovertaken(session: Session, item: Content, schedule: Schedule, number: int) -> None:
    """Raise ConflictError where a newer version is public, or any went public since it failed."""
    shown = shown_version(session, item)
    is_since = exists().where(Event.content_id == item.id, Event.occurred_at > schedule.updated_at)
    if (shown is not None and shown["version"] > number) or session.scalar(select(is_since)):
        raise ConflictError("A version has gone public since; publish this one, if it is to be.")
