"""The whole story of one job: its cause, its starts, what holds it, and what happens next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.jobs.attempts import KEPT_FOR_EACH_JOB
from webapp.jobs.pauses import IS_ACTIVE, Pause, as_pause, covers_job
from webapp.kit.redaction import without_addresses
from webapp.models import Job, JobAttempt, JobPause
from webapp.services.errors import NotFoundError
from webapp.services.operations import readiness

KEPT_DAYS = 7  # As the housekeeping of jobs says.
DIGITS_OF_A_HASH = 12


@dataclass(frozen=True)
class Attempt:
    """A start that did not end well, by its number among all starts of the job."""

    number: int
    started_at: datetime | None
    ended_at: datetime
    worker: str | None
    release: str | None
    ended_as: str
    reason: str | None


@dataclass(frozen=True)
class JobStory:
    """What is known of one job.

    `started_at`, `worker` and `release` are those of its last start; `attempts` counts all starts,
    and `unsuccessful` are the newest of those that did not end well. `next_step` is a sentence, and
    `next_at` its moment where there is one.
    """

    id: int
    queue: str
    kind: str
    state: str
    created_at: datetime
    request_id: str | None
    payload: dict[str, Any]
    run_at: datetime
    starts: int
    max_starts: int
    attempts: int
    unsuccessful: list[Attempt]
    started_at: datetime | None
    worker: str | None
    release: str | None
    lease_until: datetime | None
    dispatches: int
    dispatched_at: datetime | None
    finished_at: datetime | None
    last_error: str | None
    held_by: list[Pause]
    next_step: str
    next_at: datetime | None


def tell(session: Session, job_id: int, *, redispatch_seconds: float) -> JobStory:
    """Return the story of a job. Raises NotFoundError."""
    found = session.execute(
        select(Job, func.clock_timestamp().label("now")).where(Job.id == job_id)
    ).one_or_none()
    if found is None:
        raise NotFoundError(
            f"There is no job {job_id}. Done and discarded ones are kept for {KEPT_DAYS} days."
        )
    job: Job = found.Job
    held_by = _pauses_of(session, job)
    next_step, next_at = _what_is_next(session, job, held_by, found.now, redispatch_seconds)
    return JobStory(
        payload={name: _shown(name, value) for name, value in job.payload.items()},
        unsuccessful=_attempts_of(session, job_id),
        held_by=held_by,
        next_step=next_step,
        next_at=next_at,
        **{name: getattr(job, name) for name in _FROM_THE_ROW},
    )


_FROM_THE_ROW = (
    "id", "queue", "kind", "state", "created_at", "request_id", "run_at", "starts", "max_starts",
    "attempts", "started_at", "worker", "release", "lease_until", "dispatches", "dispatched_at",
    "finished_at", "last_error",
)  # fmt: skip


def _shown(name: str, value: Any) -> Any:  # noqa: ANN401
    """Return a value of a payload without what tells of a person."""
    if not isinstance(value, str):
        return value
    return value[:DIGITS_OF_A_HASH] + "…" if name.endswith("_hash") else without_addresses(value)


def _pauses_of(session: Session, job: Job) -> list[Pause]:
    if job.state not in {"ready", "held"}:
        return []
    statement = (
        select(JobPause)
        .join(Job, covers_job())
        .where(Job.id == job.id, IS_ACTIVE)
        .order_by(JobPause.id)
    )
    return [as_pause(row) for row in session.scalars(statement)]


def _attempts_of(session: Session, job_id: int) -> list[Attempt]:
    statement = (
        select(JobAttempt.number, JobAttempt.started_at, JobAttempt.ended_at, JobAttempt.worker,
               JobAttempt.release, JobAttempt.ended_as, JobAttempt.reason)
        .where(JobAttempt.job_id == job_id)
        .order_by(JobAttempt.number)
        .limit(KEPT_FOR_EACH_JOB)
    )  # fmt: skip
    return [Attempt(**row._asdict()) for row in session.execute(statement)]


def _what_is_next(
    session: Session,
    job: Job,
    held_by: Sequence[Pause],
    now: datetime,
    redispatch_seconds: float,
) -> tuple[str, datetime | None]:
    """Say what happens next with a job by itself, or what somebody has to do, and when."""
    if job.state == "running":
        if job.lease_until is not None and job.lease_until < now:
            return "A dispatcher takes it back, because its lease has ended.", job.lease_until
        return "Its worker settles it; else it is taken back when its lease ends.", job.lease_until
    if job.state == "failed":
        return f"Nothing, until `flask jobs retry {job.id}`, or `discard`.", None
    if job.state in {"done", "discarded"}:
        kept_until = None if job.finished_at is None else job.finished_at + timedelta(KEPT_DAYS)
        return "It is deleted.", kept_until
    if held_by:
        ends = [pause.ends_at for pause in held_by]
        return "It waits for the end of the pause.", _latest(ends)
    if job.state == "held":
        return "A dispatcher makes it ready, because the pause has ended.", None
    if job.run_at > now:
        return "It is due.", job.run_at
    return _what_is_next_of_due(session, job, redispatch_seconds)


def _what_is_next_of_due(
    session: Session, job: Job, redispatch_seconds: float
) -> tuple[str, datetime | None]:
    if not readiness.read_state(session).dispatcher_is_alive:
        return "No dispatcher is alive that could send a hint.", None
    if job.dispatched_at is None:
        return "A dispatcher sends a hint as soon as those before it are answered.", None
    again_at = job.dispatched_at + timedelta(seconds=redispatch_seconds)
    return "A worker of its queue takes the hint; else it is sent again.", again_at


def _latest(ends: Sequence[datetime | None]) -> datetime | None:
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None
