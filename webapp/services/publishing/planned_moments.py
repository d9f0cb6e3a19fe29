"""What is planned in a stretch of time, with who planned it: for calendars and their feeds.

That is what schedules say, and the moments of recurrences for which none is made yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    column,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from webapp.models import Content, ContentVersion, Occurrence, Recurrence, Schedule, User
from webapp.services.accounts.actors import Actor
from webapp.services.content.visibility import visible_content


@dataclass(frozen=True)
class PlannedMoment:
    """One moment as a calendar shows it: `expected`, or in the state of its schedule.

    `place` tells those of one instant apart: the id of the schedule, or where none is made yet the
    negative one of the recurrence. `made_by_name` is None once the account is gone. `revision`
    counts the changes of the schedule and of the recurrence, and `local_time` is the wall time of
    the recurrence that it came of.
    """

    place: int
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
    recurrence_id: int | None
    local_time: datetime | None

    @property
    def schedule_id(self) -> int | None:
        """The schedule, where one is made."""
        return self.place if self.place > 0 else None


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

    Only of items that the actor may see; `after` is the moment and the place that a page ended
    with.
    """
    planned = _planned(actor, Schedule.due_at >= start, Schedule.due_at < end)
    expected = _expected(actor, Occurrence.due_at >= start, Occurrence.due_at < end)
    if after is not None:
        planned = planned.where(func.row(Schedule.due_at, Schedule.id) > func.row(*after))
        key = func.row(Occurrence.due_at, -Occurrence.recurrence_id)
        expected = expected.where(key > func.row(*after))
    both = _first(planned, expected, limit).order_by(*_IN_ORDER).limit(limit)
    return [PlannedMoment(*row) for row in session.execute(both)]


def list_around_now(
    session: Session, actor: Actor, *, days_ago: int, days_ahead: int, past: int, coming: int
) -> Sequence[PlannedMoment]:
    """Return what is nearest to the present: so many that have passed, and so many that come.

    They are in the order of their moments, and none is further away than so many days.
    """
    now = func.statement_timestamp()
    until = now + func.make_interval(0, 0, 0, days_ahead)
    since = now - func.make_interval(0, 0, 0, days_ago)
    gone = _planned(actor, Schedule.due_at < now, Schedule.due_at >= since)
    gone = gone.order_by(Schedule.due_at.desc(), Schedule.id.desc()).limit(past)
    ahead = _first(
        _planned(actor, Schedule.due_at >= now, Schedule.due_at < until),
        _expected(actor, Occurrence.due_at >= now, Occurrence.due_at < until),
        coming,
    )
    ahead = ahead.order_by(*_IN_ORDER).limit(coming)
    rows = [PlannedMoment(*row) for part in (gone, ahead) for row in session.execute(part)]
    return sorted(rows, key=lambda row: (row.due_at, row.place))


_IN_ORDER: tuple[ColumnElement[Any], ...] = (column("due_at"), column("place"))


def _first(
    planned: Select[*tuple[Any, ...]], expected: Select[*tuple[Any, ...]], limit: int
) -> CompoundSelect[*tuple[Any, ...]]:
    """Return the first of both kinds: more than so many of either are never wanted."""
    return union_all(
        planned.order_by(Schedule.due_at, Schedule.id).limit(limit),
        expected.order_by(Occurrence.due_at, -Occurrence.recurrence_id).limit(limit),
    )


def _planned(actor: Actor, *when: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    seen = visible_content(actor).with_only_columns(Content.id)
    revision = Schedule.revision + func.coalesce(Recurrence.revision, 0)
    return (
        select(
            Schedule.id.label("place"), Schedule.content_id,
            func.coalesce(ContentVersion.title, Content.title).label("title"), Schedule.action,
            Schedule.due_at.label("due_at"), Schedule.state, Schedule.if_missed, Schedule.failure,
            Schedule.fired_at, revision.label("revision"), Schedule.updated_at,
            ContentVersion.number, Schedule.created_by_id, User.display_name,
            Occurrence.recurrence_id, Occurrence.local_time,
        )
        .join(Content, Content.id == Schedule.content_id)
        .outerjoin(ContentVersion, ContentVersion.id == Schedule.version_id)
        .outerjoin(User, User.id == Schedule.created_by_id)
        .outerjoin(Occurrence, Occurrence.schedule_id == Schedule.id)
        .outerjoin(Recurrence, Recurrence.id == Occurrence.recurrence_id)
        .where(Schedule.content_id.in_(seen), *when)
    )  # fmt: skip


def _expected(actor: Actor, *when: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    seen = visible_content(actor).with_only_columns(Content.id)
    return (
        select(
            (-Occurrence.recurrence_id).label("place"), Recurrence.content_id, Content.title,
            Recurrence.action, Occurrence.due_at.label("due_at"),
            literal("expected").label("state"), Recurrence.if_missed, null().label("failure"),
            null().label("fired_at"), Recurrence.revision, Recurrence.updated_at,
            null().label("number"), Recurrence.made_by_id, User.display_name,
            Occurrence.recurrence_id, Occurrence.local_time,
        )
        .join(Recurrence, Recurrence.id == Occurrence.recurrence_id)
        .join(Content, Content.id == Recurrence.content_id)
        .outerjoin(User, User.id == Recurrence.made_by_id)
        .where(
            Occurrence.schedule_id.is_(None),
            Occurrence.skipped.is_(None),
            Recurrence.content_id.in_(seen),
            *when,
        )
    )  # fmt: skip
