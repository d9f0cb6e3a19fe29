"""A schedule that failed is tried again, with the very version that it pinned."""

from collections.abc import Collection

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from webapp.jobs.outbox import wake_dispatcher
from webapp.kit.timelines import Action
from webapp.models import Content, ContentVersion, Event, Review, Schedule
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import lifecycle, slugs
from webapp.services.errors import ConflictError, NotFoundError
from webapp.services.publishing import schedules, timelines
from webapp.services.publishing.shown import shown_version


def retry(
    session: Session, actor: Actor, schedule_id: int, revisions: Collection[int] | None
) -> None:
    """Let a schedule that failed be due at once, unless its item has gone public since.

    Raises NotFoundError, ForbiddenError, StaleRevisionError, and ConflictError for one that has not
    failed, or whose item was made public since, whose name is another item's by now, or that could
    not happen as things are.
    """
    item, schedule = schedules.lock_open(
        session, actor, schedule_id, revisions, ("pending", "handed", "waiting", "failed")
    )
    number = _require_failed(session, schedule)
    schedules.require_planning(actor, item, schedule.action)
    if number is not None:
        lifecycle.require_approval(session, actor, item, number)
    _again(session, actor.user_id, item, schedule, number)


def retry_as_operator(session: Session, schedule_id: int) -> None:
    """Do the same by nobody's right but that to run commands, as what was planned rightly once.

    Raises NotFoundError, and ConflictError as `retry` does, and for one that rested upon an
    approval which was taken back since it failed.
    """
    content_id = session.scalar(select(Schedule.content_id).where(Schedule.id == schedule_id))
    if content_id is None:
        raise NotFoundError(f"There is no schedule {schedule_id}.")
    # The item is locked first, as the firing does, so that the two cannot deadlock.
    item = session.get_one(Content, content_id, with_for_update=True)
    schedule = session.get_one(Schedule, schedule_id, with_for_update=True)
    number = _require_failed(session, schedule)
    is_approved = exists().where(
        Review.version_id == schedule.version_id, Review.state == "approved"
    )
    if schedule.rests_on_approval and not session.scalar(select(is_approved)):
        raise ConflictError("The approval that it rests upon was taken back.")
    _again(session, None, item, schedule, number)


def _require_failed(session: Session, schedule: Schedule) -> int | None:
    """Return the number of the version that a failed schedule publishes, if it does."""
    if schedule.state != "failed":
        raise ConflictError(
            f"The schedule is {schedule.state}; only one that failed is tried again."
        )
    if schedule.action != "publish":
        return None
    return session.scalar(
        select(ContentVersion.number).where(ContentVersion.id == schedule.version_id)
    )


def _again(
    session: Session, actor_id: int | None, item: Content, schedule: Schedule, number: int | None
) -> None:
    if number is not None:
        _require_unovertaken(session, item, schedule, number)
        _claim_name(session, item, schedule)
    before = timelines.open_actions(session, item.id)
    again = Action(schedule.action, schedule.due_at, number, schedule.id)  # type: ignore[arg-type]
    timelines.require_possible(session, item, before, [*before, again])
    session.execute(
        update(Schedule)
        .where(Schedule.id == schedule.id)
        .values(
            state="pending", failure=None, if_missed="run", revision=Schedule.revision + 1,
            updated_at=func.clock_timestamp(),
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    session.refresh(schedule)
    activity.record(
        session, actor_id, "schedule.edit", "content", item.id,
        changes=activity.difference({"state": "failed"}, {"state": "pending"}),
        schedule_id=schedule.id,
    )  # fmt: skip
    wake_dispatcher(session)


def _require_unovertaken(session: Session, item: Content, schedule: Schedule, number: int) -> None:
    """Raise ConflictError where a newer version is public, or any went public since it failed."""
    shown = shown_version(session, item)
    is_since = exists().where(Event.content_id == item.id, Event.occurred_at > schedule.updated_at)
    if (shown is not None and shown["version"] > number) or session.scalar(select(is_since)):
        raise ConflictError("A version has gone public since; publish this one, if it is to be.")


def _claim_name(session: Session, item: Content, schedule: Schedule) -> None:
    """Make the name of the pinned version the item's own again; since it failed, others had it."""
    pinned = select(ContentVersion.slug).where(ContentVersion.id == schedule.version_id)
    slug = session.scalars(pinned).one()
    if not slugs.claim_slug(session, item.id, slug):
        raise slugs.taken(slug)
