"""What is planned, as authors and editors see it: one, those of an item, and those of a time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from webapp.models import Content, ContentVersion, Schedule
from webapp.models.publishing.schedules import IS_OPEN
from webapp.services.accounts.actors import Actor
from webapp.services.content import item_reads
from webapp.services.content.visibility import visible_content
from webapp.services.errors import NotFoundError

_PLACE = func.row(Schedule.due_at, Schedule.id)


@dataclass(frozen=True)
class ScheduleView:
    """One schedule, with what a person needs to recognise it."""

    schedule: Schedule
    title: str
    version_number: int | None


def get(session: Session, actor: Actor, schedule_id: int) -> ScheduleView:
    """Return one schedule of an item that the actor may see. Raises NotFoundError."""
    row = session.execute(_visible(actor).where(Schedule.id == schedule_id)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such schedule.")
    return ScheduleView(*row)


def list_open(
    session: Session,
    actor: Actor,
    content_id: int,
    *,
    after: tuple[datetime, int] | None,
    limit: int,
) -> list[ScheduleView]:
    """Return the open schedules of an item in the order of its timeline. Raises NotFoundError."""
    item_reads.require_item(session, actor, content_id)
    statement = _visible(actor).where(Schedule.content_id == content_id, IS_OPEN)
    if after is not None:
        statement = statement.where(func.row(*after) < _PLACE)
    statement = statement.order_by(Schedule.due_at, Schedule.id).limit(limit)
    return [ScheduleView(*row) for row in session.execute(statement)]


def list_ended(
    session: Session, actor: Actor, content_id: int, *, before: int | None, limit: int
) -> list[ScheduleView]:
    """Return the schedules of an item that have ended, those made last first.

    `before` is the id that the page before ended with. Raises NotFoundError.
    """
    item_reads.require_item(session, actor, content_id)
    statement = _visible(actor).where(Schedule.content_id == content_id, ~IS_OPEN)
    if before is not None:
        statement = statement.where(Schedule.id < before)
    statement = statement.order_by(Schedule.id.desc()).limit(limit)
    return [ScheduleView(*row) for row in session.execute(statement)]


def list_between(
    session: Session,
    actor: Actor,
    *,
    start: datetime | None,
    end: datetime | None,
    after: tuple[datetime, int] | None,
    limit: int,
) -> list[ScheduleView]:
    """Return schedules in the order of their moments, from `start` to before `end`."""
    statement = _visible(actor).order_by(Schedule.due_at, Schedule.id).limit(limit)
    if start is not None:
        statement = statement.where(Schedule.due_at >= start)
    if end is not None:
        statement = statement.where(Schedule.due_at < end)
    if after is not None:
        statement = statement.where(func.row(*after) < _PLACE)
    return [ScheduleView(*row) for row in session.execute(statement)]


def _visible(actor: Actor) -> Select[Schedule, str, int | None]:
    seen = visible_content(actor).with_only_columns(Content.id)
    return (
        select(
            Schedule,
            func.coalesce(ContentVersion.title, Content.title),
            ContentVersion.number,
        )
        .join(Content, Content.id == Schedule.content_id)
        .outerjoin(ContentVersion, ContentVersion.id == Schedule.version_id)
        .where(Schedule.content_id.in_(seen))
    )
