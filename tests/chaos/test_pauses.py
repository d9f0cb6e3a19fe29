"""Brakes under real dispatchers and a real worker, some of which are killed meanwhile."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import func, select, text

from dev.redis import RedisServer
from dev.run_options import child_environment
from dev.supervisor import Program
from tests.chaos.process_keeper import KeptProcess
from tests.chaos.real_worker import job_state, real_worker, wait_until
from tests.chaos.rig import ROOT
from webapp.adapters.database import plain_url
from webapp.jobs.messages import PruneTable, RefreshPublications
from webapp.jobs.outbox import enqueue, enqueue_many
from webapp.jobs.pauses import Scope
from webapp.kit.clock import utc_now
from webapp.models import Job
from webapp.services.operations import brakes
from webapp.settings import Settings
from workers.context import WorkerContext

pytestmark = pytest.mark.chaos

JOBS = 300
KIND = PruneTable.kind


@pytest.fixture(autouse=True)
def _empty_broker(redis: RedisServer) -> Iterator[None]:
    with Redis(port=redis.port) as client:
        client.flushall()
        yield
        client.flushall()


@contextmanager
def real_dispatchers(settings: Settings, folder: Path, count: int) -> Iterator[list[KeptProcess]]:
    """Run some `flask dispatcher` inside the block."""
    environment = child_environment(
        {
            "DATABASE_URL": plain_url(settings),
            "REDIS_URL": settings.redis_url,
            "SECRET_KEY": settings.require_secret_key(),
        }
    )
    command = ["python", "-m", "flask", "dispatcher"]
    with ExitStack() as ends:
        kept = []
        for number in range(count):
            program = Program("dispatcher", command, "2-dispatcher", 1)
            process = KeptProcess(f"dispatcher-{number}", program, environment, ROOT, folder)
            process.start()
            ends.callback(process.end)
            kept.append(process)
        yield kept


def add_jobs(context: WorkerContext) -> None:
    """Add jobs that delete nothing from a table of nothing."""
    with context.transaction() as session:
        enqueue_many(session, [PruneTable(table="discarded_jobs") for _ in range(JOBS)])


def add_other(context: WorkerContext, named_id: int) -> int:
    """Add a job of another kind to the same queue, behind all others."""
    with context.transaction() as session:
        job_id = enqueue(session, RefreshPublications(named="author", named_id=named_id))
    assert job_id is not None
    return job_id


def done(context: WorkerContext) -> int:
    """Return how many of the jobs are done."""
    with context.transaction() as session:
        counted = select(func.count()).where(Job.kind == KIND, Job.state == "done")
        return session.scalars(counted).one()


def unfinished(context: WorkerContext) -> int:
    """Return how many of the jobs, and of those that dispatchers wrote, are still to do."""
    with context.transaction() as session:
        counted = select(func.count()).where(Job.kind == KIND, Job.state != "done")
        return session.scalars(counted).one()


def pause(context: WorkerContext, scope: Scope, target: str, seconds: float | None = None) -> None:
    """Pause something, for some seconds or without end."""
    end = None if seconds is None else utc_now() + timedelta(seconds=seconds)
    with context.transaction() as session:
        brakes.pause_jobs(session, scope, target, reason="a test", paused_by="a", ends_at=end)


def running(context: WorkerContext) -> int:
    """Return how many of the jobs are with a worker."""
    with context.transaction() as session:
        counted = select(func.count()).where(Job.kind == KIND, Job.state == "running")
        return session.scalars(counted).one()


def test_a_kind_is_paused_and_resumed_under_dispatchers_that_tick_and_die(
    worker: WorkerContext, settings: Settings, tmp_path: Path
) -> None:
    with (
        real_worker(settings, "housekeeping", tmp_path),
        real_dispatchers(settings, tmp_path, 2) as dispatchers,
    ):
        add_jobs(worker)
        wait_until(lambda: done(worker) > 0, 60)
        pause(worker, Scope.KIND, KIND)
        wait_until(lambda: not running(worker))
        before = done(worker)
        dispatchers[0].kill()
        other = add_other(worker, 1)
        wait_until(lambda: job_state(worker, other) == "done", 60)
        assert done(worker) == before, "what is behind them in the queue was not held up"

        with worker.transaction() as session:
            brakes.resume_jobs(session, Scope.KIND, KIND, resumed_by="a")
        dispatchers[0].start()
        pause(worker, Scope.QUEUE, "housekeeping", seconds=1)
        wait_until(lambda: not unfinished(worker), 120)
        wait_until(lambda: not pauses_left(worker))
    with worker.transaction() as session:
        starts = select(Job.starts).where(Job.kind == KIND).distinct()
        assert session.scalars(starts).all() == [1], "each ran once"


def pauses_left(context: WorkerContext) -> bool:
    """Say whether there is a row of a pause, over or not."""
    with context.transaction() as session:
        return bool(session.scalar(text("SELECT count(*) FROM job_pauses")))
