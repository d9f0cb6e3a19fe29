"""Moves of an item on real rows: guarded, told, and each as the release before can read it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.kit.lifecycle import Facts, Move, Standing
from webapp.models import ActivityLog, Content, Publication, Schedule
from webapp.services.content import content, lifecycle
from webapp.services.errors import ConflictError, MoveRefusedError, StaleRevisionError
from webapp.services.publishing import firing, handing_over, publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan

STEPS: dict[str, Callable[..., None]] = {
    "publish": publishing.publish,
    "unpublish": publishing.unpublish,
    "archive": content.archive,
    "unarchive": content.unarchive,
    "trash": content.trash,
    "untrash": content.untrash,
}
ROUND = (
    "archive", "unarchive", "publish", "unpublish", "archive", "unarchive", "trash", "untrash",
    "publish",
)  # fmt: skip


def test_each_move_is_one_the_release_before_can_read_and_has_its_line(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    stands = Standing.DRAFT
    for step in ROUND:
        STEPS[step](session, actor, content_id, None)
        item = session.get_one(Content, content_id, populate_existing=True)
        line = session.scalars(select(ActivityLog).order_by(ActivityLog.id.desc()).limit(1)).one()
        now = lifecycle.standing_of(item)
        assert (line.action, line.changes) == (
            f"content.{step}", {"status": {"old": stands, "new": now}}
        )  # fmt: skip
        assert item.status in {"draft", "published", "trashed"}
        found = select(Content.id).where(lifecycle.stands_as(now))
        assert session.scalars(found).all() == [content_id]
        stands = now
    assert stands is Standing.PUBLISHED


def test_what_the_release_before_does_with_an_archived_item_is_understood(session: Session) -> None:
    """It knows no archive: it takes such an item for trash, and leaves `archived_at` as it is."""
    actor = make_actor(session)
    content_id = make_content(session, actor)
    content.archive(session, actor, content_id, None)

    def of_the_release_before(**values: Any) -> Standing:
        session.execute(update(Content).where(Content.id == content_id).values(values))
        item = session.get_one(Content, content_id, populate_existing=True)
        return lifecycle.standing_of(item)

    assert of_the_release_before(status="draft", trashed_at=None) is Standing.DRAFT
    assert of_the_release_before(status="trashed", trashed_at=utc_now()) is Standing.TRASHED
    content.untrash(session, actor, content_id, None)
    item = session.get_one(Content, content_id, populate_existing=True)
    assert (item.status, item.trashed_at, item.archived_at) == ("draft", None, None)


def test_a_move_from_where_the_item_does_not_stand_changes_nothing(session: Session) -> None:
    actor = make_actor(session)
    item = session.get_one(Content, make_content(session, actor))
    with pytest.raises(ConflictError):
        lifecycle.put(session, item, Facts(Standing.TRASHED), Move.UNTRASH)
    assert item.revision == 1


@pytest.mark.parametrize(
    ("aside", "reason"),
    [
        ({"trashed_at": utc_now()}, "The item is in the trash."),
        ({"archived_at": utc_now()}, "The item is archived."),
    ],
)
def test_a_due_schedule_of_what_is_put_aside_fails_with_the_reason(
    session: Session, aside: dict[str, Any], reason: str
) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    plan = SchedulePlan("publish", utc_now())
    schedule_id = schedules.create(session, actor, content_id, None, plan)
    session.execute(update(Content).values(status="trashed", **aside))
    handing_over.hand_over_due(session)
    assert firing.fire(session, [schedule_id], missed_after_seconds=1e9).failed == {
        schedule_id: reason
    }
    schedule = session.get_one(Schedule, schedule_id, populate_existing=True)
    assert (schedule.state, schedule.failure) == ("failed", reason)
    assert session.get(Publication, content_id) is None


def test_of_moves_at_once_that_rule_each_other_out_one_is_made(
    engine: Engine, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id = make_content(session, actor)
    names = ["publish", "archive", "trash"] * 4

    def move(turn: int) -> str:
        try:
            with sessions.begin() as own:
                STEPS[names[turn]](own, actor, content_id, {1})
        except ConflictError:
            return "refused"
        except StaleRevisionError:
            return "stale"
        return "made"

    outcomes = at_once(move, len(names))
    assert outcomes.count("made") == 1
    assert set(outcomes) <= {"made", "refused", "stale"}
    with engine.connect() as connection:
        public = connection.execute(
            text("SELECT (status = 'published'), EXISTS (SELECT FROM publications) FROM content")
        ).one()
    assert public[0] == public[1]


def test_a_refusal_names_what_is_open(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    content.archive(session, actor, content_id, None)
    with pytest.raises(MoveRefusedError) as refused:
        publishing.publish(session, actor, content_id, None)
    assert refused.value.moves == [Move.UNARCHIVE]
