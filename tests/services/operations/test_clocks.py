"""Promises about clocks: whose is off is told, and what is due is PostgreSQL's to say."""

import re
import time
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, run_ready_jobs
from webapp.api.edge import ImprintApp
from webapp.api.kept import Kept
from webapp.jobs.messages import PruneTable
from webapp.jobs.outbox import enqueue
from webapp.kit import clock
from webapp.services import notices
from webapp.services.operations import clocks, housekeeping
from webapp.services.publishing import review_reminders
from workers.context import WorkerContext

AN_HOUR = 3600.0


@pytest.fixture(params=[AN_HOUR, -AN_HOUR], ids=["an hour ahead", "an hour behind"])
def stepped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """Step the clock of this process; returns by how much."""
    step: float = request.param
    right = time.time

    class Stepped(datetime):
        @classmethod
        def now(cls, zone: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(zone) + timedelta(seconds=step)

    monkeypatch.setattr(time, "time", lambda: right() + step)
    monkeypatch.setattr(clock, "datetime", Stepped)
    return step


def test_a_clock_that_is_right_is_not_told_of(session: Session) -> None:
    assert not clocks.note_own(session, "worker").is_off
    own, noted = clocks.read_clocks(session, "web")
    assert (own.role, noted.role) == ("web", "worker")
    assert not own.is_off


def test_a_clock_that_is_off_is_told_with_its_host(
    app: ImprintApp, client: FlaskClient, sessions: sessionmaker[Session], stepped: float
) -> None:
    assert app.context is not None
    app.context = replace(app.context, readiness=Kept(0))
    with sessions.begin() as session:
        housekeeping.write_heartbeat(session)
        clocks.note_own(session, "dispatcher")
    answer = client.get("/ready")
    assert answer.status_code == 200
    off = answer.get_json()["clocks_off"]
    assert [line["role"] for line in off] == ["web", "dispatcher"]
    assert {line["host"] for line in off} == {clocks.host()}
    assert [line["ahead_seconds"] for line in off] == pytest.approx([stepped] * 2, abs=60)
    found = re.findall(
        r'imprint_clock_ahead_seconds{host="(.+)",role="(\w+)"} (\S+)', client.get("/metrics").text
    )
    assert [role for _, role, _ in found] == ["web", "dispatcher"]
    assert [float(ahead) for *_, ahead in found] == pytest.approx([stepped] * 2, abs=60)


def test_a_worker_notes_its_clock_with_a_start_and_a_reading_gets_old(
    worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        enqueue(session, PruneTable(table="jobs"))
        enqueue(session, PruneTable(table="ticks"))
    run_ready_jobs(worker)
    with sessions.begin() as session:
        assert [found.role for found in clocks.read_clocks(session, "web")] == ["web", "worker"]
        session.execute(text("UPDATE clock_readings SET read_at = now() - interval '2 hours'"))
        assert [found.role for found in clocks.read_clocks(session, "web")] == ["web"]
        session.execute(text("UPDATE clock_readings SET read_at = now() - interval '2 days'"))
        assert not housekeeping.prune(session, "clock_readings", worker.settings)
        assert session.scalar(text("SELECT count(*) FROM clock_readings")) == 0


@pytest.mark.usefixtures("stepped")
def test_a_later_start_is_counted_from_postgresqls_clock(session: Session) -> None:
    told = [make_actor(session).user_id]
    session.execute(text("UPDATE users SET email_proven_at = now()"))
    notices.tell(session, told, "comment.added", "comment", 1, mail_after=timedelta(minutes=9))
    away = "SELECT extract(epoch FROM run_at - clock_timestamp())::float8 FROM jobs"
    assert session.scalars(text(away)).all() == pytest.approx([540], abs=60)


@pytest.mark.usefixtures("stepped")
def test_reminders_are_of_moments_that_have_not_come_for_postgresql(session: Session) -> None:
    moment = text("SELECT clock_timestamp() + make_interval(secs => :seconds)")
    for seconds, expected in ((600, 1), (-600, 0)):
        due_at = session.scalars(moment, {"seconds": seconds}).one()
        session.execute(text("DELETE FROM jobs"))
        review_reminders.plan(session, 1, due_at)
        assert session.scalar(text("SELECT count(*) FROM jobs")) == expected
