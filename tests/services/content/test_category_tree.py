"""Promises about the tree of categories: no circles, no more levels than stated, at any moment."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import as_it_is, make_actor
from webapp.models import Category
from webapp.services.accounts.actors import Actor
from webapp.services.content import category_tree, taxonomy
from webapp.services.content.category_tree import MOST_LEVELS
from webapp.services.content.taxonomy import CategoryChanges
from webapp.services.errors import InvalidInputError
from webapp.services.interchange import categories


def make(session: Session, actor: Actor, name: str, parent_id: int | None = None) -> int:
    """Make a category and return its id."""
    changes = CategoryChanges(name, None, "", parent_id)
    return taxonomy.create_category(session, actor, changes).id


def move(session: Session, actor: Actor, category_id: int, parent_id: int | None) -> None:
    """Put a category below another one."""
    name = taxonomy.get_category(session, category_id).name
    changes = CategoryChanges(name, None, "", parent_id)
    taxonomy.change_category(session, actor, category_id, as_it_is, changes)


def chain(session: Session, actor: Actor, name: str, levels: int) -> list[int]:
    """Make categories that stand below each other, the root first."""
    ids: list[int] = []
    for level in range(levels):
        ids.append(make(session, actor, f"{name} {level}", ids[-1] if ids else None))
    return ids


def test_two_moves_at_once_that_together_made_a_circle_are_one(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
    for turn in range(8):
        with sessions.begin() as session:
            pair = [make(session, actor, f"{side} {turn}") for side in ("Left", "Right")]

        def cross(which: int, pair: list[int] = pair) -> str:
            try:
                with sessions.begin() as session:
                    move(session, actor, pair[which], pair[1 - which])
            except InvalidInputError as error:
                return error.reason
            return "moved"

        assert at_once(cross, 2) == ["a category cannot stand inside itself", "moved"]
        with sessions() as session:
            parents = session.scalars(select(Category.parent_id).where(Category.id.in_(pair)))
            assert sum(parent is None for parent in parents) == 1


def test_the_tree_has_no_more_levels_than_stated(session: Session) -> None:
    actor = make_actor(session)
    deep = chain(session, actor, "Deep", MOST_LEVELS)
    with pytest.raises(InvalidInputError, match="levels"):
        make(session, actor, "Too deep", deep[-1])
    pair = chain(session, actor, "Pair", 2)
    with pytest.raises(InvalidInputError, match="levels"):
        move(session, actor, pair[0], deep[-2])
    move(session, actor, pair[0], deep[-3])
    move(session, actor, pair[0], None)


def test_a_tree_that_is_deeper_already_can_still_be_renamed_and_made_lower(
    session: Session,
) -> None:
    actor = make_actor(session)
    deep = chain(session, actor, "Deep", MOST_LEVELS)
    grown = text("INSERT INTO categories (slug, name, parent_id) VALUES ('x', 'X', :parent_id)")
    session.execute(grown, {"parent_id": deep[-1]})
    lowest = session.scalars(select(Category.id).where(Category.slug == "x")).one()
    changes = CategoryChanges("Renamed", None, "", deep[-1])
    taxonomy.change_category(session, actor, lowest, as_it_is, changes)
    move(session, actor, lowest, deep[-2])


def test_moves_at_once_do_not_grow_beyond_the_levels_together(
    sessions: sessionmaker[Session],
) -> None:
    half = MOST_LEVELS // 2
    with sessions.begin() as session:
        actor = make_actor(session)
        upper, middle = chain(session, actor, "U", half), chain(session, actor, "M", half)
        lower = make(session, actor, "Lower")

    def grow(turn: int) -> str:
        child, parent = [(middle[0], upper[-1]), (lower, middle[-1])][turn]
        try:
            with sessions.begin() as session:
                move(session, actor, child, parent)
        except InvalidInputError as error:
            return error.reason
        return "moved"

    assert at_once(grow, 2) == ["moved", f"the tree would have more than {MOST_LEVELS} levels"]
    with sessions() as session:
        assert len(category_tree.ids_above(session, middle[-1])) <= MOST_LEVELS


def test_an_import_puts_what_is_too_deep_higher(session: Session) -> None:
    actor = make_actor(session)
    deep = chain(session, actor, "Deep", MOST_LEVELS)
    assert category_tree.lowest_parent(session, deep[0]) == deep[0]
    assert category_tree.lowest_parent(session, deep[-1]) == deep[-2]
    made = categories._ensure(session, "Deeper", "deeper", deep[-1])
    assert made.parent_id == deep[-2]
