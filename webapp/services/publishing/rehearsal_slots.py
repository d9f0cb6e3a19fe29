"""When schedules are rehearsed: those of one minute together, some minutes before it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, literal, literal_column, or_, select
from sqlalchemy.orm import Session

from webapp.jobs.messages import RehearseSchedules
from webapp.jobs.outbox import enqueue_many
from webapp.models import Schedule

AT_ONCE = 50
"""How many schedules are rehearsed in one transaction: some hundred milliseconds."""

SLOT = timedelta(minutes=1)
MOST_SLOTS = 120


def write_due(session: Session, minutes: int) -> int:
    """Write a job for each minute with schedules that are due within so many, and not rehearsed.

    The first schedule that is not is part of the duty's name: one that is put into the minute when
    its rehearsal is over has another, and two dispatchers find the same. Returns how many are new.
    """
    if not minutes:
        return 0
    slot = func.date_trunc("minute", Schedule.due_at).label("slot")
    due = (
        select(slot, func.min(Schedule.id).label("first_id"))
        .where(
            _is_unrehearsed(minutes),
            # An index finds rows by the moment of the statement, and by no clock that goes on.
            Schedule.due_at > func.statement_timestamp(),
            Schedule.due_at < func.statement_timestamp() + _stretch(minutes),
        )
        .group_by(slot)
        .order_by(slot)
        .limit(MOST_SLOTS)
    )
    found = session.execute(due).all()
    return enqueue_many(
        session,
        [RehearseSchedules(slot=row.slot, first_id=row.first_id, minutes=minutes) for row in found],
    )


def next_of(session: Session, slot: datetime, minutes: int, after_id: int) -> Sequence[int]:
    """Return the next schedules of a minute that are still to be rehearsed."""
    return session.scalars(
        select(Schedule.id)
        .where(
            _is_unrehearsed(minutes),
            Schedule.due_at >= slot,
            Schedule.due_at < slot + SLOT,
            Schedule.id > after_id,
        )
        .order_by(Schedule.id)
        .limit(AT_ONCE)
    ).all()


def _is_unrehearsed(minutes: int) -> ColumnElement[bool]:
    """Return the condition that a schedule waits and was not rehearsed so close to its moment.

    The state is a constant, because with a parameter a prepared plan could not use the index.
    """
    return and_(
        Schedule.state == literal_column("'pending'"),
        or_(
            Schedule.rehearsed_at.is_(None),
            Schedule.rehearsed_at < Schedule.due_at - _stretch(minutes),
        ),
    )


def _stretch(minutes: int) -> ColumnElement[timedelta]:
    return literal(timedelta(minutes=minutes))
