"""Clocks that step by an hour, really: of a worker, of a dispatcher, and of PostgreSQL's host.

libfaketime stands before the processes' clocks, and reads from a file by how much they are off.
Debian's package is `faketime`.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.config import Config
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.orm import Session, sessionmaker

from alembic import command
from dev.postgres import PostgresServer
from dev.redis import RedisServer
from tests.chaos.real_worker import real_dispatcher, real_worker, wait_until
from tests.chaos.rig import ROOT
from tests.factories import make_actor, make_content, run_ready_jobs
from webapp.jobs import leases
from webapp.jobs.messages import PruneTable
from webapp.jobs.outbox import enqueue
from webapp.jobs.outcomes import LeaseLostError
from webapp.services.operations.outlook import look_in
from webapp.services.publishing import handing_over, schedules
from webapp.services.publishing.schedules import SchedulePlan
from webapp.settings import Settings
from workers.context import WorkerContext

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
AN_HOUR = 3600

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.long,
    pytest.mark.skipif(LIBRARY is None, reason="libfaketime (Debian: faketime) is not installed"),
]


class Steps:
    """By how much a process's clock is off, from now on."""

    def __init__(self, file: Path) -> None:
        """Begin with a clock that is right."""
        self._file = file
        self.set(0)

    def set(self, seconds: int) -> None:
        """Step the clock, at once, since no call is answered from a copy of the file."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.rename(self._file)

    @property
    def environment(self) -> dict[str, str]:
        """What a process has to be started with."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture
def steps(tmp_path: Path, redis: RedisServer) -> Iterator[Steps]:
    """The clock of the processes of a test, and a broker that holds nothing."""
    with Redis(port=redis.port) as client:
        client.flushall()
        yield Steps(tmp_path / "steps")
        client.flushall()


def schedule_in(session: Session, seconds: float) -> int:
    """Schedule a new item so far from PostgreSQL's now; returns the schedule's id."""
    moment = text("SELECT clock_timestamp() + make_interval(secs => :seconds)")
    due_at = session.scalars(moment, {"seconds": seconds}).one()
    actor = make_actor(session)
    plan = SchedulePlan("publish", due_at)
    return schedules.create(session, actor, make_content(session, actor), None, plan)


def states(session: Session) -> list[str]:
    """Return the states of all schedules, in the order in which they were made."""
    return list(session.scalars(text("SELECT state FROM schedules ORDER BY id")))


@pytest.mark.parametrize("step", [AN_HOUR, -AN_HOUR], ids=["forward", "back"])
def test_the_clock_of_a_dispatcher_and_of_a_worker_changes_nothing(
    settings: Settings, sessions: sessionmaker[Session], tmp_path: Path, steps: Steps, step: int
) -> None:
    def fired() -> bool:
        with sessions.begin() as session:
            return states(session)[-1] == "fired"

    with ExitStack() as stack:
        extra = steps.environment
        stack.enter_context(real_worker(settings, "publishing", tmp_path, extra=extra))
        stack.enter_context(real_dispatcher(settings, tmp_path, extra=extra))
        with sessions.begin() as session:
            later = [schedule_in(session, seconds) for seconds in (AN_HOUR / 2, 2 * AN_HOUR)]
        for seconds in (step, 0, step):
            steps.set(seconds)
            with sessions.begin() as session:
                schedule_in(session, 1)
            wait_until(fired)
    with sessions.begin() as session:
        assert states(session) == ["pending"] * len(later) + ["fired"] * 3
        early = "SELECT count(*) FROM schedules WHERE fired_at < due_at"
        assert session.scalar(text(early)) == 0
        twice = "SELECT count(*) FROM jobs WHERE kind = 'schedules.fire' AND attempts <> 1"
        assert session.scalar(text(twice)) == 0
        worker = "SELECT ahead_seconds FROM clock_readings WHERE role = 'worker'"
        assert session.scalars(text(worker)).one() == pytest.approx(step, abs=60)


@pytest.fixture
def stepping(
    settings: Settings, tmp_path: Path, steps: Steps, worker: WorkerContext
) -> Iterator[WorkerContext]:
    """What a worker has at hand whose PostgreSQL has a clock that steps."""
    server = PostgresServer(tmp_path / "data", durable=False)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in steps.environment.items():
            patch.setenv(name, value)
        server.start()
    try:
        server.create_database("imprint")
        url = server.url("imprint")
        engine = create_engine(url.replace("://", "+psycopg://", 1), poolclass=NullPool)
        with engine.connect() as connection:
            config = Config(str(ROOT / "alembic.ini"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        changes = {"database_url": url, "secret_key": SecretStr(settings.require_secret_key())}
        yield WorkerContext(
            settings.model_copy(update=changes), sessionmaker(engine, expire_on_commit=False),
            worker.account_mailer, worker.bulk_mailer,
        )  # fmt: skip
    finally:
        server.stop()


def test_what_postgresqls_clock_says_is_so_and_nothing_happens_twice(
    stepping: WorkerContext, steps: Steps
) -> None:
    """The rule: forward, all that lies between is due at once; back, what is written waits."""
    with stepping.transaction() as session:
        schedule_in(session, AN_HOUR / 2)
        job_id = enqueue(session, PruneTable(table="jobs"))
        assert job_id is not None
    with stepping.transaction() as session:
        held = leases.claim(session, job_id, 30)
        assert held is not None
        assert not look_in(session, 5).are_schedules_due
    steps.set(AN_HOUR)
    with stepping.transaction() as session:
        found = look_in(session, 5)
        assert found.are_schedules_due
        assert found.have_leases_ended
        assert handing_over.hand_over_due(session) == 1
        assert leases.take_back_expired(session) == 1
    with stepping.transaction() as session, pytest.raises(LeaseLostError):
        leases.finish(session, held)
    run_ready_jobs(stepping)
    with stepping.transaction() as session:
        assert states(session) == ["fired"]
        schedule_in(session, -1)
        assert handing_over.hand_over_due(session) == 1
    steps.set(0)
    with stepping.transaction() as session:
        assert handing_over.hand_over_due(session) == 0
        found = look_in(session, 5)
        assert not found.fresh, "the job that fires it begins an hour from now"
        assert found.seconds_to_next == pytest.approx(AN_HOUR, abs=300)
        schedule_in(session, -1)
        assert handing_over.hand_over_due(session) == 1
    assert run_ready_jobs(stepping, kinds={"schedules.fire"}) == 1
    steps.set(AN_HOUR + 1)
    run_ready_jobs(stepping)
    with stepping.transaction() as session:
        assert states(session) == ["fired"] * 3
        events = "SELECT count(*) FROM events WHERE kind = 'content.published'"
        assert session.scalar(text(events)) == 3


def test_the_step_is_real(stepping: WorkerContext, steps: Steps) -> None:
    """The control: without it the tests here would show nothing."""
    with stepping.transaction() as session:
        before = session.scalars(text("SELECT clock_timestamp()")).one()
        steps.set(-AN_HOUR)
        after = session.scalars(text("SELECT clock_timestamp()")).one()
    assert before - after > timedelta(minutes=50)
