"""Promises of a job's story: how its starts ended, who made them, and what happens next."""

import json
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, sessionmaker
from structlog.contextvars import bound_contextvars

from webapp.jobs import leases
from webapp.jobs.account_messages import SendPasswordReset
from webapp.jobs.attempts import KEPT_FOR_EACH_JOB, Starter
from webapp.jobs.leases import ClaimedJob
from webapp.jobs.message import Message
from webapp.jobs.messages import SealVersion
from webapp.jobs.outbox import enqueue
from webapp.jobs.pauses import Scope
from webapp.kit.clock import utc_now
from webapp.models import Job, JobAttempt
from webapp.services.errors import NotFoundError
from webapp.services.operations import brakes, housekeeping, job_stories
from webapp.services.operations.job_stories import JobStory
from webapp.settings import Settings
from workers.context import WorkerContext
from workers.handlers import HANDLERS
from workers.runner import run_job

STARTER = Starter("web-1:17", "a1b2c3")


def write(session: Session, message: Message | None = None) -> int:
    """Write a job and return its id."""
    job_id = enqueue(session, message or SealVersion(version_id=1))
    assert job_id is not None
    return job_id


def start(session: Session, job_id: int, seconds: float = 30) -> ClaimedJob:
    """Let a worker start a job, whenever it is due."""
    session.execute(update(Job).where(Job.id == job_id).values(run_at=func.clock_timestamp()))
    claimed = leases.claim(session, job_id, seconds, STARTER)
    assert claimed is not None
    return claimed


def tell(session: Session, job_id: int) -> JobStory:
    """Tell the story of a job."""
    session.expire_all()
    return job_stories.tell(session, job_id, redispatch_seconds=5)


def retry(session: Session, job: ClaimedJob) -> None:
    leases.fail(session, job, "no luck", final=False, after_seconds=None)


def give_up(session: Session, job: ClaimedJob) -> None:
    leases.fail(session, job, "never", final=True, after_seconds=None)


def decline(session: Session, job: ClaimedJob) -> None:
    leases.decline(session, job, "too new")


def lose(session: Session, job: ClaimedJob) -> None:
    session.execute(update(Job).where(Job.id == job.id).values(lease_until=utc_now()))
    assert leases.take_back_expired(session) == 1


@pytest.mark.parametrize(
    ("end", "ended_as", "reason"),
    [
        (retry, "retried", "no luck"),
        (give_up, "failed", "never"),
        (decline, "declined", "too new"),
        (leases.put_back, "cut_off", "Its worker was asked to stop."),
        (lose, "lease_ended", "The lease ended: the worker died, was stopped or stalled."),
    ],
)
def test_each_end_that_is_not_well_is_kept_with_who_and_why(
    session: Session, end: Callable[[Session, ClaimedJob], None], ended_as: str, reason: str
) -> None:
    job_id = write(session)
    end(session, start(session, job_id))
    story = tell(session, job_id)
    (attempt,) = story.unsuccessful
    assert (attempt.number, attempt.worker, attempt.release) == (1, "web-1:17", "a1b2c3")
    assert (attempt.ended_as, attempt.reason) == (ended_as, reason)
    assert attempt.started_at is not None
    assert attempt.started_at <= attempt.ended_at


def test_a_start_that_goes_well_writes_no_row(session: Session) -> None:
    job_id = write(session)
    leases.snooze(session, start(session, job_id), 0)
    leases.finish(session, start(session, job_id))
    story = tell(session, job_id)
    assert (story.attempts, story.unsuccessful) == (2, [])
    assert (story.worker, story.release) == ("web-1:17", "a1b2c3")


def test_the_newest_are_kept_and_go_with_their_job(session: Session, settings: Settings) -> None:
    job_id, other_id = write(session), write(session, SealVersion(version_id=2))
    retry(session, start(session, other_id))
    for _ in range(KEPT_FOR_EACH_JOB + 5):
        decline(session, start(session, job_id))
        leases.snooze(session, start(session, job_id), 0)
    numbers = [attempt.number for attempt in tell(session, job_id).unsuccessful]
    assert numbers == [11 + 2 * turn for turn in range(KEPT_FOR_EACH_JOB)]
    assert len(tell(session, other_id).unsuccessful) == 1
    leases.finish(session, start(session, job_id))
    long_ago = utc_now() - timedelta(days=8)
    session.execute(update(Job).where(Job.id == job_id).values(finished_at=long_ago))
    assert not housekeeping.prune(session, "jobs", settings)
    assert session.scalars(select(JobAttempt.job_id)).all() == [other_id]


def test_what_happens_next_is_told_in_each_state(session: Session) -> None:
    job_id = write(session)
    assert "No dispatcher is alive" in tell(session, job_id).next_step
    housekeeping.write_heartbeat(session)
    assert "sends a hint" in tell(session, job_id).next_step
    hinted_at = utc_now()
    session.execute(update(Job).values(dispatched_at=hinted_at, dispatches=1))
    assert tell(session, job_id).next_at == hinted_at + timedelta(seconds=5)
    brakes.pause_jobs(session, Scope.QUEUE, "versions", reason="a test", paused_by="ada")
    held = tell(session, job_id)
    assert (held.next_step, held.next_at) == ("It waits for the end of the pause.", None)
    assert [pause.title for pause in held.held_by] == ["queue versions"]
    brakes.resume_jobs(session, Scope.QUEUE, "versions", resumed_by="ada")
    running = start(session, job_id)
    assert "Its worker settles it" in tell(session, job_id).next_step
    retry(session, running)
    waits = tell(session, job_id)
    assert (waits.next_step, waits.next_at) == ("It is due.", waits.run_at)
    give_up(session, start(session, job_id))
    assert f"flask jobs retry {job_id}" in tell(session, job_id).next_step
    session.execute(delete(Job))
    with pytest.raises(NotFoundError, match="kept for 7 days"):
        tell(session, job_id)


def test_a_worker_gives_its_name_and_release(worker: WorkerContext) -> None:
    with worker.transaction() as session:
        job_id = write(session)
    run_job(worker, HANDLERS, job_id)
    with worker.transaction() as session:
        story = tell(session, job_id)
    assert (story.worker, story.release) == (worker.starter.worker, "0.1.0")
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    assert project["version"] == worker.settings.release


def test_the_story_is_told_to_people_and_machines_without_what_tells_of_persons(
    commands: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    address_hash = "0123456789abcdef" * 4
    with sessions.begin() as session, bound_contextvars(request_id="request-7"):
        job_id = write(session, SendPasswordReset(email_hash=address_hash))
        retry(session, start(session, job_id))
    shown = commands.invoke(args=["jobs", "show", str(job_id)])
    assert shown.exit_code == 0
    for words in (
        f"Job {job_id}: password_reset.send, queue accounts, ready\n",
        "by request request-7\n",
        "1 of 20 counted, 1 in all\n",
        "by web-1:17, release a1b2c3; retried ",
        ": no luck\n",
        "It is due.",
    ):
        assert words in shown.stdout
    told = json.loads(commands.invoke(args=["jobs", "show", str(job_id), "--json"]).stdout)
    assert told["unsuccessful"][0]["reason"] == "no luck"
    assert told["payload"]["email_hash"] == "0123456789ab…"
    assert address_hash not in shown.stdout
    missing = commands.invoke(args=["jobs", "show", "999"])
    assert (missing.exit_code, missing.stderr[:29]) == (1, "Error: There is no job 999. D")
    assert commands.invoke(args=["jobs", "show", "0"]).exit_code == 2
