"""Promises about readers who follow a category with all that stands below it."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import as_it_is, make_actor
from tests.services.audience.test_fan_out import fan_out, mailed, publish, told
from tests.services.content.test_category_tree import chain, make, move
from webapp.kit.roles import RoleName
from webapp.models import Event, Follow
from webapp.services.accounts.actors import Actor
from webapp.services.audience import follows
from webapp.services.audience.follows import Target
from webapp.services.content import category_removal
from webapp.services.errors import InvalidInputError


def follow(
    session: Session, category_ids: list[int], *, include_subtree: bool | None = True
) -> Actor:
    """Return a new reader who follows categories."""
    reader = make_actor(session, RoleName.READER)
    for category_id in category_ids:
        follows.follow(
            session, reader, Target.CATEGORY, category_id, include_subtree=include_subtree
        )
    return reader


def test_whoever_follows_a_subtree_is_told_once_of_all_that_stands_in_it(session: Session) -> None:
    author = make_actor(session)
    root, middle, leaf = chain(session, author, "Level", 3)
    beside = make(session, author, "Beside", root)
    everything = follow(session, [root, middle, leaf])
    above, here = follow(session, [root]), follow(session, [leaf], include_subtree=None)
    follow(session, [root, middle], include_subtree=False)
    follow(session, [beside])

    event_id = publish(session, author, category_id=leaf)
    fan_out(session, event_id, 2)

    expected = sorted(reader.user_id for reader in (everything, above, here))
    assert told(session, event_id) == mailed(session, event_id) == expected
    of_root = publish(session, author, category_id=root)
    fan_out(session, of_root)
    assert told(session, of_root)[:2] == [everything.user_id, above.user_id]


def test_the_tree_at_the_publication_counts(session: Session) -> None:
    author = make_actor(session)
    left, right = make(session, author, "Left"), make(session, author, "Right")
    leaf = make(session, author, "Leaf", left)
    before, after = follow(session, [left]), follow(session, [right])
    event_id = publish(session, author, category_id=leaf)
    move(session, author, leaf, right)
    fan_out(session, event_id)
    assert told(session, event_id) == [before.user_id]
    again = publish(session, author, category_id=leaf)
    fan_out(session, again)
    assert told(session, again) == [after.user_id]


def test_whoever_followed_what_was_merged_hears_of_what_was_published_before(
    session: Session,
) -> None:
    author = make_actor(session)
    source, target = make(session, author, "Source"), make(session, author, "Target")
    leaf = make(session, author, "Leaf", source)
    reader, both = follow(session, [source]), follow(session, [target], include_subtree=None)
    follows.follow(session, both, Target.CATEGORY, source, include_subtree=True)
    event_id = publish(session, author, category_id=leaf)
    category_removal.merge_category(session, author, source, as_it_is, target)
    fan_out(session, event_id)
    assert told(session, event_id) == [reader.user_id, both.user_id]
    assert session.scalars(select(Event.ancestor_ids)).one() == [target]
    kept = select(Follow.user_id, Follow.include_subtree).order_by(Follow.user_id)
    assert [tuple(row) for row in session.execute(kept)] == [
        (reader.user_id, True), (both.user_id, True),
    ]  # fmt: skip


def test_following_again_changes_only_what_is_said(session: Session) -> None:
    author = make_actor(session)
    category_id = make(session, author, "News")
    reader = follow(session, [category_id])

    def subtree(said: bool | None) -> bool:
        follows.follow(session, reader, Target.CATEGORY, category_id, include_subtree=said)
        (line,) = follows.list_follows(session, reader, after_id=0, limit=10)
        return line.include_subtree

    assert [subtree(None), subtree(False), subtree(None), subtree(True)] == [
        True,
        False,
        False,
        True,
    ]
    with pytest.raises(InvalidInputError, match="only categories"):
        follows.follow(session, reader, Target.AUTHOR, author.user_id, include_subtree=True)
