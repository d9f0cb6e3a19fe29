"""Promises about what was missed, failed or ended: it asks, is told at once, and can be decided."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from tests.services.publishing.test_publishing import fire, publication, state_of
from tests.services.publishing.test_supersession import make_versions, public_version
from tests.services.publishing.test_timelines import let_the_next_come, plan
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import Notice, Schedule
from webapp.services.accounts import accounts, standing
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.errors import ConflictError
from webapp.services.publishing import handing_over, publishing, retries, schedules
from webapp.services.publishing.schedules import IfMissed, SchedulePlan
from webapp.services.publishing.waiting_schedules import Decision, decide

HOUR = timedelta(hours=1)


def missed(
    session: Session,
    actor: Actor,
    content_id: int,
    if_missed: IfMissed = "ask",
    limit: int | None = 60,
) -> int:
    """Plan a publication whose moment passed an hour ago, and fire it."""
    wish = SchedulePlan("publish", utc_now() - HOUR, None, if_missed, limit)
    schedule_id = schedules.create(session, actor, content_id, None, wish)
    handing_over.hand_over_due(session)
    fire(session, schedule_id)
    return schedule_id


def told(session: Session, kind: str) -> set[int]:
    """Return the accounts that were told something of a kind, by mail as well."""
    mailed = select(Notice.user_id).where(Notice.kind == kind, Notice.mail_state == "queued")
    return set(session.scalars(mailed))


@pytest.mark.parametrize(
    ("if_missed", "limit", "state"),
    [
        ("run", 60, "fired"),
        ("skip", 60, "missed"),
        ("skip", 7200, "fired"),
        ("skip", None, "fired"),
        ("ask", 60, "waiting"),
        ("ask", 7200, "fired"),
    ],
)
def test_each_says_how_late_is_too_late_and_what_then(
    session: Session, if_missed: IfMissed, limit: int | None, state: str
) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    schedule_id = missed(session, actor, content_id, if_missed, limit)
    assert state_of(session, schedule_id) == state
    assert (publication(session, content_id) is not None) == (state == "fired")
    assert told(session, "schedule.waiting") == ({actor.user_id} if state == "waiting" else set())


@pytest.mark.parametrize("what", ["run", "skip", "move"])
def test_a_decision_ends_the_waiting(session: Session, what: str) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    schedule_id = missed(session, actor, content_id)
    assert let_the_next_come(session).fired == []
    later = utc_now() + HOUR if what == "move" else None

    decide(session, actor, schedule_id, {2}, Decision(what, later))  # type: ignore[arg-type]

    fired = let_the_next_come(session).fired
    assert fired == ([schedule_id] if what == "run" else [])
    expected = {"run": "fired", "skip": "missed", "move": "pending"}[what]
    assert state_of(session, schedule_id) == expected
    with pytest.raises(ConflictError):
        decide(session, actor, schedule_id, None, Decision("run"))


def test_a_decision_is_judged_with_the_timeline(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    schedule_id = missed(session, actor, content_id)
    plan(session, actor, content_id, "archive")
    with pytest.raises(ConflictError, match="to archive at"):
        decide(session, actor, schedule_id, None, Decision("run"))
    decide(session, actor, schedule_id, None, Decision("skip"))


def test_what_waits_ends_with_what_an_editor_decides_about_the_item(session: Session) -> None:
    actor, other = make_actor(session), make_actor(session)
    content_id = make_content(session, actor)
    schedule_id = missed(session, actor, content_id)
    publishing.publish(session, other, content_id, None)
    assert state_of(session, schedule_id) == "cancelled"
    assert told(session, "schedule.ended") == {actor.user_id}


def test_who_made_a_schedule_is_told_at_once_that_somebody_has_ended_it(session: Session) -> None:
    maker, other = make_actor(session), make_actor(session)
    content_id = make_versions(session, maker, 3)
    publishing.publish(session, maker, content_id, None, number=1)
    plan(session, maker, content_id, 2, 3)
    plan(session, other, content_id, "unpublish", start=utc_now() + timedelta(days=9))

    publishing.unpublish(session, other, content_id, None)

    told_of = select(Notice.user_id, Notice.details["words"].astext).order_by(Notice.id)
    reason = "The item was unpublished before its moment."
    assert session.execute(told_of).all() == [(maker.user_id, reason)] * 2


def test_a_failure_is_told_to_who_made_it_the_author_and_the_operators(session: Session) -> None:
    author, maker = make_actor(session, RoleName.AUTHOR), make_actor(session, RoleName.EDITOR)
    admin, reader = make_actor(session, RoleName.ADMIN), make_actor(session, RoleName.READER)
    content_id = make_versions(session, author, 2)
    (schedule_id,) = plan(session, maker, content_id, 2, start=utc_now() - HOUR)
    session.execute(text("UPDATE content SET status = 'trashed', trashed_at = now()"))

    assert list(let_the_next_come(session).failed) == [schedule_id]

    assert told(session, "schedule.failed") == {author.user_id, maker.user_id, admin.user_id}
    assert reader.user_id not in told(session, "schedule.failed")


@pytest.mark.parametrize("what", ["off", "lowered", "frozen"])
def test_that_a_maker_may_not_any_more_is_told_and_changes_nothing(
    session: Session, what: str
) -> None:
    admin, maker = make_actor(session, RoleName.ADMIN), make_actor(session, RoleName.EDITOR)
    author = make_actor(session, RoleName.AUTHOR)
    content_id = make_versions(session, author, 2)
    (schedule_id,) = plan(session, maker, content_id, 2, start=utc_now() - HOUR)
    if what == "off":
        standing.disable(session, admin.user_id, maker.user_id, "gone")
    elif what == "frozen":
        standing.freeze(session, maker.user_id)
    else:
        accounts.set_role(session, admin, maker.user_id, lambda _: True, RoleName.READER)
    assert told(session, "schedule.left") == {author.user_id, admin.user_id}
    assert let_the_next_come(session).fired == [schedule_id]


def failed(session: Session, actor: Actor, content_id: int) -> int:
    """Let a publication fail because its item is in the trash, and take the item out again."""
    (schedule_id,) = plan(session, actor, content_id, 2, start=utc_now() - HOUR)
    session.execute(text("UPDATE content SET status = 'trashed', trashed_at = now()"))
    assert list(let_the_next_come(session).failed) == [schedule_id]
    session.expire_all()
    content.untrash(session, actor, content_id, None)
    return schedule_id


def test_what_failed_is_tried_again_with_the_bytes_that_it_pinned(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    schedule_id = failed(session, actor, content_id)
    content.edit(session, actor, content_id, None, {"title": "Since"})

    retries.retry(session, actor, schedule_id, None)

    assert let_the_next_come(session).fired == [schedule_id]
    assert public_version(session, content_id) == 2
    with pytest.raises(ConflictError, match="is fired"):
        retries.retry(session, actor, schedule_id, None)


@pytest.mark.parametrize("taken_back", [False, True])
def test_what_failed_is_not_tried_again_once_something_went_public(
    session: Session, taken_back: bool
) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    schedule_id = failed(session, actor, content_id)
    publishing.publish(session, actor, content_id, None, number=1)
    if taken_back:
        publishing.unpublish(session, actor, content_id, None)
    with pytest.raises(ConflictError, match="has gone public since"):
        retries.retry(session, actor, schedule_id, None)


def test_what_failed_takes_no_name_that_another_item_has_by_now(session: Session) -> None:
    actor = make_actor(session)
    schedule_id = failed(session, actor, make_versions(session, actor, 2))
    other = make_content(session, actor, slug="version-1")
    plan(session, actor, other, 1)
    with pytest.raises(ConflictError, match="has the slug"):
        retries.retry(session, actor, schedule_id, None)


def test_what_waits_holds_up_nothing_that_comes_later(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    missed(session, actor, content_id)
    (later,) = plan(session, actor, content_id, 2, start=utc_now() - timedelta(minutes=1))
    assert let_the_next_come(session).fired == [later]
    open_ones = select(Schedule.state).where(Schedule.content_id == content_id)
    assert sorted(session.scalars(open_ones)) == ["fired", "waiting"]
