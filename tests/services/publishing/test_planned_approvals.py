"""What authors may do with the schedules of what was approved, and what a schedule ends."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.services.publishing.approvals import approve, submit
from webapp.kit.clock import utc_now
from webapp.models import ActivityLog, Content, Review, Schedule
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.errors import ForbiddenError, MoveForbiddenError
from webapp.services.publishing import firing, schedules
from webapp.services.publishing.schedules import SchedulePlan
from webapp.services.publishing.waiting_schedules import Decision, decide

LATER = timedelta(days=30)


def plan(after: timedelta = LATER) -> SchedulePlan:
    return SchedulePlan("publish", utc_now() + after)


def fire(session: Session, schedule_id: int) -> None:
    session.execute(update(Schedule).where(Schedule.id == schedule_id).values(state="handed"))
    firing.fire(session, [schedule_id], missed_after_seconds=1e9)


def test_a_review_ends_when_a_schedule_makes_its_version_public(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    review_id = submit(session, author, item)
    schedule_id = schedules.create(session, editor, item, None, plan(after=-LATER))
    content.edit(session, author, item, None, {"title": "Second"})
    newer = submit(session, author, item)
    session.execute(update(Review).where(Review.id == newer).values(state="withdrawn"))
    session.execute(update(Review).where(Review.id == review_id).values(state="open"))
    fire(session, schedule_id)
    assert session.get_one(Content, item, populate_existing=True).status == "published"
    assert session.get_one(Review, review_id, populate_existing=True).state == "voided"
    lines = select(ActivityLog.details).where(
        ActivityLog.action == "review.void", ActivityLog.actor_id.is_(None)
    )
    assert list(session.scalars(lines)) == [{"review_id": review_id}]


def test_a_schedule_of_an_older_version_leaves_the_review_of_the_newest(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    schedule_id = schedules.create(session, editor, item, None, plan(after=-LATER))
    content.edit(session, author, item, None, {"title": "Second"})
    review_id = submit(session, author, item)
    fire(session, schedule_id)
    assert session.get_one(Content, item, populate_existing=True).status == "published"
    assert session.get_one(Review, review_id, populate_existing=True).state == "open"


def test_an_author_moves_and_cancels_what_they_planned_and_nothing_else(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    approve(session, author, editor, item)
    mine = schedules.create(session, author, item, None, plan())
    later = utc_now() + 2 * LATER
    schedules.change(session, author, mine, None, {"due_at": later})
    assert session.get_one(Schedule, mine).due_at == later
    schedules.cancel(session, author, mine, None)
    of_editor = schedules.create(session, editor, item, None, plan())
    for change in (schedules.cancel, partial(schedules.change, changes={"due_at": later})):
        with pytest.raises(ForbiddenError, match=r"schedule\.manage"):
            change(session, author, of_editor, None)
    assert session.get_one(Schedule, of_editor).state == "pending"


def test_an_author_moves_no_version_that_an_editor_pinned_instead(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    approve(session, author, editor, item)
    mine = schedules.create(session, author, item, None, plan())
    content.edit(session, author, item, None, {"title": "Second"})
    with pytest.raises(MoveForbiddenError, match="no approval"):
        schedules.change(session, author, mine, None, {"version_number": 2})
    schedules.change(session, editor, mine, None, {"version_number": 2})
    with pytest.raises(MoveForbiddenError, match="no approval"):
        schedules.change(session, author, mine, None, {"due_at": utc_now()})
    schedules.cancel(session, author, mine, None)


def test_an_author_decides_about_nothing_that_an_editor_pinned_without_an_approval(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    approve(session, author, editor, item)
    schedule_id = schedules.create(session, author, item, None, plan())
    content.edit(session, author, item, None, {"title": "Not approved"})
    schedules.change(session, editor, schedule_id, None, {"version_number": 2})
    mine = Schedule.id == schedule_id
    session.execute(update(Schedule).where(mine).values(state="waiting", failure="When?"))
    with pytest.raises(ForbiddenError):
        decide(session, author, schedule_id, None, Decision("run"))
    decide(session, editor, schedule_id, None, Decision("run"))
