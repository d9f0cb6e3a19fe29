"""Dispatchers that die or compete, and brokers that lose what they were given."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from dev.ports import LOOPBACK
from dev.redis import RedisServer
from tests.chaos.real_worker import job_state, running_dispatcher, wait_until
from tests.factories import make_actor, make_content
from webapp.jobs.dispatch import mark_dispatched
from webapp.jobs.messages import SealVersion
from webapp.jobs.outbox import enqueue, enqueue_many
from webapp.jobs.queues import Queue
from webapp.kit.clock import utc_now
from webapp.services.operations.housekeeping import HEARTBEAT
from webapp.services.publishing import handing_over, schedules
from webapp.services.publishing.schedules import SchedulePlan
from workers.broker import RUN_JOBS, make_celery
from workers.context import WorkerContext
from workers.handlers import HANDLERS
from workers.runner import run_job

pytestmark = pytest.mark.chaos

QUEUE = Queue.VERSIONS
NEVER_SECONDS = 3600.0
SOON_SECONDS = 0.5
SCHEDULES = 60


@pytest.fixture(autouse=True)
def _empty_broker(redis: RedisServer) -> Iterator[None]:
    with Redis(port=redis.port) as client:
        client.flushall()
        yield
        client.flushall()


def with_redispatch(context: WorkerContext, seconds: float) -> WorkerContext:
    """Return a context that sends unanswered hints again after so many seconds."""
    changes = {"redispatch_seconds": seconds}
    return replace(context, settings=context.settings.model_copy(update=changes))


def add_job(context: WorkerContext, version_id: int = 1) -> int:
    """Add a job that has nothing to do, because its version does not exist."""
    with context.transaction() as session:
        job_id = enqueue(session, SealVersion(version_id=version_id))
    assert job_id is not None
    return job_id


def hints(redis: RedisServer) -> int:
    """Return how many hints wait in the queue."""
    with Redis(port=redis.port) as client:
        return int(client.llen(f"imprint:{QUEUE.value}"))


class HintReader(threading.Thread):
    """Reads hints as they come and does something at once with each job id."""

    def __init__(self, context: WorkerContext, react: Any) -> None:
        super().__init__(name="hint-reader")
        self._celery = make_celery(context.settings)
        self._react = react
        self._done = threading.Event()

    def __enter__(self) -> "HintReader":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()

    def run(self) -> None:
        """Read until the block ends."""
        with self._celery.connection() as connection:
            queue = connection.SimpleQueue(self._celery.amqp.queues[QUEUE.value])
            while not self._done.is_set():
                try:
                    message = queue.get(timeout=0.1)
                except Empty:
                    continue
                message.ack()
                for job_id in message.payload[0][0]:
                    self._react(job_id)
            queue.close()


def test_a_dispatcher_that_starts_without_a_broker_waits_for_one(
    worker: WorkerContext, tmp_path: Path
) -> None:
    job = add_job(worker)
    broker = RedisServer(tmp_path / "broker")
    with broker:
        changes = {"redis_url": f"redis://{LOOPBACK}:{broker.port}/0"}
    context = replace(worker, settings=worker.settings.model_copy(update=changes))

    def heartbeats() -> int:
        with worker.transaction() as session:
            ticks = text("SELECT count(*) FROM ticks WHERE task = :task")
            return int(session.scalar(ticks, {"task": HEARTBEAT}) or 0)

    with running_dispatcher(context):
        wait_until(lambda: heartbeats() >= 2)  # There are some rounds between two.
        assert job_state(context, job) == "ready"
        with broker:
            wait_until(lambda: hints(broker) == 1)


def test_the_hint_of_a_dispatcher_that_died_before_sending_is_sent_again(
    worker: WorkerContext, redis: RedisServer
) -> None:
    job = add_job(worker)
    with worker.transaction() as session:
        assert mark_dispatched(session, QUEUE, SOON_SECONDS, hints_on_broker=0) == [job]
    died_at = time.monotonic()
    with running_dispatcher(with_redispatch(worker, SOON_SECONDS)):
        wait_until(lambda: hints(redis) == 1)
    assert time.monotonic() - died_at > SOON_SECONDS * 0.9, "it waited for its turn"


@pytest.mark.parametrize("redispatch_seconds", [NEVER_SECONDS, SOON_SECONDS])
def test_an_emptied_broker_loses_the_job_only_where_hints_are_not_sent_again(
    worker: WorkerContext, redis: RedisServer, redispatch_seconds: float
) -> None:
    """The long interval is the control: it shows that the fault really takes the hint away."""
    job = add_job(worker)
    context = with_redispatch(worker, redispatch_seconds)
    with running_dispatcher(context):
        wait_until(lambda: hints(redis) > 0)
        with Redis(port=redis.port) as client:
            client.flushall()
        with HintReader(context, lambda job_id: run_job(worker, HANDLERS, job_id)):
            if redispatch_seconds == SOON_SECONDS:
                wait_until(lambda: job_state(worker, job) == "done")
            else:
                time.sleep(4 * SOON_SECONDS)
                assert job_state(worker, job) == "ready"


class Claims:
    """What a worker that reacts at once finds: how many rows it could claim, how many not."""

    def __init__(self, context: WorkerContext) -> None:
        self.outcomes: Counter[str] = Counter()
        self._context = context

    def try_one(self, job_id: int) -> None:
        """Lock the row without waiting, as the claim of a worker in a hurry would."""
        claim = text("SELECT id FROM jobs WHERE id = :id AND state = 'ready' FOR UPDATE NOWAIT")
        try:
            with self._context.transaction() as session:
                session.execute(claim, {"id": job_id}).one()
        except OperationalError:
            self.outcomes["locked"] += 1
        else:
            self.outcomes["claimable"] += 1


def test_a_job_can_be_claimed_the_moment_its_hint_arrives(worker: WorkerContext) -> None:
    claims = Claims(worker)
    context = with_redispatch(worker, NEVER_SECONDS)
    with HintReader(worker, claims.try_one), running_dispatcher(context):
        for batch in range(10):
            with worker.transaction() as session:
                messages = [SealVersion(version_id=100 * batch + n) for n in range(1, 101)]
                enqueue_many(session, messages)
            time.sleep(0.05)
        wait_until(lambda: claims.outcomes.total() == 1000, 300)
    assert claims.outcomes == {"claimable": 1000}


def test_a_dispatcher_that_sent_before_its_commit_would_be_caught(worker: WorkerContext) -> None:
    """The control of the test above: hints that are sent too early meet locked rows."""
    claims = Claims(worker)
    celery = make_celery(worker.settings)
    with HintReader(worker, claims.try_one):
        for n in range(1, 6):
            add_job(worker, n)
            with worker.transaction() as session:
                ids = mark_dispatched(session, QUEUE, NEVER_SECONDS, hints_on_broker=0)
                celery.send_task(RUN_JOBS, args=[ids], queue=QUEUE.value)
                wait_until(lambda number=n: claims.outcomes.total() == number)  # type: ignore[misc]
    assert claims.outcomes["locked"] == 5


def test_dispatchers_that_compete_hand_each_schedule_over_once(worker: WorkerContext) -> None:
    with worker.transaction() as session:
        author = make_actor(session)
        plan = SchedulePlan("publish", utc_now() - timedelta(seconds=1))
        for _ in range(SCHEDULES):
            schedules.create(session, author, make_content(session, author), None, plan)
    start, handed = threading.Barrier(2), Counter[str]()

    def compete(name: str) -> None:
        start.wait()
        for _ in range(20):
            with worker.transaction() as session:
                handed[name] += handing_over.hand_over_due(session)

    threads = [threading.Thread(target=compete, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with worker.transaction() as session:
        assert handed.total() == SCHEDULES
        assert handed_over(session) == Counter(dict.fromkeys(all_schedules(session), 1))


def test_a_dispatcher_that_dies_while_it_hands_over_leaves_the_schedules(
    worker: WorkerContext,
) -> None:
    with worker.transaction() as session:
        author = make_actor(session)
        plan = SchedulePlan("publish", utc_now() - timedelta(seconds=1))
        schedules.create(session, author, make_content(session, author), None, plan)
    with worker.sessions() as dying:
        assert handing_over.hand_over_due(dying) == 1
        with worker.transaction() as other:
            other.execute(text("SET LOCAL lock_timeout = '2s'"))
            assert handing_over.hand_over_due(other) == 0, (
                "the row is still in the first one's hands"
            )
        dying.connection().invalidate()  # The connection breaks, as it does when a process dies.
    with worker.transaction() as session:
        assert handing_over.hand_over_due(session) == 1
        assert handed_over(session) == Counter(dict.fromkeys(all_schedules(session), 1))


def handed_over(session: Session) -> Counter[int]:
    """Count how often each schedule stands in a job."""
    statement = """
        SELECT jsonb_array_elements_text(payload -> 'schedule_ids')::bigint
        FROM jobs WHERE kind = 'schedules.fire'
    """
    return Counter(session.scalars(text(statement)))


def all_schedules(session: Session) -> list[int]:
    """Return the ids of all schedules."""
    return list(session.scalars(text("SELECT id FROM schedules")))
