"""Promises of the figures of lateness: each firing counts once, by how late it was."""

import math

from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content, run_ready_jobs
from webapp.services.publishing import handing_over, lateness, schedules
from webapp.services.publishing.schedules import SchedulePlan
from workers.context import WorkerContext

_MOMENT = text("SELECT clock_timestamp() - make_interval(secs => :late)")


def schedule_late(session: Session, *seconds: float) -> None:
    """Make a schedule for each of some delays that it will fire with."""
    actor = make_actor(session)
    for late in seconds:
        due_at = session.scalars(_MOMENT, {"late": late}).one()
        plan = SchedulePlan("publish", due_at)
        schedules.create(session, actor, make_content(session, actor), None, plan)


def test_each_schedule_counts_by_how_late_it_fired(
    worker: WorkerContext, sessions: sessionmaker[Session], client: FlaskClient
) -> None:
    with sessions.begin() as session:
        schedule_late(session, 400, 500, 4000)
        handing_over.hand_over_due(session)
    run_ready_jobs(worker)
    with sessions.begin() as session:
        counted = lateness.read(session)
        assert [counted.up_to[bound] for bound in (60, 300, 3600, math.inf)] == [0, 0, 2, 3]
        assert 4900 < counted.seconds < 5500
    figures = client.get("/metrics").text
    assert 'imprint_schedule_lateness_seconds_bucket{le="3600.0"} 2.0' in figures
    assert 'imprint_schedule_lateness_seconds_bucket{le="+Inf"} 3.0' in figures
    assert "imprint_schedule_lateness_seconds_count 3.0" in figures


def test_what_is_rolled_back_or_missed_does_not_count(
    worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        schedule_late(session, 5)
        session.execute(text("UPDATE schedules SET if_missed = 'skip', due_at = due_at - "
                             "interval '1 day'"))  # fmt: skip
        handing_over.hand_over_due(session)
    run_ready_jobs(worker)
    with sessions() as session:
        schedule_late(session, 5)
        ids = session.scalars(text("SELECT id FROM schedules")).all()
        lateness.count(session, ids)
        session.rollback()
        assert lateness.read(session).up_to[math.inf] == 0


def test_a_clock_that_went_back_makes_nothing_early(session: Session) -> None:
    schedule_late(session, -100)
    lateness.count(session, session.scalars(text("SELECT id FROM schedules")).all())
    counted = lateness.read(session)
    assert counted.up_to[lateness.BOUNDS[0]] == 1
    assert counted.seconds == 0
