"""Promises of the look: each thing that there is to do is seen, and nothing that there is not."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.activity_chain import seal_all
from tests.factories import make_actor, make_content
from webapp.jobs.pauses import Scope
from webapp.jobs.queues import Queue
from webapp.kit.clock import utc_now
from webapp.services.operations import brakes
from webapp.services.operations.outlook import _LOOK, Outlook, look_in
from webapp.services.publishing import schedules
from webapp.services.publishing.schedules import SchedulePlan

REDISPATCH_SECONDS = 5.0
_ADD = """
    INSERT INTO jobs (queue, kind, dedupe_key, payload, {columns})
    SELECT 'mail', 'event_mails.send', number::text, '{{}}', {values}
    FROM generate_series(1, {number}) AS number
"""
NOTHING: dict[str, set[str]] = {"due": set(), "fresh": set(), "hinted": set(), "unanswered": set()}


def look(session: Session) -> Outlook:
    """Look within the test's transaction."""
    return look_in(session, REDISPATCH_SECONDS)


def sets_of(found: Outlook) -> dict[str, set[str]]:
    """Return what was found of queues."""
    return {name: set(getattr(found, name)) for name in NOTHING}


def add(session: Session, columns: str, values: str, number: int = 1) -> None:
    """Add jobs of the queue of mails."""
    session.execute(text(_ADD.format(columns=columns, values=values, number=number)))


def test_an_empty_system_has_nothing_to_do_ever(session: Session) -> None:
    found = look(session)
    assert sets_of(found) == NOTHING
    assert found.seconds_to_next is None
    flags = ("are_schedules_due", "has_pauses", "has_running", "have_leases_ended", "has_unsealed")
    assert [name for name in flags if getattr(found, name)] == []
    assert found.leads
    now = session.scalar(text("SELECT extract(epoch FROM clock_timestamp())::float8"))
    assert now is not None
    assert now - 60 < found.now <= now


@pytest.mark.parametrize(
    ("columns", "values", "expected", "next_in"),
    [
        ("state", "'ready'", {"due": {"mail"}, "fresh": {"mail"}}, None),
        ("run_at", "now() + interval '1 hour'", {}, 3600),
        ("dispatched_at", "now()", {"due": {"mail"}, "hinted": {"mail"}}, 5),
        (
            "dispatched_at", "now() - interval '6 seconds'",
            {"due": {"mail"}, "hinted": {"mail"}, "unanswered": {"mail"}}, None,
        ),
        ("state", "'held'", {}, None),
        ("state, finished_at", "'done', now()", {}, None),
    ],
)  # fmt: skip
def test_a_job_is_seen_in_each_of_its_states(
    session: Session,
    columns: str,
    values: str,
    expected: dict[str, set[str]],
    next_in: float | None,
) -> None:
    add(session, columns, values)
    found = look(session)
    assert sets_of(found) == {**NOTHING, **expected}
    assert found.seconds_to_next == (None if next_in is None else pytest.approx(next_in, abs=60))


def test_the_end_of_a_lease_is_seen_before_and_after_it(session: Session) -> None:
    columns = "state, lease_token, lease_until"
    add(session, columns, "'running', gen_random_uuid(), now() + interval '1 hour'")
    found = look(session)
    assert found.has_running
    assert not found.have_leases_ended
    assert found.seconds_to_next == pytest.approx(3600, abs=60)
    session.execute(text("UPDATE jobs SET lease_until = now() - interval '1 second'"))
    assert look(session).have_leases_ended


def test_a_fresh_job_is_seen_behind_a_window_of_hints(session: Session) -> None:
    window = Queue.MAIL.window
    add(session, "dispatched_at, run_at", "now(), now() - interval '1 minute'", window)
    assert not look(session).fresh
    session.execute(text("UPDATE jobs SET dedupe_key = 'old' || dedupe_key"))
    add(session, "state", "'ready'")
    assert look(session).fresh == {"mail"}


def test_a_schedule_is_seen_before_and_after_its_moment(session: Session) -> None:
    actor = make_actor(session)
    plan = SchedulePlan("publish", utc_now() + timedelta(hours=1))
    schedules.create(session, actor, make_content(session, actor), None, plan)
    found = look(session)
    assert not found.are_schedules_due
    assert found.seconds_to_next == pytest.approx(3600, abs=60)
    session.execute(text("UPDATE schedules SET due_at = now() - interval '1 second'"))
    assert look(session).are_schedules_due
    for scope, target in ((Scope.QUEUE, "publishing"), (Scope.KIND, "schedules.fire")):
        brakes.pause_jobs(session, scope, target, reason="a test", paused_by="tester")
        assert not look(session).are_schedules_due, "a dispatcher can sleep"
        session.execute(text("DELETE FROM job_pauses"))
    session.execute(text("UPDATE schedules SET state = 'fired'"))
    assert not look(session).are_schedules_due


def test_the_end_of_a_pause_is_a_moment_to_wake_up_at(session: Session) -> None:
    brakes.pause_jobs(
        session, Scope.QUEUE, "mail", reason="a test", paused_by="tester",
        ends_at=utc_now() + timedelta(hours=1),
    )  # fmt: skip
    found = look(session)
    assert found.has_pauses
    assert found.seconds_to_next == pytest.approx(3600, abs=60)


def test_lines_that_are_not_sealed_are_seen(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        brakes.pause_jobs(session, Scope.QUEUE, "mail", reason="a test", paused_by="tester")
        assert look(session).has_unsealed
    seal_all(sessions)
    with sessions.begin() as session:
        assert not look(session).has_unsealed


def test_a_look_asks_indexes_and_is_kept_by_the_driver(session: Session) -> None:
    """A backlog of any size, of jobs to come and of jobs that wait, is not read through."""
    add(session, "run_at", "now() + interval '1 hour' * number", 20_000)
    session.execute(text("ANALYZE jobs"))
    session.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"))
    values = {
        "leads": True, "queues": [queue.value for queue in Queue], "redispatch_seconds": 5.0,
        "most": 1000,
    }  # fmt: skip
    plan = session.connection().exec_driver_sql(
        f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {_LOOK}", values
    )
    assert most_rows(plan.scalar_one()[0]["Plan"]) <= len(Queue)
    assert len(_LOOK) < 4096


def most_rows(node: dict[str, object]) -> float:
    """Return how many rows a node of a plan read at most, with those that it left out."""
    removed = node.get("Rows Removed by Filter", 0)
    own = float(str(node["Actual Rows"])) + float(str(removed))
    children = node.get("Plans", [])
    assert isinstance(children, list)
    return max([own, *(most_rows(child) for child in children)])
