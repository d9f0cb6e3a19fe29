"""Due schedules are handed over: from their rows to jobs of the publishing queue, in batches."""

from typing import Any, cast

from sqlalchemy import (
    CursorResult,
    Integer,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql import ColumnElement
from structlog.contextvars import bound_contextvars

from webapp.jobs.messages import FireSchedules
from webapp.jobs.outbox import chunked, enqueue_many
from webapp.jobs.pauses import is_kind_paused
from webapp.models import Schedule

HANDED_AT_ONCE = 2_000
FIRED_IN_ONE_JOB = 500

_earlier = aliased(Schedule)

# The states are constants, because with parameters a prepared plan could not use partial indexes.
_IS_NEXT: ColumnElement[bool] = and_(
    Schedule.state == literal_column("'pending'"),
    ~exists().where(
        _earlier.content_id == Schedule.content_id,
        _earlier.state.in_([literal_column("'pending'"), literal_column("'handed'")]),
        func.row(_earlier.due_at, _earlier.id) < func.row(Schedule.due_at, Schedule.id),
    ),
)

_DUE = (
    select(Schedule.id)
    .where(_IS_NEXT, Schedule.due_at <= func.statement_timestamp(), ~is_kind_paused(FireSchedules))
    .order_by(Schedule.due_at, Schedule.id)
    .limit(bindparam("at_most", type_=Integer()))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_HAND_OVER = (
    update(Schedule)
    .where(Schedule.id == _DUE.c.id)
    .values(state="handed")
    .returning(Schedule.id, Schedule.due_at, Schedule.request_id)
    .execution_options(synchronize_session=False)
)
_TAKE_BACK = text(
    """
    UPDATE schedules SET state = 'pending', updated_at = clock_timestamp()
    WHERE state = 'handed' AND due_at < clock_timestamp() - interval '1 minute'
      AND NOT EXISTS (
          SELECT 1 FROM jobs
          WHERE jobs.kind = 'schedules.fire'
            AND jobs.state IN ('ready', 'held', 'running', 'failed')
            AND jobs.payload -> 'schedule_ids' @> to_jsonb(schedules.id))
    """
)


def hand_over_due(session: Session, at_most: int = HANDED_AT_ONCE) -> int:
    """Give due schedules to the publishing queue in batches and return how many.

    Any number of dispatchers may do this at once: each takes rows that no other has locked, and
    the rows change state in the transaction that writes their jobs. The later of two schedules of
    one item waits until the earlier is done: after an outage both are due, and only in their order
    do they leave the item as the editor meant. While the firing is paused they stay pending, so
    editors may still change them; those that fell due meanwhile are handed over when it ends.
    """
    rows = session.execute(_HAND_OVER, {"at_most": at_most}).all()
    ids = [row.id for row in sorted(rows, key=lambda row: (row.due_at, row.id))]
    if ids:
        batches = chunked(ids, FIRED_IN_ONE_JOB)
        # A batch has many causes and so no request id; a schedule that is due alone keeps its own.
        with bound_contextvars(request_id=rows[0].request_id if len(rows) == 1 else None):
            enqueue_many(session, [FireSchedules(schedule_ids=tuple(batch)) for batch in batches])
    return len(ids)


def take_back_forgotten(session: Session) -> int:
    """Make schedules pending again whose job is gone or was discarded; returns how many.

    A job that failed keeps its schedules, because an operator can retry it.
    """
    return cast(CursorResult[Any], session.execute(_TAKE_BACK)).rowcount
