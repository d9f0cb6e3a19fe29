"""Promises about two writers of one state: no schedule brings back what an editor took away."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import (
    ActivityLog,
    Content,
    ContentVersion,
    Event,
    Publication,
    Role,
    Schedule,
    User,
)
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.errors import ConflictError
from webapp.services.publishing import firing, handing_over, publishing, schedule_reads, schedules
from webapp.services.publishing.schedules import SchedulePlan

NEVER_MISSED = 10.0**9
STATES = ("pending", "handed")


def make_versions(session: Session, actor: Actor, count: int = 3) -> int:
    """Make an item with some versions, each with a title of its own, and return its id."""
    content_id = make_content(session, actor, title="Version 1")
    for number in range(2, count + 1):
        content.edit(session, actor, content_id, None, {"title": f"Version {number}"})
    return content_id


def schedule(
    session: Session, actor: Actor, content_id: int, state: str, number: int | None = None
) -> int:
    """Make an open schedule: to publish a version, or without one to unpublish."""
    handed = state == "handed"
    due_at = utc_now() + timedelta(seconds=-1 if handed else 3600)
    plan = SchedulePlan("unpublish" if number is None else "publish", due_at, number)
    schedule_id = schedules.create(session, actor, content_id, None, plan)
    if handed:
        handing_over.hand_over_due(session)
    assert state_of(session, schedule_id) == state
    return schedule_id


def state_of(session: Session, schedule_id: int) -> str:
    """Return a schedule's state as the database has it."""
    return session.scalars(select(Schedule.state).where(Schedule.id == schedule_id)).one()


def public_version(session: Session, content_id: int) -> int | None:
    """Return the number of the version that the public reads."""
    shown = select(ContentVersion.number).join(
        Publication, Publication.version_id == ContentVersion.id
    )
    return session.scalar(shown.where(Publication.content_id == content_id))


def let_the_moment_come(session: Session) -> firing.Firing:
    """Fire every open schedule, as dispatcher and worker would at its moment."""
    past = utc_now() - timedelta(seconds=1)
    session.execute(update(Schedule).where(Schedule.state == "pending").values(due_at=past))
    handing_over.hand_over_due(session)
    handed = session.scalars(select(Schedule.id).where(Schedule.state == "handed")).all()
    return firing.fire(session, handed, missed_after_seconds=NEVER_MISSED)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("pinned", "published", "outcome"), [(1, 2, 2), (2, 2, 2), (3, 2, 3), (1, 1, 1), (3, 3, 3)]
)
def test_publishing_ends_a_schedule_for_the_same_version_or_an_older_one(
    session: Session, state: str, pinned: int, published: int, outcome: int
) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor)
    schedule_id = schedule(session, actor, content_id, state, pinned)

    publishing.publish(session, actor, content_id, None, number=published)

    is_over = pinned <= published
    assert state_of(session, schedule_id) == ("cancelled" if is_over else state)
    let_the_moment_come(session)
    assert public_version(session, content_id) == outcome
    times = select(func.count()).select_from(Event).where(Event.content_id == content_id)
    assert session.scalar(times) == (1 if is_over else 2)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("pinned", [1, 3, None])
def test_unpublishing_ends_every_open_schedule(
    session: Session, state: str, pinned: int | None
) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor)
    publishing.publish(session, actor, content_id, None, number=2)
    schedule_id = schedule(session, actor, content_id, state, pinned)

    publishing.unpublish(session, actor, content_id, None)

    assert state_of(session, schedule_id) == "cancelled"
    assert let_the_moment_come(session).fired == []
    assert public_version(session, content_id) is None


@pytest.mark.parametrize("state", STATES)
def test_the_planned_end_of_an_item_outlives_its_publication(session: Session, state: str) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor)
    publishing.publish(session, actor, content_id, None, number=1)
    schedule_id = schedule(session, actor, content_id, state)

    publishing.publish(session, actor, content_id, None)

    assert let_the_moment_come(session).fired == [schedule_id]
    assert public_version(session, content_id) is None


@pytest.mark.parametrize("state", STATES)
def test_a_draft_that_is_restored_leaves_the_plan_alone(session: Session, state: str) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor)
    schedule_id = schedule(session, actor, content_id, state, 2)
    content.restore(session, actor, content_id, None, 1)
    assert let_the_moment_come(session).fired == [schedule_id]
    assert public_version(session, content_id) == 2


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("refused", [content.trash, publishing.unpublish])
def test_what_a_plan_forbids_is_refused_with_the_name_of_the_plan(
    session: Session, state: str, refused: Callable[..., None]
) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor)
    schedule_id = schedule(session, actor, content_id, state, 1)
    with pytest.raises(ConflictError, match=rf"[Ss]chedule {schedule_id}\b"):
        refused(session, actor, content_id, None)
    assert state_of(session, schedule_id) == state


def test_a_schedule_that_was_ended_says_why_and_the_record_says_by_whom(session: Session) -> None:
    actor, other = make_actor(session), make_actor(session)
    content_id = make_versions(session, actor)
    schedule_id = schedule(session, actor, content_id, "pending", 1)

    publishing.publish(session, other, content_id, None, number=2)

    reason = "Version 2 was published before its moment."
    assert schedule_reads.get(session, actor, schedule_id).schedule.failure == reason
    record = session.scalars(
        select(ActivityLog).where(ActivityLog.action == "schedule.supersede")
    ).one()
    assert (record.actor_id, record.subject_id) == (other.user_id, content_id)
    assert record.details == {"schedule_id": schedule_id, "reason": reason}


@pytest.mark.parametrize("how", ["made", "changed"])
def test_a_return_to_an_older_version_that_was_planned_afterwards_is_carried_out(
    session: Session, how: str
) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor)
    planned = schedule(session, actor, content_id, "pending", 3) if how == "changed" else None
    publishing.publish(session, actor, content_id, None, number=2)
    if planned is None:
        schedule(session, actor, content_id, "pending", 1)
    else:
        schedules.change(session, actor, planned, None, {"version_number": 1})

    assert let_the_moment_come(session).superseded == []

    assert public_version(session, content_id) == 1


@pytest.mark.parametrize("is_old_row", [False, True])
def test_a_firing_replaces_no_newer_version_that_ended_nothing(
    session: Session, is_old_row: bool
) -> None:
    """A release that knows nothing of this may publish while an upgrade goes on."""
    actor = make_actor(session)
    content_id = make_versions(session, actor)
    schedule_id = schedule(session, actor, content_id, "handed", 1)
    if is_old_row:
        session.execute(update(Schedule).values(pinned_at=None))
    newest = session.scalars(
        select(ContentVersion.id).where(ContentVersion.content_id == content_id)
    ).all()[-1]
    publishing.release(session, [publishing.Release(content_id, newest)])
    other = make_content(session, actor)
    beside = schedule(session, actor, other, "handed", 1)

    result = firing.fire(session, [schedule_id, beside], missed_after_seconds=NEVER_MISSED)

    assert (result.superseded, result.fired) == ([schedule_id], [beside])
    assert state_of(session, schedule_id) == "cancelled"
    assert public_version(session, content_id) == 3


@pytest.mark.parametrize("fate", ["demoted", "off"])
def test_a_schedule_outlives_the_rights_of_whoever_made_it(session: Session, fate: str) -> None:
    editor = make_actor(session, RoleName.EDITOR)
    content_id = make_versions(session, editor)
    schedule_id = schedule(session, editor, content_id, "pending", 3)
    reader = select(Role.id).where(Role.name == RoleName.READER.value).scalar_subquery()
    values = {"role_id": reader} if fate == "demoted" else {"disabled_at": utc_now()}
    session.execute(update(User).where(User.id == editor.user_id).values(values))

    assert let_the_moment_come(session).fired == [schedule_id]

    assert public_version(session, content_id) == 3


def wait_until_blocked(sessions: sessionmaker[Session], waiting: Future[None]) -> None:
    """Wait until another transaction waits for a lock, or has ended."""
    blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with sessions() as session:
        while not waiting.done() and not session.scalar(blocked):
            session.rollback()
            time.sleep(0.01)


@pytest.mark.parametrize("action", ["publish", "unpublish"])
@pytest.mark.parametrize("first", ["editor", "firing"])
def test_an_editor_who_decides_while_the_worker_fires_has_the_last_word(
    sessions: sessionmaker[Session], action: str, first: str
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id = make_versions(session, actor)
        publishing.publish(session, actor, content_id, None, number=1)
        schedule_id = schedule(session, actor, content_id, "handed", 2)

    def decide(session: Session) -> None:
        if action == "publish":
            publishing.publish(session, actor, content_id, None, number=3)
        else:
            publishing.unpublish(session, actor, content_id, None)

    def fire(session: Session) -> None:
        firing.fire(session, [schedule_id], missed_after_seconds=NEVER_MISSED)

    def follow(what: Callable[[Session], None]) -> None:
        with sessions.begin() as session:
            what(session)

    leader, follower = (decide, fire) if first == "editor" else (fire, decide)
    with ThreadPoolExecutor(1) as pool:
        with sessions.begin() as session:
            leader(session)
            waiting = pool.submit(follow, follower)
            wait_until_blocked(sessions, waiting)
            assert not waiting.done()
        waiting.result()

    with sessions() as session:
        assert state_of(session, schedule_id) == ("cancelled" if first == "editor" else "fired")
        assert public_version(session, content_id) == (3 if action == "publish" else None)


def test_many_who_publish_and_a_worker_that_fires_at_once_end_with_the_newest(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id = make_versions(session, actor, 4)
        publishing.publish(session, actor, content_id, None, number=1)
        schedule_id = schedule(session, actor, content_id, "handed", 2)

    def publish(number: int) -> None:
        with sessions.begin() as session:
            publishing.publish(session, actor, content_id, None, number=number)

    def fire(_: int) -> None:
        with sessions.begin() as session:
            firing.fire(session, [schedule_id], missed_after_seconds=NEVER_MISSED)

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(what, 4) for what in (publish, fire, publish, fire)]
    for future in futures:
        future.result()

    with sessions() as session:
        assert public_version(session, content_id) == 4
        assert state_of(session, schedule_id) in {"cancelled", "fired"}
        sequence = session.scalars(
            select(Content.publish_sequence).where(Content.id == content_id)
        ).one()
        assert sequence == (3 if state_of(session, schedule_id) == "cancelled" else 4)
