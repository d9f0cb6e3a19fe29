"""The whole story of one schedule, and lists of them, for operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session

from webapp.jobs.messages import FireSchedules
from webapp.jobs.pauses import is_kind_paused
from webapp.models import ActivityLog, ContentVersion, Job, Schedule, User
from webapp.models.publishing.schedules import COMING_STATES
from webapp.services.errors import NotFoundError
from webapp.services.operations import readiness

MOST_LINES = 50
"""How many lines of the activity log a story has at most, the newest."""


@dataclass(frozen=True)
class ScheduleLine:
    """A schedule in a list. Titles are left to the newsroom: operators need not read drafts."""

    id: int
    content_id: int
    action: str
    version: int | None
    due_at: datetime
    state: str
    failure: str | None


@dataclass(frozen=True)
class Happening:
    """A line of the activity log about a schedule, or about what it did."""

    at: datetime
    action: str
    by: str
    details: dict[str, Any]


@dataclass(frozen=True)
class ScheduleStory:
    """What is known of one schedule.

    `rehearsal` has the levels and rules of what was found last, and no words: those may be a
    draft's. `next_step` is a sentence: what comes next by itself, or what somebody has to do.
    `job_id` is the job that it was handed to, where that is not over.
    """

    line: ScheduleLine
    if_missed: str
    planned_by: str
    created_at: datetime
    fired_at: datetime | None
    rehearsed_at: datetime | None
    rehearsal: list[dict[str, str]]
    happenings: list[Happening]
    job_id: int | None
    next_step: str


_LINE = select(
    Schedule.id, Schedule.content_id, Schedule.action, ContentVersion.number.label("version"),
    Schedule.due_at, Schedule.state, Schedule.failure,
).outerjoin(ContentVersion, ContentVersion.id == Schedule.version_id)  # fmt: skip


def list_schedules(
    session: Session,
    *,
    states: Sequence[str],
    content_id: int | None,
    after_id: int | None,
    limit: int,
) -> list[ScheduleLine]:
    """Return schedules in the order of their moments, those behind `after_id` first."""
    statement = _LINE.order_by(Schedule.due_at, Schedule.id).limit(limit)
    if states:
        statement = statement.where(Schedule.state.in_(states))
    if content_id is not None:
        statement = statement.where(Schedule.content_id == content_id)
    if after_id is not None:
        due_at = session.scalar(select(Schedule.due_at).where(Schedule.id == after_id))
        if due_at is None:
            raise NotFoundError(f"There is no schedule {after_id}.")
        key = func.row(Schedule.due_at, Schedule.id)
        statement = statement.where(key > func.row(due_at, after_id))
    return [ScheduleLine(**row._asdict()) for row in session.execute(statement)]


def tell(session: Session, schedule_id: int) -> ScheduleStory:
    """Return the story of a schedule. Raises NotFoundError."""
    row = session.execute(
        select(Schedule, ContentVersion.number, User.login, func.clock_timestamp().label("now"))
        .outerjoin(ContentVersion, ContentVersion.id == Schedule.version_id)
        .outerjoin(User, User.id == Schedule.created_by_id)
        .where(Schedule.id == schedule_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no schedule {schedule_id}.")
    schedule: Schedule = row.Schedule
    job_id = _job_of(session, schedule)
    return ScheduleStory(
        line=ScheduleLine(
            schedule.id, schedule.content_id, schedule.action, row.number, schedule.due_at,
            schedule.state, schedule.failure,
        ),
        if_missed=schedule.if_missed,
        planned_by=row.login or "an account that is gone",
        created_at=schedule.created_at,
        fired_at=schedule.fired_at,
        rehearsed_at=schedule.rehearsed_at,
        rehearsal=[
            {"level": found["level"], "rule": found["rule"]} for found in schedule.rehearsal or ()
        ],
        happenings=_happenings_of(session, schedule),
        job_id=job_id,
        next_step=_what_is_next(session, schedule, job_id, row.now),
    )  # fmt: skip


def _job_of(session: Session, schedule: Schedule) -> int | None:
    """Return the job that has a schedule, by the index of jobs that are not over."""
    if schedule.state != "handed":
        return None
    return session.scalar(
        select(Job.id)
        .where(
            Job.kind == FireSchedules.kind,
            Job.state.in_(["ready", "held", "running", "failed"]),
            Job.payload["schedule_ids"].contains([schedule.id]),
        )
        .order_by(Job.id.desc())
        .limit(1)
    )


def _happenings_of(session: Session, schedule: Schedule) -> list[Happening]:
    of_this = cast(ActivityLog.details["schedule_id"].astext, Integer) == schedule.id
    about_item = (
        ActivityLog.subject_kind == "content", ActivityLog.subject_id == schedule.content_id
    )  # fmt: skip
    lines = (
        select(ActivityLog.created_at, ActivityLog.action, User.login, ActivityLog.details)
        .outerjoin(User, User.id == ActivityLog.actor_id)
        .where(*about_item, ActivityLog.details.has_key("schedule_id"), of_this)
        .order_by(ActivityLog.created_at.desc(), ActivityLog.id.desc())
        .limit(MOST_LINES)
    )
    found = [
        Happening(row.created_at, row.action, row.login or "", row.details)
        for row in session.execute(lines)
    ]
    return found[::-1]


def _what_is_next(session: Session, schedule: Schedule, job_id: int | None, now: datetime) -> str:
    if schedule.state == "failed":
        return f"Nothing, until it is tried again: `flask schedules retry {schedule.id}`."
    if schedule.state == "handed":
        if job_id is None:
            return "A dispatcher takes it back within a minute, because its job is gone."
        return f"A worker carries it out; `flask jobs show {job_id}` tells how far that is."
    if schedule.state != "pending":
        return "Nothing; it has ended."
    if session.scalar(select(is_kind_paused(FireSchedules))):
        return "It waits for the end of a pause; see `flask jobs list`."
    if schedule.due_at > now:
        return "It waits for its moment."
    earlier = _earlier_of(session, schedule)
    if earlier is not None:
        return f"It waits for schedule {earlier}, which comes before it for the same item."
    if not readiness.read_state(session).dispatcher_is_alive:
        return "No dispatcher is alive that could hand it over. Start `flask dispatcher`."
    return "A dispatcher hands it over now."


def _earlier_of(session: Session, schedule: Schedule) -> int | None:
    return session.scalar(
        select(Schedule.id)
        .where(
            Schedule.content_id == schedule.content_id,
            Schedule.state.in_(COMING_STATES),
            func.row(Schedule.due_at, Schedule.id) < func.row(schedule.due_at, schedule.id),
        )
        .order_by(Schedule.due_at, Schedule.id)
        .limit(1)
    )
