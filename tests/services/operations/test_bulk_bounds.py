"""Promises of bulk actions: so many items and no more, and rows that go when they are of no use."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.models import BulkAction, BulkItem
from webapp.services.content.item_filters import ItemFilter
from webapp.services.errors import InvalidInputError
from webapp.services.operations import bulk_actions, bulk_selection, bulk_steps, housekeeping
from webapp.services.operations.bulk_actions import Wish
from webapp.services.operations.bulk_changes import Action, Options
from webapp.settings import Settings


def test_a_filter_that_fits_too_many_is_refused_and_leaves_nothing(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_selection, "MOST_ITEMS", 2)
    with sessions.begin() as session:
        actor = make_actor(session)
        for _ in range(3):
            make_content(session, actor)
    wish = Wish(Action.TRASH, Options(), filter=ItemFilter(author_id=actor.user_id))
    with pytest.raises(InvalidInputError, match="more than 2 items"), sessions.begin() as session:
        bulk_actions.ask(session, actor, wish)
    with sessions() as session:
        assert session.scalars(select(BulkItem)).all() == []


def test_old_ones_go_with_their_items_but_for_what_was_undone_lately(
    sessions: sessionmaker[Session], settings: Settings
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        ids = []
        for _ in range(4):
            wish = Wish(Action.ARCHIVE, Options(), [make_content(session, actor)])
            ids.append(bulk_actions.ask(session, actor, wish))
        gone, undone, young, running = ids
        for bulk_action_id in (gone, undone, young):
            bulk_steps.run_batch(session, bulk_action_id, lambda maker: maker)
        undo_id = bulk_actions.undo(session, actor, undone).id
        bulk_steps.run_batch(session, undo_id, lambda maker: maker)
        old = utc_now() - timedelta(days=housekeeping.BULK_DAYS + 1)
        session.execute(
            update(BulkAction).where(BulkAction.id.in_((gone, undone))).values(ended_at=old)
        )
    for _ in range(2):
        for table in ("bulk_actions", "bulk_items"):
            with sessions.begin() as session:
                housekeeping.prune(session, table, settings)
    with sessions() as session:
        left = {undone, young, running, undo_id}
        assert set(session.scalars(select(BulkAction.id))) == left
        assert set(session.scalars(select(BulkItem.bulk_action_id))) == left
