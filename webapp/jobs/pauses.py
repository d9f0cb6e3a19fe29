"""Brakes on jobs: what is paused now, what is set aside for it, and what becomes ready after it.

A pause is one row of `job_pauses`. No paused job is claimed. A dispatcher passes over a paused
queue; the jobs of a paused kind or event lie among others, so it sets those that are due aside
(`held`), once for each job, and passes over none of them again. When the pause has ended, lifted
or by itself, they are made ready again before its row goes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    CursorResult,
    Integer,
    and_,
    case,
    delete,
    exists,
    false,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from webapp.jobs.message import Message
from webapp.jobs.messages import MESSAGES
from webapp.models import Job, JobPause

JOBS_A_BATCH = 2_000


class Scope(StrEnum):
    """What a pause is about: `target` is a queue, a kind, or the id of an event."""

    QUEUE = "queue"
    KIND = "kind"
    EVENT = "event"


@dataclass(frozen=True)
class Pause:
    """One row of `job_pauses` as it stood when it was read."""

    id: int
    scope: Scope
    target: str
    reason: str
    paused_by: str
    ends_at: datetime | None
    created_at: datetime

    @property
    def title(self) -> str:
        """Name what is paused, such as `queue mail`."""
        return f"{self.scope.value} {self.target}"


@dataclass(frozen=True)
class Brakes:
    """What a dispatcher has to know of the pauses in its round."""

    pauses: tuple[Pause, ...]
    seconds_to_next_end: float | None
    has_ended_ones: bool

    @property
    def queues(self) -> frozenset[str]:
        """The queues that stand still as a whole."""
        return frozenset(pause.target for pause in self.pauses if pause.scope is Scope.QUEUE)

    @property
    def among_others(self) -> tuple[Pause, ...]:
        """The pauses whose jobs lie in a queue beside others that go on."""
        return tuple(pause for pause in self.pauses if pause.scope is not Scope.QUEUE)


EVENT_KINDS = {kind for kind, message in MESSAGES.items() if "event_id" in message.model_fields}
_EVENT_OF_JOB = Job.payload["event_id"].astext
IS_ACTIVE: ColumnElement[bool] = or_(
    JobPause.ends_at.is_(None), JobPause.ends_at > func.clock_timestamp()
)


def covers_job() -> ColumnElement[bool]:
    """Join a pause with the rows of `jobs` that it is about.

    It is written so that no index is asked: most of the time the table has no row.
    """
    target_in_job = case(
        (JobPause.scope == literal_column("'queue'"), Job.queue),
        (JobPause.scope == literal_column("'kind'"), Job.kind),
        else_=_EVENT_OF_JOB,
    )
    return JobPause.target == target_in_job


def is_paused() -> ColumnElement[bool]:
    """Say of a row of `jobs` in a statement whether a pause holds it now."""
    return exists().where(IS_ACTIVE, covers_job()).correlate(Job)


def is_kind_paused(message: type[Message]) -> ColumnElement[bool]:
    """Say in a statement whether all jobs with this message are paused now."""
    return exists().where(
        IS_ACTIVE,
        or_(
            and_(JobPause.scope == "queue", JobPause.target == message.queue.value),
            and_(JobPause.scope == "kind", JobPause.target == message.kind),
        ),
    )


def queues_of(pause: Pause) -> frozenset[str]:
    """Return the queues in which the jobs of a pause lie."""
    if pause.scope is Scope.QUEUE:
        return frozenset({pause.target})
    kinds = EVENT_KINDS if pause.scope is Scope.EVENT else {pause.target} & MESSAGES.keys()
    return frozenset(MESSAGES[kind].queue.value for kind in kinds)


def read_pauses(session: Session) -> list[Pause]:
    """Return the pauses that hold jobs now, the oldest first."""
    statement = select(JobPause).where(IS_ACTIVE).order_by(JobPause.id)
    found = session.scalars(statement.execution_options(populate_existing=True))
    return [as_pause(row) for row in found]


def read_brakes(session: Session) -> Brakes:
    """Return what a dispatcher has to know, in one statement."""
    statement = select(
        JobPause,
        func.extract("epoch", JobPause.ends_at - func.clock_timestamp()).label("seconds_left"),
    ).order_by(JobPause.id)
    rows = session.execute(statement.execution_options(populate_existing=True)).all()
    left = [None if row.seconds_left is None else float(row.seconds_left) for row in rows]
    active = [
        as_pause(row.JobPause)
        for row, seconds in zip(rows, left, strict=True)
        if seconds is None or seconds > 0
    ]
    return Brakes(
        pauses=tuple(active),
        seconds_to_next_end=min(
            (seconds for seconds in left if seconds is not None and seconds > 0), default=None
        ),
        has_ended_ones=len(active) < len(rows),
    )


def plan_by_index(session: Session) -> None:
    """Let the statements of this transaction find jobs by an ordered index in any case.

    How queue and state go together is nothing that the statistics of the table tell, so in a table
    full of jobs that a pause holds the planner would read many of them to find the few that are
    ready.
    """
    limits = [
        func.set_config(name, "off", True) for name in ("enable_seqscan", "enable_bitmapscan")
    ]
    session.execute(select(*limits))


def set_aside(session: Session, pause: Pause) -> int:
    """Set due jobs of a kind or an event aside while it is paused, at most `JOBS_A_BATCH`.

    Returns how many. The pause's row is locked, so that it does not go before the jobs that it
    holds are known; one that has ended holds nothing more.
    """
    if not _lock_active(session, pause.id):
        return 0
    plan_by_index(session)
    due = (
        select(Job.id)
        .where(
            Job.queue.in_(sorted(queues_of(pause))),
            Job.state == literal_column("'ready'"),
            Job.run_at <= func.clock_timestamp(),
            _is_of(pause),
        )
        .limit(JOBS_A_BATCH)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(Job)
        .where(Job.id.in_(due))
        .values(state="held", held_by_id=pause.id, dispatched_at=null(), dispatches=0)
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], session.execute(statement)).rowcount


@dataclass(frozen=True)
class Ending:
    """What was done for a pause that has ended: jobs made ready, and whether there are no more."""

    pause: Pause
    released: int
    is_over: bool


def release_ended(session: Session) -> Ending | None:
    """Make a batch of what an ended pause held ready again; its row goes with the last of it.

    Returns None where no pause has ended, or others are at it. Who sets jobs aside holds the row
    meanwhile, so none is set aside unseen.
    """
    ended = session.scalar(
        select(JobPause)
        .where(JobPause.ends_at <= func.clock_timestamp())
        .order_by(JobPause.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if ended is None:
        return None
    pause = as_pause(ended)
    is_held_by_it = and_(Job.state == literal_column("'held'"), Job.held_by_id == pause.id)
    batch = select(Job.id).where(is_held_by_it).order_by(Job.id).limit(JOBS_A_BATCH)
    released = _update(
        session,
        Job.id.in_(batch.with_for_update(skip_locked=True)),
        state="ready",
        held_by_id=null(),
    )
    if pause.scope is Scope.QUEUE:
        _forget_hints(session, pause.target)
    gone = session.execute(
        delete(JobPause)
        .where(JobPause.id == pause.id, ~exists().where(is_held_by_it))
        .execution_options(synchronize_session=False)
    )
    return Ending(pause, released, is_over=cast(CursorResult[Any], gone).rowcount == 1)


def _forget_hints(session: Session, queue: str) -> None:
    """Let jobs whose hints came while their queue stood still be hinted anew at once."""
    _update(
        session,
        and_(
            Job.queue == queue,
            Job.state == literal_column("'ready'"),
            Job.dispatched_at.is_not(None),
        ),
        dispatched_at=null(),
        dispatches=0,
    )


def _update(session: Session, which: ColumnElement[bool], **values: object) -> int:
    statement = update(Job).where(which).values(**values)
    found = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], found).rowcount


def _is_of(pause: Pause) -> ColumnElement[bool]:
    if pause.scope is Scope.KIND:
        return Job.kind == pause.target
    if pause.scope is Scope.EVENT:
        return and_(Job.kind.in_(sorted(EVENT_KINDS)), pause.target == _EVENT_OF_JOB)
    return false()


def _lock_active(session: Session, pause_id: int) -> bool:
    locked = select(literal_column("1", Integer)).where(JobPause.id == pause_id, IS_ACTIVE)
    return session.scalar(locked.with_for_update(read=True, of=JobPause)) is not None


def as_pause(row: JobPause) -> Pause:
    """Return a row as the value that it is now."""
    return Pause(
        id=row.id,
        scope=Scope(row.scope),
        target=row.target,
        reason=row.reason,
        paused_by=row.paused_by,
        ends_at=row.ends_at,
        created_at=row.created_at,
    )
