"""Promises of the worker: how each end of a handler is settled."""

import time
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import structlog
from sqlalchemy import create_engine, func, select, update
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

from dev.ports import free_port
from webapp.jobs.messages import PruneTable
from webapp.jobs.outbox import enqueue
from webapp.jobs.outcomes import Decline, Done, GiveUp, Outcome, PermanentError, Retry, Snooze
from webapp.kit.clock import utc_now
from webapp.models import Job, Tick
from workers import runner
from workers.context import Handler, InOneTransaction, InSteps, RunningJob, WorkerContext
from workers.runner import PAUSE_SECONDS, run_job, run_jobs

KIND = PruneTable.kind


def new_job(worker: WorkerContext, **values: Any) -> int:
    """Commit a job and return its id."""
    with worker.transaction() as session:
        job_id = enqueue(session, PruneTable(table="jobs"))
        assert job_id is not None
        if values:
            session.execute(update(Job).where(Job.id == job_id).values(**values))
        return job_id


def run(worker: WorkerContext, job_id: int, handler: Handler | None) -> Job:
    """Run a job with a handler and return its row."""
    run_job(worker, {} if handler is None else {KIND: handler}, job_id)
    with worker.transaction() as session:
        return session.get_one(Job, job_id)


def writes_then(outcome: Outcome | Exception) -> InOneTransaction:
    """Return a handler that writes a row and then ends in this way."""

    def handle(session: Session, _context: WorkerContext, _message: PruneTable) -> Outcome:
        session.add(Tick(task="effect", slot=utc_now()))
        session.flush()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return InOneTransaction(PruneTable, handle)


def effects(worker: WorkerContext) -> int:
    """Return how many rows the handlers' writes have left."""
    with worker.transaction() as session:
        return len(session.scalars(select(Tick).where(Tick.task == "effect")).all())


@pytest.mark.parametrize(
    ("outcome", "state", "rows"),
    [
        (Done(), "done", 1),
        (Snooze(60), "ready", 1),
        (Retry("later"), "ready", 0),
        (GiveUp("never"), "failed", 0),
        (PermanentError("never"), "failed", 0),
        (ValueError("a defect"), "ready", 0),
    ],
)
def test_effect_and_end_of_a_job_are_one(
    worker: WorkerContext, outcome: Outcome | Exception, state: str, rows: int
) -> None:
    job = run(worker, new_job(worker), writes_then(outcome))
    assert (job.state, effects(worker)) == (state, rows)
    assert job.lease_token is None


def test_a_hint_that_comes_twice_does_nothing_the_second_time(worker: WorkerContext) -> None:
    job_id = new_job(worker)
    for _ in range(3):
        run(worker, job_id, writes_then(Done()))
    assert effects(worker) == 1


def test_the_reason_of_a_failure_is_kept(worker: WorkerContext) -> None:
    job = run(worker, new_job(worker, max_starts=1), writes_then(ValueError("a defect")))
    assert (job.state, job.last_error) == ("failed", "ValueError: a defect")


@pytest.mark.parametrize(
    "payload",
    [
        {"wrong": 1},
        {"table": "jobs", "new_field": 1},  # A new field is a new version.
        {"table": "jobs", "payload_version": 0},
        {"table": "jobs", "payload_version": True},
        {"table": "jobs", "payload_version": "2"},
    ],
)
def test_a_payload_that_is_not_what_its_version_says_gives_up_at_once(
    worker: WorkerContext, payload: dict[str, Any]
) -> None:
    broken = run(worker, new_job(worker, payload=payload), writes_then(Done()))
    assert (broken.state, effects(worker)) == ("failed", 0)


def declined_by(worker: WorkerContext, job_id: int, handler: Handler | None) -> tuple[Job, float]:
    """Let a worker decline a job that is due, and return its row and the seconds that it waits."""
    with worker.transaction() as session:
        session.execute(update(Job).where(Job.id == job_id).values(run_at=func.clock_timestamp()))
    run(worker, job_id, handler)
    with worker.transaction() as session:
        wait = func.extract("epoch", Job.run_at - func.clock_timestamp())
        job, seconds = session.execute(select(Job, wait).where(Job.id == job_id)).one()
        return job, float(seconds)


@pytest.mark.parametrize(
    ("payload", "handler"),
    [
        ({"table": "jobs"}, None),
        ({"table": "jobs", "payload_version": 2}, writes_then(Done())),
        ({"other": [1], "payload_version": 3}, writes_then(Done())),
        ({"table": "jobs"}, writes_then(Decline("another release may"))),
    ],
)
def test_what_a_worker_does_not_know_it_leaves_to_another_release(
    worker: WorkerContext, payload: dict[str, Any], handler: Handler | None
) -> None:
    job_id = new_job(worker, payload=payload, max_starts=1)
    for declines in range(1, 10):
        job, seconds = declined_by(worker, job_id, handler)
        assert (job.state, job.starts, job.declines) == ("ready", 0, declines)
        assert (job.lease_token, job.dispatched_at) == (None, None)
        assert seconds <= min(2 ** (declines - 1), 60)
    assert seconds > 25
    assert job.last_error is not None
    assert effects(worker) == 0

    declined_by(worker, job_id, None)
    with worker.transaction() as session:
        known = {"payload": {"table": "jobs"}, "run_at": func.clock_timestamp()}
        session.execute(update(Job).where(Job.id == job_id).values(**known))
    done = run(worker, job_id, writes_then(Done()))
    assert (done.state, done.starts, done.declines, done.last_error) == ("done", 1, 0, None)


def test_a_worker_that_lost_its_lease_in_the_middle_leaves_nothing(worker: WorkerContext) -> None:
    job_id = new_job(worker)

    def handle(session: Session, context: WorkerContext, _message: PruneTable) -> Outcome:
        session.add(Tick(task="effect", slot=utc_now()))
        session.flush()
        with context.transaction() as another:
            taken = {"state": "ready", "lease_token": None, "lease_until": None}
            another.execute(update(Job).where(Job.id == job_id).values(taken))
        return Done()

    job = run(worker, job_id, InOneTransaction(PruneTable, handle))
    assert (job.state, effects(worker)) == ("ready", 0)


def test_a_step_commits_and_prolongs_the_lease_or_commits_nothing(worker: WorkerContext) -> None:
    job_id = new_job(worker)
    leases_seen: list[datetime] = []

    def handle(job: RunningJob, _message: PruneTable) -> Outcome:
        for _ in range(2):
            with job.step() as session:
                session.add(Tick(task="effect", slot=utc_now()))
            with job.context.transaction() as session:
                until = session.get_one(Job, job_id).lease_until
                assert until is not None
                leases_seen.append(until)
        with job.context.transaction() as session:
            taken = {"state": "ready", "lease_token": None, "lease_until": None}
            session.execute(update(Job).where(Job.id == job_id).values(taken))
        with job.step() as session:
            session.add(Tick(task="effect", slot=utc_now()))
        return Done()

    job = run(worker, job_id, InSteps(PruneTable, handle))
    assert job.state == "ready"
    assert effects(worker) == 2
    assert leases_seen[0] < leases_seen[1]


def test_without_its_database_a_worker_drops_the_hint_and_catches_its_breath(
    worker: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = create_engine(f"postgresql+psycopg://x@127.0.0.1:{free_port()}/x")
    began = time.monotonic()
    # A logger keeps the configuration of its first use, which was that of another test.
    monkeypatch.setattr(runner, "log", structlog.get_logger())
    with capture_logs() as told:
        run_jobs(replace(worker, sessions=sessionmaker(away)), {}, [1, 2, 3])
    assert time.monotonic() - began >= PAUSE_SECONDS
    assert [line["event"] for line in told] == ["worker.database_away"], "one pause for all"
