"""Promises of the job table: nothing lost, nothing doubled, nothing run by two."""

import threading
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from webapp.jobs import administration, leases
from webapp.jobs.account_messages import SendPasswordChanged
from webapp.jobs.dispatch import mark_dispatched, unmark_dispatched
from webapp.jobs.leases import ClaimedJob
from webapp.jobs.message import Message
from webapp.jobs.messages import FanOutEvent, PruneTable, SealVersion
from webapp.jobs.outbox import WAKE_CHANNEL, chunked, enqueue, enqueue_many
from webapp.jobs.outcomes import LeaseLostError
from webapp.jobs.queues import Queue
from webapp.kit.clock import utc_now
from webapp.models import Job


def new_job(session: Session, **values: object) -> int:
    """Write a job and return its id."""
    job_id = enqueue(session, PruneTable(table="jobs"))
    assert job_id is not None
    if values:
        session.execute(update(Job).where(Job.id == job_id).values(**values))
    return job_id


def claim(session: Session, job_id: int, seconds: float = 30) -> ClaimedJob:
    """Claim a job, which must succeed."""
    claimed = leases.claim(session, job_id, seconds)
    assert claimed is not None
    return claimed


def state_of(session: Session, job_id: int) -> str:
    """Return a job's state as the database has it."""
    return session.scalars(select(Job.state).where(Job.id == job_id)).one()


def dispatch(session: Session, queue: Queue, *, hints_on_broker: int = 0) -> list[int]:
    """Mark the jobs of a queue as dispatched, with a redispatch after five seconds."""
    return mark_dispatched(session, queue, 5, hints_on_broker=hints_on_broker)


def test_a_job_is_written_with_its_cause_or_not_at_all(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        new_job(session)
        session.rollback()
    with sessions.begin() as session:
        assert session.scalars(select(Job.id)).all() == []
        new_job(session)
    with sessions.begin() as session:
        assert len(session.scalars(select(Job.id)).all()) == 1


def test_the_same_duty_is_written_once(session: Session) -> None:
    assert enqueue(session, SealVersion(version_id=7)) is not None
    assert enqueue(session, SealVersion(version_id=7)) is None
    assert enqueue_many(session, [SealVersion(version_id=n) for n in (7, 8, 8)]) == 1


@pytest.mark.parametrize(
    ("message", "starts_in", "wakes"),
    [
        (SendPasswordChanged(user_id=1), None, 1),
        (FanOutEvent(event_id=1), None, 1),
        (SendPasswordChanged(user_id=1), timedelta(hours=1), 1),
        (FanOutEvent(event_id=1), timedelta(hours=1), 0),
    ],
)
def test_a_job_wakes_a_dispatcher_unless_it_has_time(
    sessions: sessionmaker[Session],
    database_url: str,
    message: Message,
    starts_in: timedelta | None,
    wakes: int,
) -> None:
    run_at = None if starts_in is None else utc_now() + starts_in
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute(f"LISTEN {WAKE_CHANNEL}")
        with sessions.begin() as session:
            enqueue(session, message, run_at=run_at)
            enqueue(session, message, run_at=run_at)
        assert len(list(listener.notifies(timeout=0.5))) == wakes


def test_of_many_workers_at_once_one_claims_a_job(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        job_id = new_job(session)
    claims: list[ClaimedJob] = []

    def try_to_claim() -> None:
        with sessions.begin() as session:
            claimed = leases.claim(session, job_id, 30)
            if claimed is not None:
                claims.append(claimed)

    threads = [threading.Thread(target=try_to_claim) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claims) == 1


def test_a_start_is_counted_before_the_work(session: Session) -> None:
    job_id = new_job(session)
    assert claim(session, job_id).starts == 1
    assert state_of(session, job_id) == "running"
    assert leases.claim(session, job_id, 30) is None


def test_a_job_is_not_claimed_before_its_time(session: Session) -> None:
    job_id = new_job(session, run_at=utc_now() + timedelta(hours=1))
    assert leases.claim(session, job_id, 30) is None


@pytest.mark.parametrize("act", [leases.finish, lambda s, j: leases.snooze(s, j, 0),
                                 lambda s, j: leases.renew(s, j, 30)])  # fmt: skip
def test_a_worker_whose_lease_ended_can_commit_nothing(session: Session, act: object) -> None:
    job_id = new_job(session)
    slow = claim(session, job_id, seconds=-1)
    assert leases.take_back_expired(session) == 1
    fresh = claim(session, job_id)
    assert fresh.starts == 2

    with pytest.raises(LeaseLostError):
        act(session, slow)  # type: ignore[operator]

    leases.finish(session, fresh)
    assert state_of(session, job_id) == "done"


def test_a_job_that_kills_its_worker_gives_up_after_its_last_start(session: Session) -> None:
    job_id = new_job(session, max_starts=3)
    for _ in range(3):
        claim(session, job_id, seconds=-1)
        leases.take_back_expired(session)
    assert state_of(session, job_id) == "failed"
    line = administration.list_jobs(session, state="failed")[0]
    assert (line.id, line.starts) == (job_id, 3)
    assert line.last_error is not None
    assert "lease ended" in line.last_error


def test_failures_are_retried_later_and_then_kept_with_their_reason(session: Session) -> None:
    job_id = new_job(session, max_starts=2)
    state = leases.fail(session, claim(session, job_id), "no luck", final=False, after_seconds=None)
    assert state == "ready"
    assert leases.claim(session, job_id, 30) is None
    session.execute(update(Job).values(run_at=utc_now() - timedelta(seconds=1)))
    state = leases.fail(session, claim(session, job_id), "again", final=False, after_seconds=None)
    assert state == "failed"
    assert administration.list_jobs(session)[0].last_error == "again"


def test_progress_makes_starts_count_afresh(session: Session) -> None:
    job_id = new_job(session, max_starts=2)
    for _ in range(5):
        leases.snooze(session, claim(session, job_id), 0)
    assert state_of(session, job_id) == "ready"


def add_jobs(session: Session, queue: Queue, number: int) -> list[int]:
    """Add jobs to a queue and return their ids in order."""
    statement = text(
        "INSERT INTO jobs (queue, kind, dedupe_key, payload) "
        "SELECT :queue, 'test.wait', gen_random_uuid()::text, '{}' FROM generate_series(1, :number)"
        " RETURNING id"
    )
    return sorted(session.scalars(statement, {"queue": queue.value, "number": number}))


def age_hints(session: Session, seconds: int) -> None:
    """Let time pass since the last sending of each hint."""
    shifted = Job.dispatched_at - timedelta(seconds=seconds)
    session.execute(update(Job).where(Job.dispatched_at.is_not(None)).values(dispatched_at=shifted))


def test_a_hint_that_nobody_answers_is_sent_again_and_again(session: Session) -> None:
    job_id = new_job(session)
    for _ in range(10):
        assert dispatch(session, Queue.HOUSEKEEPING) == [job_id]
        assert dispatch(session, Queue.HOUSEKEEPING) == []
        age_hints(session, 6)


@pytest.mark.parametrize("queue", list(Queue))
def test_lost_hints_go_out_again_before_newer_ones_whatever_else_is_on_the_broker(
    session: Session, queue: Queue
) -> None:
    lost = add_jobs(session, queue, 2)
    for _ in range(5):
        assert dispatch(session, queue) == lost
        age_hints(session, 6)
    fresh = add_jobs(session, queue, 5)
    assert dispatch(session, queue, hints_on_broker=3) == lost + fresh


@pytest.mark.parametrize("queue", list(Queue))
def test_a_queue_without_workers_does_not_fill_the_broker(session: Session, queue: Queue) -> None:
    add_jobs(session, queue, 2 * queue.window)
    messages, sent = 0, [0]
    # The room that is left gets smaller by a hint for some jobs each turn.
    for _ in range(100):
        sent = dispatch(session, queue, hints_on_broker=messages)
        if not sent:
            break
        messages += len(list(chunked(sent, queue.jobs_per_hint)))
        age_hints(session, 60)
    assert messages <= 3 * queue.window // queue.jobs_per_hint
    assert sent == []


def test_a_hint_that_the_broker_did_not_take_is_sent_at_the_next_turn(session: Session) -> None:
    job_id = new_job(session)
    for _ in range(3):
        assert dispatch(session, Queue.HOUSEKEEPING) == [job_id]
        unmark_dispatched(session, [job_id])
    assert session.scalars(select(Job.dispatches)).one() == 0


def test_a_backlog_stays_in_the_table_beyond_the_window(session: Session) -> None:
    enqueue_many(session, [FanOutEvent(event_id=n) for n in range(Queue.NOTIFICATIONS.window + 50)])
    sent = dispatch(session, Queue.NOTIFICATIONS)
    assert len(sent) == Queue.NOTIFICATIONS.window
    assert dispatch(session, Queue.NOTIFICATIONS) == []
    for job_id in sent[:20]:
        leases.finish(session, claim(session, job_id))
    assert len(dispatch(session, Queue.NOTIFICATIONS)) == 20


def test_queues_do_not_wait_for_each_other(session: Session) -> None:
    enqueue_many(session, [FanOutEvent(event_id=n) for n in range(1000)])
    job_id = new_job(session)
    assert dispatch(session, Queue.HOUSEKEEPING) == [job_id]


def test_operators_retry_and_discard(session: Session) -> None:
    failed = new_job(session)
    leases.fail(session, claim(session, failed), "broken", final=True, after_seconds=None)
    running = new_job(session)
    claim(session, running)

    assert administration.failed_job_ids(session) == [failed]
    assert administration.count_failed(session) == 1
    assert administration.retry_jobs(session, [failed, running]) == 1
    assert claim(session, failed).starts == 1
    waiting = new_job(session)
    assert administration.discard_jobs(session, [waiting, running]) == 1
    assert state_of(session, waiting) == "discarded"
    assert leases.claim(session, waiting, 30) is None
    assert administration.retry_jobs(session, [waiting]) == 1
