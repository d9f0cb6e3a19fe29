"""Promises of releases among the other plans of their items: what was planned with them comes."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from tests.patience import HANG_SECONDS
from tests.services.publishing.test_publishing import state_of
from tests.services.publishing.test_supersession import make_versions, public_version
from tests.services.publishing.test_timelines import let_the_next_come, plan
from webapp.kit.clock import utc_now
from webapp.models import Notice, Release
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.publishing import (
    going_live,
    publishing,
    release_entries,
    release_preparation,
    releases,
    schedules,
)
from webapp.services.publishing.release_entries import Action, EntryWish
from webapp.services.publishing.releases import ReleaseMoment, ReleasePlan
from webapp.services.publishing.schedules import SchedulePlan

HOUR = timedelta(hours=1)


def put_together(
    session: Session, actor: Actor, content_id: int, action: Action, number: int | None = None
) -> int:
    """Put a release of one item together, and prepare it."""
    release_id = releases.create(session, actor, ReleasePlan("Spring")).id
    wish = EntryWish(content_id, action, number)
    release_entries.add(session, actor, release_id, None, [wish])
    batch = release_preparation.read_batch(session, release_id)
    release_preparation.note(session, actor, batch, release_preparation.render(batch))
    return release_id


def give_moment(session: Session, actor: Actor, release_id: int) -> None:
    """Let it be due in an hour."""
    releases.schedule(session, actor, release_id, None, ReleaseMoment(utc_now() + HOUR))


def let_it_come(session: Session, release_id: int) -> str:
    """Let it go live, and say what became of it."""
    session.expire_all()
    revision = session.get_one(Release, release_id).revision
    outcome = going_live.go_live(session, release_id, revision, missed_after_seconds=1e9)
    assert outcome is not None
    return outcome.state


@pytest.mark.parametrize(("action", "number"), [("publish", 2), ("unpublish", None)])
def test_what_was_planned_to_follow_a_release_stays_and_what_was_before_it_ends(
    session: Session, action: Action, number: int | None
) -> None:
    actor, other = make_actor(session), make_actor(session)
    content_id = make_versions(session, actor, 3)
    publishing.publish(session, actor, content_id, None, number=1)
    before = schedules.create(
        session, other, content_id, None, SchedulePlan("publish", utc_now() + 2 * HOUR, 2)
    )
    release_id = put_together(session, actor, content_id, action, number)
    give_moment(session, actor, release_id)
    (back,) = plan(session, actor, content_id, 1)

    assert let_it_come(session, release_id) == "live"

    assert (state_of(session, before), state_of(session, back)) == ("cancelled", "pending")
    told = select(Notice.user_id, Notice.subject_id).where(Notice.kind == "schedule.ended")
    assert session.execute(told).all() == [(other.user_id, before)]
    past = text("UPDATE schedules SET due_at = now() - interval '1 second' WHERE id = :id")
    session.execute(past, {"id": back})
    assert let_the_next_come(session).fired == [back]
    assert public_version(session, content_id) == 1


@pytest.mark.parametrize("by_hand", [False, True])
def test_what_the_timeline_brings_before_a_release_does_not_hinder_it(
    session: Session, by_hand: bool
) -> None:
    actor = make_actor(session)
    withdrawn, newer = make_versions(session, actor, 3), make_content(session, actor, slug="newer")
    for title in ("Second", "Third"):
        content.edit(session, actor, newer, None, {"title": title})
    publishing.publish(session, actor, withdrawn, None, number=1)
    publishing.publish(session, actor, newer, None, number=1)
    both = [put_together(session, actor, each, "publish", 2) for each in (withdrawn, newer)]
    for release_id in both:
        give_moment(session, actor, release_id)
    if by_hand:
        publishing.unpublish(session, actor, withdrawn, None)
        publishing.publish(session, actor, newer, None, number=3)
    else:
        made = [
            *plan(session, actor, withdrawn, "unpublish", start=utc_now()),
            *plan(session, actor, newer, 3, start=utc_now()),
        ]
        assert sorted(let_the_next_come(session).fired) == sorted(made)
    states = [let_it_come(session, release_id) for release_id in both]
    assert states == (["failed"] * 2 if by_hand else ["live"] * 2)


def test_who_plans_and_who_gives_a_release_its_moment_do_not_wait_for_each_other(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id = make_content(session, actor, slug="wanted")
        release_id = put_together(session, actor, content_id, "publish")

    def press() -> None:
        with sessions.begin() as session:
            give_moment(session, actor, release_id)

    with ThreadPoolExecutor(1) as pool, sessions.begin() as session:
        content.lock_for_change(session, actor, content_id, None)
        pressed = pool.submit(press)
        _wait_until_one_waits(sessions)
        wanted = SchedulePlan("publish", utc_now() + HOUR / 2)
        schedules.create(session, actor, content_id, None, wanted)
        session.commit()
        pressed.result(HANG_SECONDS)


def _wait_until_one_waits(sessions: sessionmaker[Session]) -> None:
    give_up_at = time.monotonic() + HANG_SECONDS
    with sessions() as session:
        while not session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert time.monotonic() < give_up_at
            time.sleep(0.01)


def test_what_is_beyond_the_limits_of_the_database_fails_a_release(session: Session) -> None:
    actor = make_actor(session)
    release_id = put_together(session, actor, make_content(session, actor), "publish")
    give_moment(session, actor, release_id)
    session.execute(text(_BEYOND))
    session.execute(text("CREATE TRIGGER too_long BEFORE INSERT ON events EXECUTE FUNCTION b()"))
    assert let_it_come(session, release_id) == "failed"


_BEYOND = """
    CREATE FUNCTION b() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'too long' USING ERRCODE = '54000'; END $$
"""
