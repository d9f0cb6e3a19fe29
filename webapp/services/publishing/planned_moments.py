"""What is planned in a stretch of time, with who planned it: for calendars and their feeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from webapp.models import Content, ContentVersion, Schedule, User
from webapp.services.accounts.actors import Actor
from webapp.services.content.visibility import visible_content


@dataclass(frozen=True)
class PlannedMoment:
    """One schedule as a calendar shows it. `made_by_name` is None once the account is gone."""

    id: int
    content_id: int
    title: str
    action: str
    due_at: datetime
    state: str
    if_missed: str
    failure: str | None
    fired_at: datetime | None
    revision: int
    updated_at: datetime
    version: int | None
    made_by_id: int | None
    made_by_name: str | None


def list_moments(
    session: Session,
    actor: Actor,
    *,
    start: datetime,
    end: datetime,
    after: tuple[datetime, int] | None,
    limit: int,
) -> list[PlannedMoment]:
    """Return what is planned from `start` to before `end`, in the order of its moments.

    Only of items that the actor may see; `after` is the moment and the id that a page ended with.
    """
    statement = _moments(actor, Schedule.due_at >= start, Schedule.due_at < end)
    if after is not None:
        statement = statement.where(func.row(Schedule.due_at, Schedule.id) > func.row(*after))
    ordered = statement.order_by(Schedule.due_at, Schedule.id).limit(limit)
    return [PlannedMoment(*row) for row in session.execute(ordered)]


def list_around_now(
    session: Session, actor: Actor, *, days_ago: int, days_ahead: int, past: int, coming: int
) -> Sequence[PlannedMoment]:
    """Return what is nearest to the present: so many that have passed, and so many that come.

    They are in the order of their moments, and none is further away than so many days.
    """
    now = func.statement_timestamp()
    until = now + func.make_interval(0, 0, 0, days_ahead)
    since = now - func.make_interval(0, 0, 0, days_ago)
    ahead = _moments(actor, Schedule.due_at >= now, Schedule.due_at < until)
    ahead = ahead.order_by(Schedule.due_at, Schedule.id).limit(coming)
    gone = _moments(actor, Schedule.due_at < now, Schedule.due_at >= since)
    gone = gone.order_by(Schedule.due_at.desc(), Schedule.id.desc()).limit(past)
    both = gone.union_all(ahead)
    rows = [PlannedMoment(*row) for row in session.execute(both)]
    return sorted(rows, key=lambda row: (row.due_at, row.id))


def _moments(actor: Actor, *when: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    seen = visible_content(actor).with_only_columns(Content.id)
    return (
        select(
            Schedule.id, Schedule.content_id, func.coalesce(ContentVersion.title, Content.title),
            Schedule.action, Schedule.due_at, Schedule.state, Schedule.if_missed, Schedule.failure,
            Schedule.fired_at, Schedule.revision, Schedule.updated_at, ContentVersion.number,
            Schedule.created_by_id, User.display_name,
        )
        .join(Content, Content.id == Schedule.content_id)
        .outerjoin(ContentVersion, ContentVersion.id == Schedule.version_id)
        .outerjoin(User, User.id == Schedule.created_by_id)
        .where(Schedule.content_id.in_(seen), *when)
    )  # fmt: skip
