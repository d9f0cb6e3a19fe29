"""Promise: items that are moved together come out as each would that is moved by itself."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from tests.workers.operations.test_bulk_actions import begin, read, same
from webapp.kit.clock import utc_now
from webapp.kit.quotas import Quotas
from webapp.models import BulkItem, Content
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.operations import bulk_moves, bulk_steps
from webapp.services.operations.bulk_changes import Action
from webapp.services.publishing import publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan

Make = Callable[[Session, Actor, int], None]


def _plan(session: Session, actor: Actor, content_id: int) -> None:
    plan = SchedulePlan("publish", utc_now() + timedelta(days=9))
    schedules.create(session, actor, content_id, None, plan)


def _publish(session: Session, actor: Actor, content_id: int) -> None:
    publishing.publish(session, actor, content_id, None)


def _publish_with_plan(session: Session, actor: Actor, content_id: int) -> None:
    _publish(session, actor, content_id)
    content.edit(session, actor, content_id, None, {"body": "Anew."})
    _plan(session, actor, content_id)


def _unpublish(session: Session, actor: Actor, content_id: int) -> None:
    _publish(session, actor, content_id)
    publishing.unpublish(session, actor, content_id, None)


def _archive_unpublished(session: Session, actor: Actor, content_id: int) -> None:
    _unpublish(session, actor, content_id)
    content.archive(session, actor, content_id, None)


STATES: tuple[Make, ...] = (
    lambda *_: None,
    _plan,
    _publish,
    _publish_with_plan,
    _unpublish,
    _archive_unpublished,
    lambda session, actor, content_id: content.archive(session, actor, content_id, None),
    lambda session, actor, content_id: content.trash(session, actor, content_id, None),
)
_LINES = text(
    """
    SELECT action, (details - 'bulk_action_id')::text || coalesce(changes::text, '') AS said
    FROM activity_logs WHERE details ->> 'bulk_action_id' = :bulk_action_id
      AND subject_id = :content_id ORDER BY id
    """
)


def left_by(
    sessions: sessionmaker[Session], actor: Actor, action: Action, make_all: int
) -> list[tuple[object, ...]]:
    """Do an action to items in all states; returns what is left of each and what was told."""
    with sessions.begin() as session:
        ids = [make_content(session, actor) for _ in STATES * make_all]
        for content_id, state in zip(ids, STATES * make_all, strict=True):
            state(session, actor, content_id)
    bulk_action_id = begin(sessions, actor, action, [*ids, 999_999_999])
    with sessions.begin() as session:
        assert bulk_steps.run_batch(session, bulk_action_id, same)
    left: list[tuple[object, ...]] = []
    with sessions() as session:
        for content_id in ids:
            item = session.get_one(Content, content_id)
            one = session.get_one(BulkItem, (bulk_action_id, content_id))
            told = session.execute(
                _LINES, {"bulk_action_id": str(bulk_action_id), "content_id": content_id}
            )
            left.append(
                (
                    item.status, item.revision, item.trashed_at is None, item.archived_at is None,
                    item.published_at is None, one.state, one.reason, _plain(one.detail),
                    one.revision_before, one.revision_after,
                    [(line.action, _plain(line.said)) for line in told],
                )
            )  # fmt: skip
    bulk = read(sessions, bulk_action_id)
    return [*left, (bulk.done, bulk.skipped, bulk.failed)]


def _plain(said: str | None) -> str:
    """Return what was said without the ids and the moments in it."""
    return re.sub(r"\d+", "0", said or "")


@pytest.mark.parametrize(
    "action",
    [Action.UNPUBLISH, Action.ARCHIVE, Action.UNARCHIVE, Action.TRASH, Action.UNTRASH],
)
def test_what_is_moved_together_comes_out_as_one_by_one(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
    together = left_by(sessions, actor, action, 2)
    monkeypatch.setattr(bulk_moves, "find_ready", lambda *_: [])
    assert left_by(sessions, actor, action, 2) == together


def test_what_a_quota_stands_against_together_is_moved_as_far_as_it_goes(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        ids = [make_content(session, actor) for _ in range(5)]
        for content_id in ids:
            content.archive(session, actor, content_id, None)
    bulk_action_id = begin(sessions, actor, Action.UNARCHIVE, ids)
    with sessions.begin() as session:
        bulk_steps.run_batch(
            session, bulk_action_id, lambda maker: replace(maker, quotas=Quotas(drafts=3))
        )
    with sessions() as session:
        items = select(BulkItem.content_id, BulkItem.state).order_by(BulkItem.content_id)
        states = {row.content_id: row.state for row in session.execute(items)}
    assert [states[content_id] for content_id in ids] == ["done"] * 3 + ["failed"] * 2
