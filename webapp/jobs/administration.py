"""What operators do with jobs: look, retry, discard."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, case, func, null, select, update
from sqlalchemy.orm import Session

from webapp.jobs.outbox import wake_dispatcher
from webapp.jobs.pauses import IS_ACTIVE, covers_job
from webapp.models import Job, JobPause


@dataclass(frozen=True)
class JobLine:
    """One job as an operator sees it in a list; `held_by` names the pause that holds it."""

    id: int
    queue: str
    kind: str
    state: str
    starts: int
    max_starts: int
    run_at: datetime
    created_at: datetime
    request_id: str | None
    last_error: str | None
    held_by: str | None


def list_jobs(
    session: Session,
    *,
    state: str | None = None,
    queue: str | None = None,
    kind: str | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[JobLine]:
    """Return jobs, newest first, filtered by state, queue and kind, from below `before_id`."""
    statement = select(
        Job.id, Job.queue, Job.kind, Job.state, Job.starts, Job.max_starts, Job.run_at,
        Job.created_at, Job.request_id, Job.last_error, _holding_pause().label("held_by"),
    ).order_by(Job.id.desc()).limit(limit)  # fmt: skip
    if state is not None:
        statement = statement.where(Job.state == state)
    if queue is not None:
        statement = statement.where(Job.queue == queue)
    if kind is not None:
        statement = statement.where(Job.kind == kind)
    if before_id is not None:
        statement = statement.where(Job.id < before_id)
    return [JobLine(**row._asdict()) for row in session.execute(statement)]


def _holding_pause() -> ColumnElement[str | None]:
    """Name a pause that holds a job which waits, such as `queue mail`."""
    title = JobPause.scope + " " + JobPause.target
    holding = select(func.min(title)).where(IS_ACTIVE, covers_job()).correlate(Job)
    waits = Job.state.in_(["ready", "held"])
    return case((waits, holding.scalar_subquery()), else_=null())


def retry_jobs(session: Session, job_ids: list[int]) -> int:
    """Make failed or discarded jobs ready again with fresh starts; returns how many."""
    statement = (
        update(Job)
        .where(Job.id.in_(job_ids), Job.state.in_(["failed", "discarded"]))
        .values(
            state="ready",
            starts=0,
            declines=0,
            run_at=func.clock_timestamp(),
            finished_at=null(),
            dispatched_at=null(),
            dispatches=0,
        )
    )
    wake_dispatcher(session)
    return cast(CursorResult[Any], session.execute(statement)).rowcount


def failed_job_ids(session: Session, limit: int = 1000) -> list[int]:
    """Return the ids of failed jobs, oldest first."""
    statement = select(Job.id).where(Job.state == "failed").order_by(Job.id).limit(limit)
    return list(session.scalars(statement))


def discard_jobs(session: Session, job_ids: list[int]) -> int:
    """Set jobs that wait or failed aside for good; returns how many. A running one is left."""
    statement = (
        update(Job)
        .where(Job.id.in_(job_ids), Job.state.in_(["ready", "held", "failed"]))
        .values(state="discarded", held_by_id=null(), finished_at=func.clock_timestamp())
    )
    return cast(CursorResult[Any], session.execute(statement)).rowcount


def count_failed(session: Session) -> int:
    """Return how many jobs have given up, counting no further than a thousand."""
    failed = select(Job.id).where(Job.state == "failed").limit(1000)
    return session.scalar(select(func.count()).select_from(failed.subquery())) or 0
