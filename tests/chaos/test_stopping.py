"""Workers that are asked to stop: real processes and signals, at every point where a job may be."""

import os
import signal
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.chaos.gate import closed
from tests.chaos.process_keeper import KeptProcess
from tests.chaos.real_worker import job_state, real_worker, wait_until
from tests.factories import make_actor, make_content, run_ready_jobs
from webapp.jobs.account_messages import SendPasswordChanged
from webapp.jobs.leases import take_back_expired
from webapp.jobs.message import Message
from webapp.jobs.messages import FanOutEvent, SealVersion
from webapp.jobs.outbox import enqueue
from webapp.jobs.queues import Queue
from webapp.kit.roles import RoleName
from webapp.services.audience import follows
from webapp.services.audience.follows import Target
from webapp.services.publishing import publishing
from webapp.settings import Settings
from workers.broker import RUN_JOBS, make_celery
from workers.context import WorkerContext

pytestmark = pytest.mark.chaos

APP = "tests.chaos.stopping_app"
# Longer than a test lasts, so that it is never the end of the grace that ends a job.
NO_END = 3600.0


def stoppable(
    settings: Settings, queue: Queue, folder: Path, grace: float = NO_END
) -> AbstractContextManager[KeptProcess]:
    """Run a worker on a queue that lets its job go on for so long when it is asked to stop."""
    chosen = settings.model_copy(update={"worker_stop_seconds": grace, "lease_seconds": NO_END})
    return real_worker(chosen, queue.value, folder, app=APP)


def hint(worker: WorkerContext, *messages: Message) -> list[int]:
    """Write jobs and send one hint for all of them, as a dispatcher does."""
    with worker.transaction() as session:
        ids = [enqueue(session, message) or 0 for message in messages]
        session.execute(text("UPDATE jobs SET dispatched_at = now(), dispatches = 1"))
    make_celery(worker.settings).send_task(RUN_JOBS, args=[ids], queue=messages[0].queue.value)
    return ids


def notes(worker: WorkerContext) -> Counter[str]:
    """Return what the jobs have left."""
    with worker.transaction() as session:
        return Counter(session.scalars(text("SELECT task FROM ticks")))


def row_of(worker: WorkerContext, job_id: int) -> tuple[object, ...]:
    """Return the state of a job, its starts, and whether a lease or a hint is out."""
    with worker.transaction() as session:
        statement = text(
            "SELECT state, starts, lease_token IS NULL, dispatched_at IS NULL, run_at <= now() "
            "FROM jobs WHERE id = :id"
        )
        return tuple(session.execute(statement, {"id": job_id}).one())


READY_AS_BEFORE = ("ready", 0, True, True, True)


def await_end(process: KeptProcess) -> None:
    """Wait until a worker has ended by itself, with all its processes."""
    wait_until(lambda: not process.is_running(), 60)
    assert "job.raised" not in process.log_path.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_an_idle_worker_ends(settings: Settings, tmp_path: Path, number: signal.Signals) -> None:
    with stoppable(settings, Queue.VERSIONS, tmp_path) as process:
        os.kill(process.pid, number)
        await_end(process)


@pytest.mark.parametrize("of_all_its_processes", [False, True])
def test_a_worker_ends_as_soon_as_its_job_has_and_takes_no_other(
    worker: WorkerContext,
    settings: Settings,
    sessions: sessionmaker[Session],
    tmp_path: Path,
    of_all_its_processes: bool,
) -> None:
    """The signal may come to the main process, or to all of them, as from a service manager."""
    with stoppable(settings, Queue.VERSIONS, tmp_path) as process:
        with closed(sessions):
            messages = [SealVersion(version_id=n) for n in (1, 2, 3, 5)]
            ids = hint(worker, *messages)
            wait_until(lambda: notes(worker)["waiting"])
            main = psutil.Process(process.pid)
            for asked in [main, *main.children()] if of_all_its_processes else [main]:
                asked.terminate()
            wait_until(lambda: "worker.stopping" in process.log_path.read_text())
            assert job_state(worker, ids[1]) == "running"
        await_end(process)
    assert [job_state(worker, job_id) for job_id in ids[:2]] == ["done", "done"]
    assert [row_of(worker, job_id) for job_id in ids[2:]] == [READY_AS_BEFORE, READY_AS_BEFORE]
    assert notes(worker) == {"sealed 1": 1, "sealed 2": 1, "waiting": 1}


@pytest.mark.parametrize("how", ["two signals", "the grace is over"])
def test_a_job_that_is_cut_off_is_ready_again_at_once_and_costs_no_start(
    worker: WorkerContext,
    settings: Settings,
    sessions: sessionmaker[Session],
    tmp_path: Path,
    how: str,
) -> None:
    grace = NO_END if how == "two signals" else 0.3
    with closed(sessions), stoppable(settings, Queue.VERSIONS, tmp_path, grace) as process:
        ids = hint(worker, SealVersion(version_id=2), SealVersion(version_id=3))
        wait_until(lambda: notes(worker)["waiting"])
        os.kill(process.pid, signal.SIGTERM)
        if how == "two signals":
            wait_until(lambda: "worker.stopping" in process.log_path.read_text())
            assert job_state(worker, ids[0]) == "running"
            os.kill(process.pid, signal.SIGTERM)
        await_end(process)
    assert [row_of(worker, job_id) for job_id in ids] == [READY_AS_BEFORE] * 2
    assert notes(worker) == {"waiting": 1}, "what it wrote is rolled back"


def test_a_statement_that_runs_is_cancelled_when_its_job_is_cut_off(
    worker: WorkerContext,
    settings: Settings,
    sessions: sessionmaker[Session],
    tmp_path: Path,
) -> None:
    """The job waits for a lock in the database, and holds one on its own row of no use to it."""
    with sessions() as holder, stoppable(settings, Queue.VERSIONS, tmp_path, 0) as process:
        holder.execute(text("LOCK TABLE ticks"))
        (job_id,) = hint(worker, SealVersion(version_id=1))
        wait_until(lambda: job_state(worker, job_id) == "running")
        os.kill(process.pid, signal.SIGTERM)
        await_end(process)
        holder.rollback()
    assert row_of(worker, job_id) == READY_AS_BEFORE


def test_a_job_in_steps_ends_with_the_step_that_it_is_in(
    worker: WorkerContext, settings: Settings, tmp_path: Path
) -> None:
    with stoppable(settings, Queue.NOTIFICATIONS, tmp_path) as process:
        (job_id,) = hint(worker, FanOutEvent(event_id=1))
        wait_until(lambda: notes(worker)["step"] > 1)
        os.kill(process.pid, signal.SIGTERM)
        await_end(process)
    assert row_of(worker, job_id) == ("ready", 0, True, True, False)


def test_what_tells_the_outside_is_not_cut_off_and_tells_it_once(
    worker: WorkerContext,
    settings: Settings,
    sessions: sessionmaker[Session],
    tmp_path: Path,
) -> None:
    """Neither the end of the grace nor more signals end a job that would send its mail again."""
    with stoppable(settings, Queue.ACCOUNTS, tmp_path, 0) as process:
        with closed(sessions):
            (job_id,) = hint(worker, SendPasswordChanged(user_id=1))
            wait_until(lambda: notes(worker)["waiting"])
            for _ in range(3):
                os.kill(process.pid, signal.SIGTERM)
            wait_until(lambda: "worker.grace_over" in process.log_path.read_text())
        await_end(process)
    assert job_state(worker, job_id) == "done"
    assert notes(worker)["sent 1"] == 1


def test_a_stop_in_the_midst_of_mails_sends_none_twice(
    worker: WorkerContext, settings: Settings, mail_sink: MailSink, tmp_path: Path
) -> None:
    readers = 100
    with worker.transaction() as session:
        author = make_actor(session)
        for _ in range(readers):
            reader = make_actor(session, RoleName.READER)
            follows.follow(session, reader, Target.AUTHOR, author.user_id)
        publishing.publish(session, author, make_content(session, author), None)
    run_ready_jobs(worker, kinds={"event.fan_out"})
    with worker.transaction() as session:
        statement = text("SELECT id FROM jobs WHERE kind = 'event_mails.send'")
        job_id = session.scalars(statement).one()
    hasty = settings.model_copy(update={"smtp_url": mail_sink.url, "worker_stop_seconds": 0})
    with real_worker(hasty, "mail", tmp_path) as process:
        make_celery(settings).send_task(RUN_JOBS, args=[[job_id]], queue="mail")
        wait_until(lambda: len(mail_sink.messages()) > 5)
        for _ in range(2):
            os.kill(process.pid, signal.SIGTERM)
        await_end(process)
    assert row_of(worker, job_id) == READY_AS_BEFORE
    assert len(mail_sink.messages()) < readers
    run_ready_jobs(worker, kinds={"event_mails.send"})
    copies = Counter(message["Message-ID"] for message in mail_sink.messages())
    assert sorted(copies.values()) == [1] * readers


def test_a_kill_counts_as_a_start(
    worker: WorkerContext,
    settings: Settings,
    sessions: sessionmaker[Session],
    tmp_path: Path,
) -> None:
    hasty = settings.model_copy(update={"lease_seconds": 0.5})
    with closed(sessions), real_worker(hasty, "versions", tmp_path, app=APP) as process:
        (job_id,) = hint(replace(worker, settings=hasty), SealVersion(version_id=2))
        wait_until(lambda: notes(worker)["waiting"])
        process.kill()

        def taken_back() -> bool:
            with worker.transaction() as session:
                return take_back_expired(session) == 1

        wait_until(taken_back)
    assert row_of(worker, job_id) == ("ready", 1, True, True, True)
