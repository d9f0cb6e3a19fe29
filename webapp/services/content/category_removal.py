"""Categories go: deleted, their items handed to another one or to none, or merged into another.

Versions never change; which category one stands in is no part of its text, and its digest leaves
it out, so it goes along.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, CompoundSelect, TextClause, bindparam, delete, func, select, text
from sqlalchemy.orm import Session

from webapp.jobs.messages import RefreshPublications
from webapp.jobs.outbox import enqueue_anew
from webapp.models import Category, Content, Publication
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import aliases, category_tree, taxonomy
from webapp.services.content.name_locks import lock_items_first
from webapp.services.errors import ConflictError, InvalidInputError, NotFoundError

IsSeen = Callable[[Category], bool]

# Pending events keep whom they tell, so they go where the followers go. Those of categories below
# are found while these stand there.
_MOVE_FOLLOWERS_OF_SUBTREE = text(
    """
    WITH RECURSIVE below AS (
        SELECT id FROM categories WHERE parent_id = :category_id
        UNION
        SELECT child.id FROM categories AS child JOIN below ON child.parent_id = below.id
    )
    UPDATE events SET ancestor_ids = array_replace(ancestor_ids, :category_id, :into_id)
    WHERE category_id IN (SELECT id FROM below) AND fanned_out_at IS NULL
      AND :category_id = ANY (ancestor_ids)
    """
).bindparams(bindparam("category_id", type_=BigInteger()), bindparam("into_id", type_=BigInteger()))
_MOVE_ITEMS = (
    text("UPDATE content SET category_id = :into_id WHERE category_id = :category_id"),
    text("UPDATE content_versions SET category_id = :into_id WHERE category_id = :category_id"),
    text("UPDATE publications SET category_id = :into_id WHERE category_id = :category_id"),
    text("UPDATE imported_categories SET category_id = :into_id WHERE category_id = :category_id"),
    text("UPDATE categories SET parent_id = :into_id WHERE parent_id = :category_id"),
)
_MOVE_FOLLOWERS = (
    text("UPDATE events SET category_id = :into_id WHERE category_id = :category_id"),
    text(
        """
        UPDATE follows SET include_subtree = true FROM follows AS other
        WHERE follows.category_id = :into_id AND NOT follows.include_subtree
          AND other.category_id = :category_id AND other.user_id = follows.user_id
          AND other.include_subtree
        """
    ),
    text(
        """
        UPDATE follows SET category_id = :into_id
        WHERE category_id = :category_id AND NOT EXISTS (
            SELECT FROM follows AS other
            WHERE other.category_id = :into_id AND other.user_id = follows.user_id)
        """
    ),
)


@dataclass(frozen=True)
class Use:
    """What stands in a category: items, as drafts or in public, and categories."""

    items: int
    categories: int


def merge_category(
    session: Session, actor: Actor, category_id: int, is_seen: IsSeen, into_id: int
) -> Category:
    """Make two categories one, and return the one that stays.

    Items and their versions, publications, followers and sub-categories of the first come into the
    second, which is also found under the slugs of the first, if that was public. A job brings the
    name into the public documents. Raises NotFoundError, StaleRevisionError, InvalidInputError for
    `into_id`, and ConflictError.
    """
    category_tree.take_turns(session)
    taxonomy.get_category(session, category_id)
    category_tree.check_merge(session, category_id, into_id)
    enqueue_anew(session, RefreshPublications(named="category", named_id=into_id))
    former = _lock_all(session, category_id, is_seen, into_id)
    target = taxonomy.get_category(session, into_id)
    slug, name, was_public = former.slug, former.name, former.was_public
    use = _use_of(session, category_id)
    steps = (_MOVE_FOLLOWERS_OF_SUBTREE, *_MOVE_ITEMS, *_MOVE_FOLLOWERS)
    _move(session, category_id, into_id, *steps)
    aliases.hand_over(session, category_id, into_id)
    _delete(session, category_id)
    if was_public:
        aliases.keep(session, into_id, slug)
        taxonomy.show_with_parents(session, [into_id])
    activity.record(
        session, actor.user_id, "category.merge", "category", category_id,
        name=name, slug=slug, into_id=into_id, items=use.items, categories=use.categories,
    )  # fmt: skip
    session.refresh(target)
    return target


def delete_category(
    session: Session,
    actor: Actor,
    category_id: int,
    is_seen: IsSeen,
    *,
    reassign_to: int | None = None,
    only_unused: bool = False,
) -> None:
    """Remove a category, if it is as the caller has seen it.

    Its items and sub-categories come into another one, or stay without it; its followers lose it
    either way. A job takes it out of the public documents. Raises NotFoundError,
    StaleRevisionError, InvalidInputError for `reassign_to`, and ConflictError where only an unused
    one may go.
    """
    category_tree.take_turns(session)
    taxonomy.get_category(session, category_id)
    if reassign_to is not None:
        _check_reassignment(session, category_id, reassign_to)
    enqueue_anew(session, RefreshPublications(named="category", named_id=reassign_to))
    former = _lock_all(session, category_id, is_seen, reassign_to)
    slug, name, was_public = former.slug, former.name, former.was_public
    use = _use_of(session, category_id)
    if only_unused and (use.items or use.categories):
        raise ConflictError(
            f"{use.items} items and {use.categories} categories stand in it. Say where they shall"
            " go: reassign_to=ID of another category, or reassign_to=none."
        )
    if reassign_to is not None:
        _move(session, category_id, reassign_to, *_MOVE_ITEMS)
    _delete(session, category_id)
    if reassign_to is not None and was_public:
        taxonomy.show_with_parents(session, [reassign_to])
    given: dict[str, Any] = {} if reassign_to is None else {"reassigned_to": reassign_to}
    activity.record(
        session, actor.user_id, "category.delete", "category", category_id,
        name=name, slug=slug, items=use.items, categories=use.categories, **given,
    )  # fmt: skip


def _check_reassignment(session: Session, category_id: int, reassign_to: int) -> None:
    try:
        category_tree.check_merge(session, category_id, reassign_to)
    except InvalidInputError as error:
        raise InvalidInputError("reassign_to", error.reason, place="query") from error


def _lock_all(session: Session, category_id: int, is_seen: IsSeen, into_id: int | None) -> Category:
    """Lock what a category has to do with, and return it.

    The items come first, as with every change of an item, so that the two cannot deadlock; an item
    may be public in a category that its draft has left. The jobs come before them: their workers
    lock the rows of the jobs, and then items. Raises NotFoundError and StaleRevisionError.
    """
    near = select(Category.id).where(
        (Category.id == category_id)
        | (Category.id == into_id)
        | (Category.parent_id == category_id)
    )
    lock_items_first(
        session,
        select(Content.id).where(Content.id.in_(_items_in(category_id))),
        lambda: session.execute(near.order_by(Category.id).with_for_update()),
    )
    if into_id is not None and session.get(Category, into_id) is None:
        raise NotFoundError("There is no such category.")
    return taxonomy.lock_as_seen(session, category_id, is_seen)


def _use_of(session: Session, category_id: int) -> Use:
    items = select(func.count()).select_from(_items_in(category_id).subquery())
    below = select(func.count()).where(Category.parent_id == category_id)
    return Use(session.scalars(items).one(), session.scalars(below).one())


def _items_in(category_id: int) -> CompoundSelect[int]:
    drafts = select(Content.id).where(Content.category_id == category_id)
    public = select(Publication.content_id).where(Publication.category_id == category_id)
    return drafts.union(public)


def _move(session: Session, category_id: int, into_id: int, *steps: TextClause) -> None:
    for step in steps:
        session.execute(step, {"category_id": category_id, "into_id": into_id})


def _delete(session: Session, category_id: int) -> None:
    session.execute(
        delete(Category)
        .where(Category.id == category_id)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
