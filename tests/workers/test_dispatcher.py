"""Promises of the dispatcher's rounds: quiet when nothing is to do, there when something is.

Where a test wants to see that something wakes a dispatcher it takes every other reason to wake up
from it: without the one that is tested it would sleep for an hour.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from dev.redis import RedisServer
from tests.chaos.real_worker import running_dispatcher, wait_until
from tests.factories import make_actor, make_content
from tests.statements import noting_executions
from webapp.adapters.database import plan_listener
from webapp.jobs import administration
from webapp.jobs.account_messages import SendPasswordChanged
from webapp.jobs.messages import PruneTable, RefreshPublications, SealVersion
from webapp.jobs.outbox import enqueue, enqueue_anew, enqueue_many, wake_dispatcher
from webapp.jobs.pauses import Scope
from webapp.jobs.queues import Queue
from webapp.kit.clock import utc_now
from webapp.services.operations import brakes, housekeeping, outlook
from webapp.services.publishing import schedules
from webapp.services.publishing.schedules import SchedulePlan
from workers import dispatcher
from workers.broker import make_celery
from workers.context import WorkerContext
from workers.wakes import Ear, StopBell

AN_HOUR = 3600.0
SOON = timedelta(seconds=1)
ROUNDS = 20


@pytest.fixture(autouse=True)
def _empty_broker(redis: RedisServer) -> Iterator[None]:
    with Redis(port=redis.port) as client:
        client.flushall()
        yield
        client.flushall()


@pytest.fixture
def sleepy(worker: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> WorkerContext:
    """What a dispatcher has at hand that looks once an hour unless it is woken."""
    monkeypatch.setattr(dispatcher, "QUIET_SECONDS", AN_HOUR)
    monkeypatch.setattr(housekeeping, "HEARTBEAT_SECONDS", int(AN_HOUR))
    changes = {"dispatcher_poll_seconds": AN_HOUR, "redispatch_seconds": AN_HOUR}
    return replace(worker, settings=worker.settings.model_copy(update=changes))


@pytest.fixture
def ticked(worker: WorkerContext) -> None:
    """The duties of this hour are written, and done."""
    with worker.transaction() as session:
        housekeeping.write_due_prunes(session)
        session.execute(text("UPDATE jobs SET state = 'done', finished_at = now()"))


def count(context: WorkerContext, condition: str, table: str = "jobs") -> int:
    """Count the rows of a table that are in some state."""
    with context.transaction() as session:
        statement = text(f"SELECT count(*) FROM {table} WHERE {condition}")
        return int(session.scalar(statement) or 0)


def has(context: WorkerContext, condition: str, number: int) -> bool:
    """Say whether so many jobs are in some state."""
    return count(context, condition) == number


def make_schedule(session: Session, due_in: timedelta = -SOON) -> int:
    """Make a schedule; returns its id."""
    actor = make_actor(session)
    plan = SchedulePlan("publish", utc_now() + due_in)
    return schedules.create(session, actor, make_content(session, actor), None, plan)


@contextmanager
def asleep(context: WorkerContext) -> Iterator[None]:
    """Run a dispatcher in the block, which begins when it has gone to sleep."""
    waits = threading.Event()
    wait = Ear.wait

    def tell(ear: Ear, seconds: float, stop: StopBell) -> bool:
        waits.set()
        return wait(ear, seconds, stop)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ear, "wait", tell)
        with running_dispatcher(context):
            wait_until(waits.is_set)
            yield


@pytest.mark.usefixtures("ticked")
def test_a_round_with_nothing_to_do_is_one_statement(worker: WorkerContext) -> None:
    with noting_executions() as noted, running_dispatcher(worker):
        looks = ["pg_try_advisory_lock"] * 3
        wait_until(
            lambda: (
                [look for look in looks if all(look in sent for sent in noted[-3:])]
                and len(noted) >= 10
            )
        )
        assert all(sent == noted[-1] for sent in noted[-3:])


@pytest.mark.usefixtures("ticked")
@pytest.mark.parametrize(
    "write",
    [
        lambda session: enqueue(session, SendPasswordChanged(user_id=1)),
        lambda session: enqueue(session, PruneTable(table="jobs")),
        lambda session: enqueue_anew(session, RefreshPublications(named="tag", named_id=1)),
        lambda session: enqueue(session, SendPasswordChanged(user_id=1), run_at=utc_now()),
        make_schedule,
    ],
    ids=["urgent", "any", "anew", "moment", "schedule"],
)
def test_who_writes_a_duty_wakes_a_dispatcher_that_then_sees_it(
    sleepy: WorkerContext, write: Callable[[Session], object]
) -> None:
    with asleep(sleepy):
        for _ in range(ROUNDS):
            with sleepy.transaction() as session:
                write(session)
            wait_until(lambda: count(sleepy, "state = 'ready' AND dispatched_at IS NULL") == 0)
            wait_until(lambda: count(sleepy, "state = 'pending'", "schedules") == 0)
            with sleepy.transaction() as session:
                session.execute(text("UPDATE jobs SET state = 'done', finished_at = now()"))


@pytest.mark.usefixtures("ticked")
def test_operators_wake_a_dispatcher(sleepy: WorkerContext) -> None:
    with sleepy.transaction() as session:
        ids = [enqueue(session, PruneTable(table=name)) or 0 for name in ("jobs", "ticks")]
        administration.discard_jobs(session, ids)
    with asleep(sleepy):
        with sleepy.transaction() as session:
            administration.retry_jobs(session, ids[:1])
        wait_until(lambda: count(sleepy, "dispatched_at IS NOT NULL AND state = 'ready'") == 1)
        with sleepy.transaction() as session:
            brakes.pause_jobs(
                session, Scope.KIND, PruneTable.kind, reason="a test", paused_by="tester"
            )
        wait_until(lambda: count(sleepy, "state = 'held'") == 1)
        with sleepy.transaction() as session:
            brakes.resume_jobs(session, Scope.KIND, PruneTable.kind, resumed_by="tester")
        wait_until(lambda: count(sleepy, "dispatched_at IS NOT NULL AND state = 'ready'") == 1)
        assert count(sleepy, "true", "job_pauses") == 0


@pytest.mark.usefixtures("ticked")
def test_it_sleeps_until_a_schedule_is_due_and_no_longer(sleepy: WorkerContext) -> None:
    with asleep(sleepy):
        with sleepy.transaction() as session:
            make_schedule(session, SOON)
        wait_until(lambda: count(sleepy, "kind = 'schedules.fire' AND dispatches = 1") == 1)
    with sleepy.transaction() as session:
        early = text("""
            SELECT count(*) FROM jobs, schedules
            WHERE kind = 'schedules.fire' AND jobs.created_at < due_at
        """)
        assert session.scalar(early) == 0


_JOB = """
    INSERT INTO jobs (queue, kind, dedupe_key, payload, {columns})
    VALUES ('housekeeping', 'table.prune', 'a', '{{"table": "jobs"}}', {values})
"""


@pytest.mark.usefixtures("ticked")
@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("run_at", "now() + interval '1 second'"),
        (
            "state, lease_token, starts, lease_until",
            "'running', gen_random_uuid(), 1, now() + interval '1 second'",
        ),
        ("dispatched_at, dispatches", "now(), 1"),
    ],
    ids=["a start", "the end of a lease", "an answer that did not come"],
)
def test_it_sleeps_until_there_is_something_to_do_for_a_job(
    sleepy: WorkerContext, columns: str, values: str
) -> None:
    changes = {"redispatch_seconds": SOON.total_seconds()}
    context = replace(sleepy, settings=sleepy.settings.model_copy(update=changes))
    before = count(context, "true")
    with asleep(context):
        with context.transaction() as session:
            session.execute(text(_JOB.format(columns=columns, values=values)))
            wake_dispatcher(session)
        wanted = "state = 'ready' AND dispatches > 0 AND dispatched_at > run_at"
        wanted += " AND dispatched_at > created_at + interval '1 second'"
        wait_until(lambda: count(context, wanted) == 1)
    assert count(context, "true") == before + 1


@pytest.mark.usefixtures("ticked")
def test_it_sleeps_until_a_pause_ends(sleepy: WorkerContext) -> None:
    with sleepy.transaction() as session:
        brakes.pause_jobs(
            session, Scope.QUEUE, "housekeeping", reason="a test", paused_by="tester",
            ends_at=utc_now() + SOON,
        )  # fmt: skip
        enqueue(session, PruneTable(table="jobs"))
    with asleep(sleepy):
        wait_until(lambda: count(sleepy, "state = 'ready' AND dispatched_at IS NOT NULL") == 1)
        assert count(sleepy, "true", "job_pauses") == 0


@pytest.mark.parametrize("is_told", [True, False], ids=["a listener", "a pooler"])
def test_what_nobody_tells_of_is_found_by_looking(worker: WorkerContext, is_told: bool) -> None:
    plan = plan_listener(worker.settings) if is_told else None
    process = dispatcher.Dispatcher(worker, make_celery(worker.settings), plan)
    thread = threading.Thread(target=process.run)
    thread.start()
    try:
        for number in range(1, 4):
            with worker.transaction() as session:
                enqueue_many(session, [SealVersion(version_id=number)])
            seals = "kind = 'version.seal' AND dispatched_at IS NOT NULL"
            wait_until(partial(has, worker, seals, number))
    finally:
        process.stop()
        thread.join()


def test_of_several_one_leads_and_the_next_follows_it(worker: WorkerContext) -> None:
    plan = plan_listener(worker.settings)
    assert plan is not None
    with Ear.opened(plan) as second:
        with Ear.opened(plan) as first:
            assert first.look(1.0).leads
            assert not second.look(1.0).leads
            assert first.look(1.0).leads
        wait_until(lambda: second.look(1.0).leads)


@pytest.mark.usefixtures("ticked")
def test_one_that_does_not_lead_does_what_the_leader_leaves(worker: WorkerContext) -> None:
    plan = plan_listener(worker.settings)
    assert plan is not None
    with Ear.opened(plan) as hanging, running_dispatcher(worker):
        hanging.look(1.0)  # It leads, if it came first, and does nothing.
        with worker.transaction() as session:
            make_schedule(session)
            enqueue(session, PruneTable(table="jobs"))
        wait_until(lambda: count(worker, "state = 'ready' AND dispatched_at IS NULL") == 0)
        wait_until(lambda: count(worker, "state = 'handed'", "schedules") == 1)


def test_a_notification_during_a_look_ends_the_next_wait(worker: WorkerContext) -> None:
    plan = plan_listener(worker.settings)
    assert plan is not None
    execute = outlook.look

    def look_and_write(*args: object, **options: object) -> object:
        found = execute(*args, **options)  # type: ignore[arg-type]
        with worker.transaction() as session:
            wake_dispatcher(session)
        ear._connection.execute("SELECT 1")  # It comes with the answer to a statement.
        return found

    with Ear.opened(plan) as ear, pytest.MonkeyPatch.context() as patch:
        patch.setattr(outlook, "look", look_and_write)
        ear.look(1.0)
        assert ear.wait(AN_HOUR, StopBell())
        patch.undo()
        ear.look(1.0)
        assert not ear.wait(0, StopBell())


def test_who_asks_it_to_stop_ends_its_sleep(sleepy: WorkerContext) -> None:
    with asleep(sleepy):
        pass
    bell = StopBell()
    bell.ring()
    with bell.heard():
        bell.wait(AN_HOUR)
    assert bell.is_rung


def test_every_queue_has_its_turn(worker: WorkerContext) -> None:
    with running_dispatcher(worker):
        with worker.transaction() as session:
            for queue in Queue:
                session.execute(
                    text(_JOB.format(columns="run_at", values="now()").replace("'a'", ":key")
                         .replace("'housekeeping'", ":queue")),
                    {"key": queue.value, "queue": queue.value},
                )  # fmt: skip
        wait_until(lambda: count(worker, "state = 'ready' AND dispatched_at IS NULL") == 0)
