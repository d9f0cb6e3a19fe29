"""Workers that die, stall or lose their broker: one fault each, at a chosen place."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from dev.redis import RedisServer
from tests.chaos.lethal_job import LAST_WORDS, LETHAL_VERSION_ID
from tests.chaos.process_keeper import KeptProcess
from tests.chaos.real_worker import (
    is_held_up_by,
    job_state,
    real_worker,
    running_dispatcher,
    wait_until,
)
from tests.factories import make_actor, make_content, run_ready_jobs
from tests.patience import HANG_SECONDS
from webapp.jobs.leases import take_back_expired
from webapp.jobs.messages import SealVersion
from webapp.jobs.outbox import enqueue
from webapp.jobs.queues import Queue
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.services.accounts.actors import Actor
from webapp.services.audience import follows
from webapp.services.audience.follows import Target
from webapp.services.publishing import handing_over, publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan
from webapp.settings import Settings
from workers.audience import mail
from workers.broker import RUN_JOBS, make_celery
from workers.context import WorkerContext
from workers.handlers import HANDLERS
from workers.runner import run_job

pytestmark = pytest.mark.chaos

READERS = 150


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of this test's own, because the test kills it."""
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def settings(settings: Settings, broker: RedisServer, mail_sink: MailSink) -> Settings:
    """The usual settings, with short times and with mail going to the sink."""
    changes = {"redis_url": broker.url, "smtp_url": mail_sink.url}
    return settings.model_copy(update={**changes, "lease_seconds": 0.5, "redispatch_seconds": 0.5})


@contextmanager
def held(sessions: sessionmaker[Session], statement: str) -> Iterator[int]:
    """Hold locks inside the block, which is given the holder's server process id."""
    with sessions() as holder:
        holder.execute(text(statement))
        yield holder.scalar(text("SELECT pg_backend_pid()")) or 0
        holder.rollback()


def send_hint(settings: Settings, queue: Queue, job_id: int) -> None:
    """Send one hint, as a dispatcher does."""
    make_celery(settings).send_task(RUN_JOBS, args=[[job_id]], queue=queue.value)


def only_job(context: WorkerContext, kind: str) -> int:
    """Return the id of the only job of a kind."""
    with context.transaction() as session:
        found = session.scalars(text("SELECT id FROM jobs WHERE kind = :kind"), {"kind": kind})
        return int(found.one())


def take_back(context: WorkerContext) -> None:
    """Wait for the lease of one job to end, and take the job back, as a dispatcher does."""

    def taken() -> bool:
        with context.transaction() as session:
            return take_back_expired(session) == 1

    wait_until(taken)


def test_a_job_that_kills_its_worker_gives_up_after_its_starts(
    worker: WorkerContext, settings: Settings, tmp_path: Path
) -> None:
    with worker.transaction() as session:
        lethal = enqueue(session, SealVersion(version_id=LETHAL_VERSION_ID)) or 0
        harmless = [enqueue(session, SealVersion(version_id=n)) or 0 for n in range(1, 21)]
        session.execute(text("UPDATE jobs SET max_starts = 3 WHERE id = :id"), {"id": lethal})
    app = "tests.chaos.killer_app"
    with (
        real_worker(settings, "versions", tmp_path, app=app, processes=4) as process,
        running_dispatcher(worker),
    ):
        wait_until(lambda: job_state(worker, lethal) == "failed")
        wait_until(lambda: all(job_state(worker, job) == "done" for job in harmless))
        log = process.log_path.read_text()
    with worker.transaction() as session:
        row = session.execute(text("SELECT * FROM jobs WHERE id = :id"), {"id": lethal}).one()
    assert row.starts == 3
    assert "lease ended" in row.last_error
    assert log.count(LAST_WORDS) == 3


def test_a_worker_whose_acknowledgement_is_lost_goes_on(
    worker: WorkerContext,
    settings: Settings,
    sessions: sessionmaker[Session],
    broker: RedisServer,
    tmp_path: Path,
) -> None:
    """Redis goes away while a job runs, and is back after the job's end."""
    with worker.transaction() as session:
        make_content(session, make_actor(session))
    first = only_job(worker, SealVersion.kind)
    with real_worker(settings, "versions", tmp_path) as process:
        lock = "SELECT 1 FROM content_versions FOR NO KEY UPDATE"
        with held(sessions, lock) as pid:
            send_hint(settings, Queue.VERSIONS, first)
            wait_until(lambda: is_held_up_by(worker, pid))
            broker.kill()
        wait_until(lambda: job_state(worker, first) == "done")
        wait_until(lambda: "Couldn't ack" in process.log_path.read_text())
        broker.start()
        with worker.transaction() as session:
            second = enqueue(session, SealVersion(version_id=1_000_000)) or 0
        with running_dispatcher(worker):
            wait_until(lambda: job_state(worker, second) == "done")


def test_a_full_broker_ends_no_worker_and_is_worked_off(
    worker: WorkerContext, settings: Settings, broker: RedisServer, tmp_path: Path
) -> None:
    """Redis is full before the worker starts, while it works, and once more after it had room."""
    with worker.transaction() as session:
        jobs = [enqueue(session, SealVersion(version_id=1_000_000 + n)) or 0 for n in range(30)]

    def are_done(ids: list[int]) -> bool:
        return all(job_state(worker, job_id) == "done" for job_id in ids)

    with Redis.from_url(broker.url) as operator:
        for job_id in jobs[:10]:
            send_hint(settings, Queue.VERSIONS, job_id)
        operator.config_set("maxmemory", 1)
        with real_worker(settings, "versions", tmp_path) as process:
            wait_until(lambda: are_done(jobs[:10]))
            for ids in (jobs[10:20], jobs[20:]):
                operator.config_set("maxmemory", 0)
                for job_id in ids:
                    send_hint(settings, Queue.VERSIONS, job_id)
                operator.config_set("maxmemory", 1)
                wait_until(lambda ids=ids: are_done(ids))  # type: ignore[misc]
            assert process.is_running()
            assert "Unrecoverable" not in process.log_path.read_text()
        assert operator.zcard("imprint:unacked_index") == 0


def test_a_worker_that_was_paused_among_its_mails_commits_nothing_more(
    worker: WorkerContext,
    settings: Settings,
    mail_sink: MailSink,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # On a machine that is busy the job would be put back amid its mails, with its starts forgotten.
    monkeypatch.setattr(mail, "SECONDS_AT_A_STRETCH", HANG_SECONDS)
    patient = replace(worker, settings=worker.settings.model_copy(update={"lease_seconds": 30.0}))
    with worker.transaction() as session:
        author = make_actor(session)
        for _ in range(READERS):
            reader = make_actor(session, RoleName.READER)
            follows.follow(session, reader, Target.AUTHOR, author.user_id)
        publishing.publish(session, author, make_content(session, author), None)
    run_ready_jobs(worker, kinds={"event.fan_out"})
    job = only_job(worker, "event_mails.send")
    with real_worker(settings, "mail", tmp_path) as process:
        send_hint(settings, Queue.MAIL, job)
        wait_until(lambda: len(mail_sink.messages()) > 5)
        pause_outside_transaction(worker, process)
        take_back(worker)
        run_job(patient, HANDLERS, job)
        assert job_state(worker, job) == "done"
        process.thaw()
        wait_until(lambda: "job.lease_lost" in process.log_path.read_text())
    copies = Counter(message["Message-ID"] for message in mail_sink.messages())
    assert len(copies) == READERS
    assert copies.total() - len(copies) <= 1, "one mail may have been on its way in the pause"
    with worker.transaction() as session:
        deliveries = session.execute(text("SELECT state, attempts FROM mail_deliveries")).all()
        starts = session.scalar(text("SELECT starts FROM jobs WHERE id = :id"), {"id": job})
    assert Counter(map(tuple, deliveries)) == {("sent", 1): READERS}
    assert starts == 2


def pause_outside_transaction(context: WorkerContext, process: KeptProcess) -> None:
    """Stop a worker while it talks to the mail server, when it holds no lock."""

    def paused() -> bool:
        process.freeze()
        time.sleep(0.02)  # What it has sent to the database is answered by then.
        with context.transaction() as session:
            statement = "SELECT state FROM pg_stat_activity WHERE application_name = :name"
            states = session.scalars(text(statement), {"name": "imprint-worker"}).all()
        if set(states) == {"idle"}:
            return True
        process.thaw()
        return False

    wait_until(paused)


def scheduled_item(context: WorkerContext) -> Actor:
    """Make an item whose schedule is due and handed over."""
    with context.transaction() as session:
        author = make_actor(session)
        plan = SchedulePlan("publish", utc_now() - timedelta(seconds=1))
        schedules.create(session, author, make_content(session, author), None, plan)
        assert handing_over.hand_over_due(session) == 1
    return author


def test_a_worker_that_was_paused_in_its_transaction_publishes_nothing_twice(
    worker: WorkerContext,
    settings: Settings,
    sessions: sessionmaker[Session],
    tmp_path: Path,
) -> None:
    """It stands still with its locks; another waits for them; then it may go on, and must not."""
    scheduled_item(worker)
    job = only_job(worker, "schedules.fire")
    patient = replace(worker, settings=worker.settings.model_copy(update={"lease_seconds": 30.0}))
    with real_worker(settings, "publishing", tmp_path) as process:
        with held(sessions, "SELECT 1 FROM content FOR UPDATE") as pid:
            send_hint(settings, Queue.PUBLISHING, job)
            wait_until(lambda: is_held_up_by(worker, pid))
            process.freeze()
        take_back(worker)
        other = threading.Thread(target=run_job, args=(patient, HANDLERS, job))
        other.start()
        wait_until(lambda: job_state(worker, job) == "running")
        process.thaw()
        other.join()
        wait_until(lambda: "job.lease_lost" in process.log_path.read_text())
    with worker.transaction() as session:
        counts = session.execute(
            text(
                """
                SELECT (SELECT count(*) FROM events), (SELECT max(publish_sequence) FROM content),
                    (SELECT state FROM schedules), (SELECT state FROM jobs WHERE id = :id)
                """
            ),
            {"id": job},
        ).one()
    assert tuple(counts) == (1, 1, "fired", "done")
