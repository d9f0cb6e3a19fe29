"""Promises of the brakes: what is paused does not start, goes on at the end, and costs nobody."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from webapp.jobs import leases, pauses
from webapp.jobs.account_messages import SendPasswordChanged, SendPasswordReset
from webapp.jobs.dispatch import mark_dispatched
from webapp.jobs.message import Message
from webapp.jobs.messages import FanOutEvent, FireSchedules, PruneTable, SealVersion, SendEventMails
from webapp.jobs.outbox import enqueue
from webapp.jobs.pauses import Pause, Scope
from webapp.jobs.queues import Queue
from webapp.kit.clock import utc_now
from webapp.models import ActivityLog, Event, Job, JobPause, Schedule
from webapp.services.errors import ConflictError, InvalidInputError, NotFoundError
from webapp.services.operations import brakes, housekeeping
from webapp.services.operations.outlook import look_in
from webapp.services.publishing import handing_over, schedules
from webapp.services.publishing.schedules import SchedulePlan

RESET = SendPasswordReset(email_hash="0" * 64)
MAILS = SendEventMails(event_id=1, after_user_id=0, to_user_id=500)


def pause(session: Session, scope: Scope, target: str, ends_at: datetime | None = None) -> Pause:
    """Pause something for a reason."""
    return brakes.pause_jobs(
        session, scope, target, reason="a test", paused_by="tester", ends_at=ends_at
    ).pause


def resume(session: Session, scope: Scope, target: str) -> None:
    """Let a pause end."""
    brakes.resume_jobs(session, scope, target, resumed_by="tester")


def write(session: Session, message: Message) -> int:
    """Write a job and return its id."""
    job_id = enqueue(session, message)
    assert job_id is not None
    return job_id


def states(session: Session) -> dict[str, int]:
    """Return how many jobs there are in each state."""
    counted = select(Job.state, func.count().label("jobs")).group_by(Job.state)
    return {row.state: row.jobs for row in session.execute(counted)}


def end_by_itself(session: Session) -> None:
    """Let the moment come at which all pauses end."""
    session.execute(update(JobPause).values(ends_at=utc_now() - timedelta(seconds=1)))


def make_event(session: Session) -> str:
    """Make an event and return its id."""
    content_id = make_content(session, make_actor(session))
    event = Event(kind="content.published", content_id=content_id, sequence=1, title="", slug="a")
    session.add(event)
    session.flush()
    session.execute(delete(Job))
    return str(event.id)


PAUSED = [
    (Scope.QUEUE, "accounts", [RESET, SendPasswordChanged(user_id=1)], [MAILS]),
    (Scope.KIND, "password_reset.send", [RESET], [SendPasswordChanged(user_id=1)]),
    (Scope.KIND, "schedules.fire", [FireSchedules(schedule_ids=(1,))], [SealVersion(version_id=1)]),
]


@pytest.mark.parametrize(("scope", "target", "held", "free"), PAUSED)
def test_what_is_paused_is_not_claimed_and_the_rest_is(
    session: Session, scope: Scope, target: str, held: list[Message], free: list[Message]
) -> None:
    held_ids = [write(session, message) for message in held]
    free_ids = [write(session, message) for message in free]
    pause(session, scope, target)
    assert [leases.claim(session, job_id, 30) for job_id in held_ids] == [None] * len(held)
    assert all(leases.claim(session, job_id, 30) for job_id in free_ids)
    resume(session, scope, target)
    assert all(leases.claim(session, job_id, 30) for job_id in held_ids)


def test_the_jobs_of_one_event_are_paused_and_no_others(session: Session) -> None:
    event_id = make_event(session)
    mine = [
        write(session, FanOutEvent(event_id=int(event_id))),
        write(session, SendEventMails(event_id=int(event_id), after_user_id=0, to_user_id=9)),
    ]
    others = [
        write(session, FanOutEvent(event_id=int(event_id) + 1)),
        write(session, SealVersion(version_id=int(event_id))),
    ]
    found = pause(session, Scope.EVENT, event_id)
    assert pauses.set_aside(session, found) == len(mine)
    assert states(session) == {"held": 2, "ready": 2}
    assert all(leases.claim(session, job_id, 30) for job_id in others)
    resume(session, Scope.EVENT, event_id)
    ending = pauses.release_ended(session)
    assert ending is not None
    assert (ending.released, ending.is_over) == (2, True)
    assert all(leases.claim(session, job_id, 30) for job_id in mine)


def test_a_pause_ends_by_itself_without_any_operator(session: Session) -> None:
    job_id = write(session, SealVersion(version_id=1))
    found = pause(session, Scope.KIND, "version.seal", utc_now() + timedelta(hours=1))
    pauses.set_aside(session, found)
    assert states(session) == {"held": 1}
    assert pauses.release_ended(session) is None
    end_by_itself(session)
    assert pauses.read_pauses(session) == []
    assert pauses.read_brakes(session).has_ended_ones
    assert pauses.release_ended(session) is not None
    assert not pauses.read_brakes(session).has_ended_ones
    assert mark_dispatched(session, Queue.VERSIONS, 5, hints_on_broker=0) == [job_id]


def test_jobs_keep_their_place_and_are_hinted_at_once_after_a_pause(session: Session) -> None:
    first = write(session, SealVersion(version_id=1))
    assert mark_dispatched(session, Queue.VERSIONS, 3600, hints_on_broker=0) == [first]
    run_at = session.scalars(select(Job.run_at)).one()
    for scope, target in ((Scope.QUEUE, "versions"), (Scope.KIND, "version.seal")):
        found = pause(session, scope, target)
        assert leases.claim(session, first, 30) is None, "the hint came while it was paused"
        pauses.set_aside(session, found)
        resume(session, scope, target)
        pauses.release_ended(session)
        assert session.scalars(select(Job.run_at)).one() == run_at
        assert mark_dispatched(session, Queue.VERSIONS, 3600, hints_on_broker=0) == [first]


def test_a_job_under_two_pauses_waits_for_both(session: Session) -> None:
    event_id = make_event(session)
    write(session, FanOutEvent(event_id=int(event_id)))
    by_kind = pause(session, Scope.KIND, "event.fan_out")
    by_event = pause(session, Scope.EVENT, event_id)
    assert pauses.set_aside(session, by_kind) == 1
    assert pauses.set_aside(session, by_event) == 0
    resume(session, Scope.KIND, "event.fan_out")
    pauses.release_ended(session)
    assert states(session) == {"ready": 1}
    assert leases.claim(session, session.scalars(select(Job.id)).one(), 30) is None
    assert pauses.set_aside(session, by_event) == 1


def test_a_running_job_is_finished(session: Session) -> None:
    claimed = leases.claim(session, write(session, SealVersion(version_id=1)), 30)
    assert claimed is not None
    pause(session, Scope.QUEUE, "versions")
    leases.renew(session, claimed, 30)
    leases.finish(session, claimed)
    assert states(session) == {"done": 1}


def test_paused_again_the_later_reason_stands_and_is_said_to_be_a_change(session: Session) -> None:
    pause(session, Scope.QUEUE, "mail")
    end = utc_now() + timedelta(hours=2)
    again = brakes.pause_jobs(
        session, Scope.QUEUE, "mail", reason="another", paused_by="second", ends_at=end
    )
    assert again.is_changed
    (found,) = pauses.read_pauses(session)
    assert (found.reason, found.paused_by, found.ends_at) == ("another", "second", end)
    end_by_itself(session)
    anew = brakes.pause_jobs(session, Scope.QUEUE, "mail", reason="new", paused_by="third")
    assert not anew.is_changed, "what has ended is no pause any more"
    assert pauses.read_pauses(session) == [anew.pause]
    assert pauses.release_ended(session) is None, "and the new one does not end with the old one"


def test_what_cannot_be_paused_or_resumed_is_refused(session: Session) -> None:
    with pytest.raises(InvalidInputError, match="past"):
        pause(session, Scope.QUEUE, "mail", utc_now() - timedelta(seconds=1))
    with pytest.raises(NotFoundError, match="no event 17"):
        pause(session, Scope.EVENT, "17")
    with pytest.raises(ConflictError, match="Queue mail is not paused"):
        resume(session, Scope.QUEUE, "mail")
    pause(session, Scope.QUEUE, "mail")
    resume(session, Scope.QUEUE, "mail")
    with pytest.raises(ConflictError):
        resume(session, Scope.QUEUE, "mail")


def test_a_pause_leaves_a_trace_of_who_and_why(session: Session) -> None:
    pause(session, Scope.QUEUE, "mail")
    pause(session, Scope.QUEUE, "mail")
    resume(session, Scope.QUEUE, "mail")
    brakes.release_ended(session)
    lines = session.scalars(select(ActivityLog).order_by(ActivityLog.id)).all()
    assert [line.action.removeprefix("job_pause.") for line in lines] == [
        "set", "change", "lift", "end",
    ]  # fmt: skip
    assert {line.details["reason"] for line in lines} == {"a test"}
    assert [line.details["by"] for line in lines] == ["tester", "tester", "tester", None]


def test_due_schedules_wait_for_the_end_of_the_pause_and_none_is_lost(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        plan = SchedulePlan("archive", utc_now() - timedelta(minutes=5))
        for _ in range(3):
            schedules.create(session, actor, make_content(session, actor), None, plan)
    for scope, target in ((Scope.QUEUE, "publishing"), (Scope.KIND, "schedules.fire")):
        with sessions.begin() as session:
            pause(session, scope, target)
        with sessions.begin() as session:
            assert handing_over.hand_over_due(session) == 0
            assert not look_in(session, 5).are_schedules_due, "a dispatcher can sleep"
            resume(session, scope, target)
            assert look_in(session, 5).are_schedules_due
    with sessions.begin() as session:
        assert handing_over.hand_over_due(session) == 3


def test_schedules_whose_firing_was_set_aside_are_not_taken_for_forgotten(
    session: Session,
) -> None:
    actor = make_actor(session)
    plan = SchedulePlan("archive", utc_now() - timedelta(minutes=5))
    schedules.create(session, actor, make_content(session, actor), None, plan)
    session.execute(delete(Job))
    handing_over.hand_over_due(session)
    pauses.set_aside(session, pause(session, Scope.KIND, "schedules.fire"))
    assert states(session) == {"held": 1}
    assert handing_over.take_back_forgotten(session) == 0
    assert session.scalars(select(Schedule.state)).all() == ["handed"]


@pytest.mark.parametrize(
    ("scope", "target"), [(Scope.QUEUE, "housekeeping"), (Scope.KIND, "table.prune")]
)
def test_hours_under_a_pause_pile_up_nothing(session: Session, scope: Scope, target: str) -> None:
    pause(session, scope, target)
    for _ in range(5):
        assert housekeeping.write_due_prunes(session) == 0
        session.execute(text("UPDATE ticks SET slot = slot - interval '1 hour'"))
    resume(session, scope, target)
    assert housekeeping.write_due_prunes(session) == len(housekeeping.PRUNED_TABLES)
    assert housekeeping.write_due_prunes(session) == 0
    kinds = set(session.scalars(select(Job.kind)))
    assert kinds == {PruneTable.kind}


def test_of_two_who_pause_at_once_one_sets_and_the_other_changes(
    sessions: sessionmaker[Session],
) -> None:
    outcomes: list[bool] = []
    together = threading.Barrier(6)

    def try_to_pause() -> None:
        with sessions.begin() as session:
            together.wait()
            setting = brakes.pause_jobs(
                session, Scope.QUEUE, "mail", reason="at once", paused_by="one of six"
            )
            outcomes.append(setting.is_changed)

    threads = [threading.Thread(target=try_to_pause) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, True, True, True, True, True]
    with sessions() as session:
        assert len(pauses.read_pauses(session)) == 1


def test_no_job_is_left_behind_where_a_pause_ends_while_others_are_set_aside(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        write(session, SealVersion(version_id=1))
        found = pause(session, Scope.KIND, "version.seal")
    with sessions() as setting_aside:
        assert pauses.set_aside(setting_aside, found) == 1
        with sessions.begin() as session:
            session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                resume(session, Scope.KIND, "version.seal")
        setting_aside.commit()
    with sessions.begin() as session:
        resume(session, Scope.KIND, "version.seal")
    with sessions.begin() as session:
        assert pauses.set_aside(session, found) == 0, "it has ended"
        ending = pauses.release_ended(session)
    assert ending is not None
    assert (ending.released, ending.is_over) == (1, True)


def test_a_pause_stays_while_a_job_that_it_holds_is_locked_by_another(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        job_id = write(session, SealVersion(version_id=1))
        found = pause(session, Scope.KIND, "version.seal")
        pauses.set_aside(session, found)
        resume(session, Scope.KIND, "version.seal")
    with sessions() as holder:
        holder.scalars(select(Job).where(Job.id == job_id).with_for_update()).one()
        with sessions.begin() as session:
            ending = pauses.release_ended(session)
        assert ending is not None
        assert (ending.released, ending.is_over) == (0, False)
    with sessions.begin() as session:
        ending = pauses.release_ended(session)
    assert ending is not None
    assert (ending.released, ending.is_over) == (1, True)
