"""Schedules that wait for somebody's decision: how they come to ask, and how the waiting ends.

One waits because its moment was missed and it says `ask`, or because the rules of its zone have
changed, so that its wall time is another instant by now. What nobody decides does not happen.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.orm import Session

from webapp.jobs.outbox import wake_dispatcher
from webapp.kit.wall_times import WallTime, shown_by_now
from webapp.models import Schedule
from webapp.models.arrays import IdArray, is_one_of
from webapp.services import activity, notices
from webapp.services.accounts.actors import Actor
from webapp.services.errors import ConflictError
from webapp.services.notices import Cause
from webapp.services.publishing import schedules

_ASK = text(
    """
    UPDATE schedules SET state = 'waiting', revision = revision + 1, updated_at = clock_timestamp(),
        failure = 'Its moment was missed: it would have come '
            || CAST(extract(epoch FROM clock_timestamp() - due_at) AS bigint)
            || ' seconds late. Run it now, skip it, or move it.'
    WHERE id = ANY (:schedule_ids) AND state = 'handed'
    """
).bindparams(bindparam("schedule_ids", type_=IdArray()))


@dataclass(frozen=True)
class Decision:
    """What shall become of a schedule that waits; one that moves says where to."""

    what: Literal["run", "skip", "move"]
    due_at: datetime | None = None
    wall: WallTime | None = None


def ask_about_missed(session: Session, schedule_ids: Sequence[int]) -> None:
    """Let handed schedules wait whose moment was missed, and tell who made them."""
    if schedule_ids:
        session.execute(_ASK, {"schedule_ids": schedule_ids})
        tell_makers(session, schedule_ids)


def tell_makers(session: Session, schedule_ids: Sequence[int]) -> None:
    """Tell who made schedules that they wait for a decision, with the question."""
    rows = session.execute(
        select(
            Schedule.id, Schedule.content_id, Schedule.action, Schedule.due_at, Schedule.failure,
            Schedule.revision, Schedule.created_by_id,
        ).where(is_one_of(Schedule.id, schedule_ids), Schedule.created_by_id.is_not(None))
    )  # fmt: skip
    causes = [
        Cause(
            [row.created_by_id], "schedule.waiting", "schedule", row.id, content_id=row.content_id,
            details={
                "action": row.action, "due_at": row.due_at.isoformat(), "words": row.failure or "",
            },
            dedupe=f"schedule.waiting:{row.id}:{row.revision}",
        )
        for row in rows
    ]  # fmt: skip
    notices.tell_all(session, causes)


def decide(
    session: Session,
    actor: Actor,
    schedule_id: int,
    revisions: Collection[int] | None,
    decision: Decision,
) -> None:
    """End the waiting of a schedule: run it at its moment or now, skip it, or move it.

    The item's timeline is judged with it. Raises NotFoundError, ForbiddenError, StaleRevisionError,
    and ConflictError where it does not wait, or could not happen at its place.
    """
    states = ("pending", "handed", "waiting")
    item, schedule = schedules.lock_open(session, actor, schedule_id, revisions, states)
    if schedule.state != "waiting":
        raise ConflictError(f"The schedule is {schedule.state} and waits for no decision.")
    before = {"state": schedule.state, "due_at": schedule.due_at.isoformat()}
    values: dict[str, Any] = {"state": "missed", "failure": "Somebody decided to skip it."}
    if decision.what != "skip":
        due_at = decision.due_at or schedule.due_at
        wall = decision.wall
        if decision.due_at is None and schedule.zone is not None:
            # The instant stands, and the clock shows there what it shows by now.
            wall = shown_by_now(due_at, schedule.zone)
        schedules.require_planning(actor, item, schedule.action)
        schedules.require_pinned(session, actor, item, schedule)
        schedules.judge_change(session, item, schedule, {"due_at": due_at})
        values = {"state": "pending", "failure": None, "due_at": due_at}
        values |= schedules.wall_columns(wall)
        if decision.what == "run":
            values["if_missed"] = "run"
    session.execute(
        update(Schedule)
        .where(Schedule.id == schedule_id)
        .values(**values, revision=Schedule.revision + 1, updated_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
    session.refresh(schedule)
    after = {"state": schedule.state, "due_at": schedule.due_at.isoformat()}
    activity.record(
        session, actor.user_id, "schedule.edit", "content", schedule.content_id,
        changes=activity.difference(before, after), schedule_id=schedule_id,
    )  # fmt: skip
    wake_dispatcher(session)
