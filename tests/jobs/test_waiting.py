"""Promises about what waits: how old it is, and which kinds nobody serves."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import event, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from webapp.jobs import leases, pauses, waiting
from webapp.jobs.message import Message
from webapp.jobs.messages import FanOutEvent, PruneTable, SealVersion
from webapp.jobs.outbox import enqueue
from webapp.jobs.pauses import Scope
from webapp.jobs.queues import Queue
from webapp.kit.clock import utc_now
from webapp.models import Event, Job, JobKind, JobPause
from webapp.services.operations import brakes
from workers.context import WorkerContext
from workers.handlers import HANDLERS
from workers.runner import run_job

SEAL = SealVersion(version_id=1)


def due_for(session: Session, seconds: float, message: Message = SEAL, **values: object) -> int:
    """Write a job that has been due for so long, and return its id."""
    job_id = enqueue(session, message)
    assert job_id is not None
    past = utc_now() - timedelta(seconds=seconds)
    session.execute(update(Job).where(Job.id == job_id).values(run_at=past, **values))
    return job_id


def unserved(session: Session) -> set[str]:
    """Return the kinds that nobody has served for a minute."""
    return {line.kind for line in waiting.find_waiting(session) if line.is_unserved}


def test_the_age_of_the_oldest_job_is_told_for_each_queue(session: Session) -> None:
    due_for(session, 90)
    due_for(session, 30, PruneTable(table="jobs"))
    due_for(session, 50, FanOutEvent(event_id=1), queue=Queue.HOUSEKEEPING.value)
    due_for(session, -90, FanOutEvent(event_id=2))
    ages = waiting.oldest_by_queue(waiting.find_waiting(session))
    assert set(ages) == {"versions", "housekeeping"}
    assert 89 < ages["versions"] < 120
    assert 49 < ages["housekeeping"] < 80


def test_a_kind_that_nobody_has_served_for_a_minute_stands_out(session: Session) -> None:
    due_for(session, 59)
    assert unserved(session) == set(), "it may yet be served"
    due_for(session, 61, PruneTable(table="jobs"))
    due_for(session, 61, PruneTable(table="jobs"), kind="thing.new")
    assert unserved(session) == {"table.prune", "thing.new"}
    assert {line.known_kind for line in waiting.find_waiting(session)} == {
        "version.seal", "table.prune", "unknown",
    }  # fmt: skip
    waiting.note_start(session, "table.prune")
    assert unserved(session) == {"thing.new"}
    session.execute(update(JobKind).values(last_started_at=utc_now() - timedelta(seconds=61)))
    assert unserved(session) == {"table.prune", "thing.new"}


def test_what_every_worker_declines_is_unserved_though_it_is_never_due_for_long(
    session: Session,
) -> None:
    written = utc_now() - timedelta(seconds=61)
    due_for(session, -50, kind="thing.new", declines=7, created_at=written)
    due_for(session, -50, SealVersion(version_id=2), created_at=written)
    assert unserved(session) == {"thing.new"}, "the other one waits for its moment"


def test_a_kind_that_a_worker_is_at_is_served_however_long_it_takes(session: Session) -> None:
    due_for(session, 61)
    at_work = due_for(session, 600, SealVersion(version_id=2))
    assert leases.claim(session, at_work, 30) is not None
    assert unserved(session) == set()
    session.execute(update(Job).where(Job.id == at_work).values(lease_until=utc_now()))
    assert unserved(session) == {"version.seal"}, "that worker is dead"


@pytest.mark.parametrize(
    ("scope", "target"), [(Scope.QUEUE, "notifications"), (Scope.KIND, "event.fan_out"),
                          (Scope.EVENT, None)]
)  # fmt: skip
def test_what_is_paused_is_not_unserved_even_without_a_dispatcher(
    session: Session, scope: Scope, target: str | None
) -> None:
    content_id = make_content(session, make_actor(session))
    session.execute(update(Job).values(state="done"))
    told = Event(kind="content.published", content_id=content_id, sequence=1, title="", slug="a")
    session.add(told)
    session.flush()
    due_for(session, 61, FanOutEvent(event_id=told.id))
    brakes.pause_jobs(session, scope, target or str(told.id), reason="a test", paused_by="a")
    assert waiting.find_waiting(session) == []
    session.execute(update(JobPause).values(ends_at=utc_now()))
    assert unserved(session) == {"event.fan_out"}


def test_a_worker_notes_what_it_serves_now_and_then(worker: WorkerContext) -> None:
    noted = []
    for version_id in (1, 2):
        with worker.transaction() as session:
            job_id = enqueue(session, SealVersion(version_id=version_id))
        assert job_id is not None
        run_job(worker, HANDLERS, job_id)
        with worker.transaction() as session:
            noted.append(session.scalars(select(JobKind.last_started_at)).one())
    assert noted[0] == noted[1], "the second start costs nothing"


def test_a_worker_that_does_not_know_a_kind_serves_it_not(worker: WorkerContext) -> None:
    with worker.transaction() as session:
        job_id = due_for(session, 61)
    run_job(worker, {}, job_id)
    with worker.transaction() as session:
        assert session.scalars(select(JobKind)).all() == []


def test_ready_metrics_and_the_list_tell_of_what_is_paused_and_of_what_nobody_serves(
    client: FlaskClient, commands: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        due_for(session, 61, kind="thing.new")
        brakes.pause_jobs(session, Scope.QUEUE, "mail", reason="a secret plan", paused_by="ada")
    ready = client.get("/ready")
    (kind,) = ready.get_json()["unserved_kinds"]
    assert kind["kind"] == "thing.new"
    assert kind["oldest_job_age"] > 60
    (pause,) = ready.get_json()["pauses"]
    assert (pause["scope"], pause["target"], pause["until"]) == ("queue", "mail", None)
    assert "secret" not in ready.text
    metrics = client.get("/metrics").text
    assert re.search(r'imprint_unserved_job_seconds\{kind="unknown"\} 6', metrics)
    assert 'imprint_job_pause_seconds{scope="queue",target="mail"}' in metrics
    listed = commands.invoke(args=["jobs", "list"]).stderr
    assert "Nobody has served thing.new for a minute; its oldest job waits for 6" in listed
    with sessions.begin() as session:
        brakes.resume_jobs(session, Scope.QUEUE, "mail", resumed_by="ada")
        pauses.release_ended(session)
        waiting.note_start(session, "thing.new")
    assert commands.invoke(args=["jobs", "list"]).stderr == ""
    assert "imprint_job_pause_seconds{" not in client.get("/metrics").text


def test_a_large_backlog_costs_some_pages_for_each_kind(sessions: sessionmaker[Session]) -> None:
    # In a database of its own, where no other test has left dead rows to pass over.
    with sessions() as session:
        session.execute(
            text(
                """
                INSERT INTO jobs (queue, kind, dedupe_key, payload, run_at)
                SELECT 'versions', 'version.seal', 'large ' || number, '{}',
                    clock_timestamp() - interval '1 hour'
                FROM generate_series(1, 30000) AS number
                """
            )
        )
        due_for(session, 61, PruneTable(table="jobs"), queue="versions")
        session.execute(text("ANALYZE jobs"))
        sent: list[tuple[str, Any]] = []
        connection = session.connection()
        noting = event.listens_for(connection, "before_cursor_execute")
        noting(
            lambda _c, _cursor, statement, parameters, _x, _many: sent.append(
                (statement, parameters)
            )
        )
        assert unserved(session) == {"version.seal", "table.prune"}
        statement, parameters = sent[0]
        explained = connection.exec_driver_sql(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters
        ).scalar_one()
        plan = explained[0]["Plan"]
        assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 100
