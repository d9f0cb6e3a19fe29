"""Carry out schedules that are due: in one batch, and singly where a batch fails."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import case, func, select, update
from sqlalchemy.exc import DataError, IntegrityError, InternalError, OperationalError
from sqlalchemy.orm import Session

from webapp.models import Content, Schedule
from webapp.services import activity
from webapp.services.publishing import Release, release, withdraw


@dataclass
class Firing:
    """What became of a batch of schedules, by their ids."""

    fired: list[int] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    lateness_seconds: list[float] = field(default_factory=list)


def fire(
    session: Session,
    schedule_ids: Sequence[int],
    *,
    missed_after_seconds: float,
) -> Firing:
    """Carry out handed schedules and say what became of each.

    The rows are locked, and only those still `handed` are touched, so a schedule fires once however
    often this runs. A schedule that is later than `missed_after_seconds` and says `skip` is marked
    as missed. When the database refuses the batch, each schedule is tried alone, and the one that
    is refused alone is marked as failed with the reason, so one bad row never holds up the rest.
    """
    result = Firing()
    _lock_items(session, schedule_ids)
    rows = session.execute(
        select(
            Schedule,
            func.extract("epoch", func.clock_timestamp() - Schedule.due_at).label("late"),
        )
        .where(Schedule.id.in_(schedule_ids), Schedule.state == "handed")
        .order_by(Schedule.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    due: list[Schedule] = []
    for schedule, late in rows:
        if schedule.if_missed == "skip" and late > missed_after_seconds:
            result.missed.append(schedule.id)
        else:
            due.append(schedule)
            result.lateness_seconds.append(float(late))
    _carry_out(session, due, result)
    _record(session, result)
    return result


def _lock_items(session: Session, schedule_ids: Sequence[int]) -> None:
    """Lock the items before the schedules, as every other change does, so none can deadlock."""
    of_schedules = select(Schedule.content_id).where(Schedule.id.in_(schedule_ids))
    locked = select(Content.id).where(Content.id.in_(of_schedules)).order_by(Content.id)
    session.execute(locked.with_for_update())


def _carry_out(session: Session, due: list[Schedule], result: Firing) -> None:
    try:
        with session.begin_nested():
            _apply(session, due, result)
    except (IntegrityError, DataError, InternalError, OperationalError) as error:
        if session.connection().invalidated:
            raise
        if len(due) == 1:
            result.failed[due[0].id] = str(error.orig)[:1000]
            return
        for schedule in due:
            _carry_out(session, [schedule], result)


def _apply(session: Session, due: list[Schedule], result: Firing) -> None:
    releases = [
        Release(row.content_id, row.version_id, row.due_at)
        for row in due
        if row.action == "publish" and row.version_id is not None
    ]
    reached = release(session, releases) if releases else set()
    withdrawn = [row.content_id for row in due if row.action == "unpublish"]
    if withdrawn:
        withdraw(session, withdrawn)
        # An item that is not public any more has already got what the schedule wanted.
        reached |= set(withdrawn)
    for row in due:
        if row.content_id in reached:
            result.fired.append(row.id)
        else:
            result.failed[row.id] = "The item is in the trash."


def _record(session: Session, result: Firing) -> None:
    ids = [*result.fired, *result.missed, *result.failed]
    if not ids:
        return
    session.execute(
        update(Schedule)
        .where(Schedule.id.in_(ids), Schedule.state == "handed")
        .values(
            state=case(
                (Schedule.id.in_(result.fired), "fired"),
                (Schedule.id.in_(result.missed), "missed"),
                else_="failed",
            ),
            fired_at=case((Schedule.id.in_(result.fired), func.clock_timestamp())),
            updated_at=func.clock_timestamp(),
            revision=Schedule.revision + 1,
        )
        .execution_options(synchronize_session=False)
    )
    for schedule_id, reason in result.failed.items():
        session.execute(
            update(Schedule)
            .where(Schedule.id == schedule_id)
            .values(failure=reason)
            .execution_options(synchronize_session=False)
        )
        activity.record(session, None, "schedule.fail", "schedule", schedule_id, reason=reason)
