"""Who works on which job: claim, renew, finish, and take back from the dead.

Every statement is guarded by state and lease token, so of two workers that believe they hold a job
only one can commit, however the clocks and the network of their machines behave.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import (
    CursorResult,
    Double,
    Result,
    bindparam,
    case,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from webapp.jobs import pauses
from webapp.jobs.attempts import End, Starter, keep_attempts
from webapp.jobs.message import Message
from webapp.jobs.outcomes import LeaseLostError
from webapp.jobs.payloads import write_payload
from webapp.kit.backoff import decline_delay_seconds, retry_delay_seconds
from webapp.models import Job
from webapp.models.arrays import is_one_of

UNNAMED = Starter()


@dataclass(frozen=True)
class ClaimedJob:
    """A job that this worker holds, as it stood when it was claimed."""

    id: int
    queue: str
    kind: str
    payload: dict[str, Any]
    starts: int
    max_starts: int
    declines: int
    lease_token: UUID
    request_id: str | None
    created_at: datetime


def seconds_from_now(seconds: float | ColumnElement[float]) -> ColumnElement[Any]:
    """Return a moment by the database's clock, which is the only one that decides."""
    return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


_IS_TO_TAKE = (
    Job.state == "ready",
    Job.run_at <= func.clock_timestamp(),
    ~pauses.is_paused(),
)
# Every job begins with one of these and ends with `_FINISH`: to put them together would take longer
# than to send them.
_CLAIM_THOSE = (
    update(Job)
    .values(
        state="running",
        starts=Job.starts + 1,
        attempts=Job.attempts + 1,
        started_at=func.clock_timestamp(),
        worker=bindparam("by"),
        release=bindparam("of_release"),
        lease_token=bindparam("token"),
        lease_until=seconds_from_now(bindparam("seconds", type_=Double())),
    )
    .returning(Job.id, Job.queue, Job.kind, Job.payload, Job.starts, Job.max_starts,
               Job.declines, Job.lease_token, Job.request_id, Job.created_at)
    .execution_options(synchronize_session=False)
)  # fmt: skip
_CLAIM = _CLAIM_THOSE.where(Job.id == bindparam("job"), *_IS_TO_TAKE)
_LEASE_ENDED: dict[str, Any] = {"lease_token": null(), "lease_until": null(), "declines": 0}
_RELEASED: dict[str, Any] = {**_LEASE_ENDED, "dispatched_at": null(), "dispatches": 0}
_FINISH = (
    update(Job)
    .where(
        Job.id == bindparam("job"), Job.state == "running", Job.lease_token == bindparam("token")
    )
    .values(state="done", finished_at=func.clock_timestamp(), last_error=null(), **_LEASE_ENDED)
    .execution_options(synchronize_session=False)
)


def claim(
    session: Session, job_id: int, lease_seconds: float, starter: Starter = UNNAMED
) -> ClaimedJob | None:
    """Take a ready job and count the start; None when there is nothing (any more) to take.

    A paused job is not taken, whoever hinted at it and when.

    The caller commits before it runs the body, so that a body that kills its worker is counted.
    """
    values = {"job": job_id, **_holder(lease_seconds, starter)}
    row = session.execute(_CLAIM, values).one_or_none()
    return None if row is None else ClaimedJob(**row._asdict())


def claim_together(
    session: Session,
    job_ids: Sequence[int],
    kinds: Collection[str],
    lease_seconds: float,
    starter: Starter = UNNAMED,
) -> list[ClaimedJob]:
    """Take those of some ready jobs that are of these kinds and were never started.

    One that was started before, and did not end well, is left for `claim`: alone, it can harm no
    other. The caller commits as `claim` says.
    """
    fresh = (
        select(Job.id)
        .where(is_one_of(Job.id, job_ids), Job.kind.in_(kinds), Job.starts == 0, *_IS_TO_TAKE)
        .order_by(Job.id)
        .with_for_update(skip_locked=True)
    )
    values = _holder(lease_seconds, starter)
    rows = session.execute(_CLAIM_THOSE.where(Job.id.in_(fresh)), values)
    return sorted((ClaimedJob(**row._asdict()) for row in rows), key=lambda job: job.id)


def _holder(lease_seconds: float, starter: Starter) -> dict[str, Any]:
    return {
        "by": starter.worker,
        "of_release": starter.release,
        "token": uuid4(),
        "seconds": lease_seconds,
    }


def renew(session: Session, job: ClaimedJob, lease_seconds: float) -> None:
    """Fence the transaction of a step and prolong the lease; raises LeaseLostError."""
    _guarded(session, job, lease_until=seconds_from_now(lease_seconds))


def note_progress(session: Session, job: ClaimedJob, message: Message) -> None:
    """Write into the job's row with what message it goes on; raises LeaseLostError."""
    _guarded(session, job, payload=write_payload(message))


def finish(session: Session, job: ClaimedJob) -> None:
    """Mark the job done in the handler's own transaction; raises LeaseLostError."""
    _hold(session.execute(_FINISH, {"job": job.id, "token": job.lease_token}), job)


def snooze(session: Session, job: ClaimedJob, seconds: float) -> None:
    """Put a job that made progress back for later; raises LeaseLostError."""
    _guarded(session, job, state="ready", run_at=seconds_from_now(seconds), starts=0,
             **_RELEASED)  # fmt: skip


def finish_together(session: Session, jobs: Sequence[ClaimedJob]) -> None:
    """Mark jobs done that were claimed together; raises LeaseLostError where one is not held."""
    _guarded_together(session, jobs, state="done", finished_at=func.clock_timestamp(),
                      last_error=null(), **_LEASE_ENDED)  # fmt: skip


def snooze_together(session: Session, jobs: Sequence[ClaimedJob], seconds: float) -> None:
    """Put jobs that were claimed together back for later; raises LeaseLostError."""
    _guarded_together(session, jobs, state="ready", run_at=seconds_from_now(seconds), starts=0,
                      **_RELEASED)  # fmt: skip


def leave_to_be_run_alone(session: Session, jobs: Sequence[ClaimedJob]) -> int:
    """Make jobs ready again that were claimed together and want to be run one by one.

    Their start counts, so `claim_together` passes over them. Returns how many were still held.
    """
    return _update_together(session, jobs, state="ready", **_RELEASED)


def fail(
    session: Session, job: ClaimedJob, reason: str, *, final: bool, after_seconds: float | None
) -> str:
    """Record a failed start and return the new state: `ready` with a later start, or `failed`.

    Raises LeaseLostError.
    """
    gives_up = final or job.starts >= job.max_starts
    delay = retry_delay_seconds(job.starts) if after_seconds is None else after_seconds
    _guarded(
        session,
        job,
        state="failed" if gives_up else "ready",
        run_at=seconds_from_now(delay),
        finished_at=func.clock_timestamp() if gives_up else null(),
        last_error=reason[:2000],
        **_RELEASED,
    )
    keep_attempts(session, [job.id], End.FAILED if gives_up else End.RETRIED)
    return "failed" if gives_up else "ready"


def decline(session: Session, job: ClaimedJob, reason: str) -> float:
    """Leave a job to a worker of another release, after a growing wait; returns its seconds.

    The start does not count. Raises LeaseLostError.
    """
    declines = job.declines + 1
    delay = decline_delay_seconds(declines)
    released = {**_RELEASED, "declines": declines}
    _guarded(session, job, state="ready", run_at=seconds_from_now(delay), starts=Job.starts - 1,
             last_error=reason[:2000], **released)  # fmt: skip
    keep_attempts(session, [job.id], End.DECLINED)
    return delay


def put_back(session: Session, job: ClaimedJob) -> None:
    """Make a job ready again that its worker had to leave unharmed; raises LeaseLostError.

    The start does not count.
    """
    _guarded(session, job, state="ready", starts=Job.starts - 1, **_RELEASED)
    keep_attempts(session, [job.id], End.CUT_OFF, reason="Its worker was asked to stop.")


def put_back_together(session: Session, jobs: Sequence[ClaimedJob]) -> None:
    """Do as `put_back` does with jobs that were claimed together; of those that are still held."""
    _update_together(session, jobs, state="ready", starts=Job.starts - 1, **_RELEASED)


def take_back_expired(session: Session, limit: int = 500) -> int:
    """Make jobs whose lease has ended ready again, or failed after their last start.

    Returns how many. A worker that is merely slow finds its lease token gone and commits nothing.
    """
    expired = (
        Job.__table__.select()
        .with_only_columns(Job.id)
        .where(Job.state == literal_column("'running'"), Job.lease_until < func.clock_timestamp())
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    spent = Job.starts >= Job.max_starts
    statement = (
        update(Job)
        .where(Job.id.in_(expired))
        .values(
            state=case((spent, "failed"), else_="ready"),
            run_at=func.clock_timestamp(),
            finished_at=case((spent, func.clock_timestamp()), else_=null()),
            last_error="The lease ended: the worker died, was stopped or stalled.",
            **_RELEASED,
        )
        .returning(Job.id)
    )
    taken_back = session.scalars(statement).all()
    keep_attempts(session, taken_back, End.LEASE_ENDED)
    return len(taken_back)


def _guarded(session: Session, job: ClaimedJob, **values: Any) -> None:  # noqa: ANN401
    statement = (
        update(Job)
        .where(Job.id == job.id, Job.state == "running", Job.lease_token == job.lease_token)
        .values(**values)
    )
    _hold(session.execute(statement), job)


def _hold(result: Result[Any], job: ClaimedJob) -> None:
    """Raise LeaseLostError unless the guarded statement has found the job."""
    if cast(CursorResult[Any], result).rowcount != 1:
        raise LeaseLostError(f"job {job.id}")


def _guarded_together(session: Session, jobs: Sequence[ClaimedJob], **values: Any) -> None:  # noqa: ANN401
    if _update_together(session, jobs, **values) != len(jobs):
        raise LeaseLostError(f"one of {len(jobs)} jobs")


def _update_together(session: Session, jobs: Sequence[ClaimedJob], **values: Any) -> int:  # noqa: ANN401
    if not jobs:
        return 0
    statement = (
        update(Job)
        .where(
            is_one_of(Job.id, [job.id for job in jobs]),
            Job.state == "running",
            Job.lease_token == jobs[0].lease_token,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], session.execute(statement)).rowcount
