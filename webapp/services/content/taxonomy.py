"""Categories: a tree that managers keep."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import (
    Select,
    bindparam,
    case,
    exists,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql import ColumnElement

from webapp.jobs.messages import RefreshPublications
from webapp.jobs.outbox import enqueue_anew
from webapp.kit.permissions import Permission
from webapp.kit.slugs import slugify
from webapp.models import Category
from webapp.models.arrays import IdArray
from webapp.models.content.taxonomy import key_of_name
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import aliases, category_tree
from webapp.services.content.records import facts_of_category
from webapp.services.content.slugs import free_slug_of
from webapp.services.errors import (
    ConflictError,
    NotFoundError,
    StaleRevisionError,
)

ATTEMPTS = 5
MANY_AT_ONCE = "Many categories with this name are being made at once; try again."


@dataclass(frozen=True)
class CategoryChanges:
    """What to set on a category; `parent_id` None puts it at the root."""

    name: str
    slug: str | None
    description: str
    parent_id: int | None


@dataclass(frozen=True)
class CategoryView:
    """A category as somebody may see it: without a parent that they may not know of."""

    id: int
    slug: str
    name: str
    description: str
    parent_id: int | None


def list_categories(
    session: Session, viewer: Actor | None, *, after_id: int, limit: int
) -> list[CategoryView]:
    """Return the categories that the viewer may know of, by their ids, from above `after_id`."""
    statement = _visible_to(viewer).where(Category.id > after_id)
    rows = session.execute(statement.order_by(Category.id).limit(limit))
    return [CategoryView(*row) for row in rows]


def view_category(session: Session, viewer: Actor | None, category_id: int) -> CategoryView:
    """Return one category. Raises NotFoundError when there is none that the viewer may know of."""
    row = session.execute(_visible_to(viewer).where(Category.id == category_id)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such category.")
    return CategoryView(*row)


def get_category(session: Session, category_id: int) -> Category:
    """Return one category, whoever asks. Raises NotFoundError."""
    category = session.get(Category, category_id)
    if category is None:
        raise NotFoundError("There is no such category.")
    return category


def create_category(session: Session, actor: Actor, changes: CategoryChanges) -> Category:
    """Add a category, whose own slug is made from its name, and numbered where it is taken.

    Raises ConflictError for a slug that is asked for and taken, and for a name that the parent has
    already; InvalidInputError for the parent.
    """
    if changes.parent_id is not None:
        category_tree.take_turns(session)
    category_tree.check_place(session, None, changes.parent_id)
    if changes.slug is not None:
        aliases.require_free(session, changes.slug)
    same = select(Category.id).where(
        is_called(changes.name),
        Category.parent_id.is_not_distinct_from(changes.parent_id),
    )
    if changes.slug is None and session.scalar(same.limit(1)) is not None:
        raise ConflictError("There is a category with this name; give this one a slug of its own.")
    category: Category | None = session.scalar(
        insert(Category)
        .values(
            slug=changes.slug or free_slug_of(session, Category, slugify(changes.name)),
            name=changes.name,
            description=changes.description,
            parent_id=changes.parent_id,
        )
        .on_conflict_do_nothing(index_elements=["slug"])
        .returning(Category)
    )
    if category is None:
        raise ConflictError("Another category has this slug.")
    made = activity.difference({}, facts_of_category(category), whole=True)
    activity.record(
        session, actor.user_id, "category.create", "category", category.id, changes=made
    )
    return category


def change_category(
    session: Session,
    actor: Actor,
    category_id: int,
    is_seen: Callable[[Category], bool],
    changes: CategoryChanges,
) -> Category:
    """Replace what a category says of itself, if it is as the caller has seen it.

    A job brings it into the public documents. Raises as `create_category` does, NotFoundError and
    StaleRevisionError.
    """
    category_tree.take_turns(session)
    category = get_category(session, category_id)
    if changes.parent_id != category.parent_id:
        category_tree.check_place(session, category_id, changes.parent_id)
    slug = changes.slug or category.slug
    aliases.require_free(session, slug, category_id)
    if (slug, changes.name) != (category.slug, category.name):
        enqueue_anew(session, RefreshPublications(named="category", named_id=category_id))
    # The job comes before the category: its worker waits for items, and who publishes one has
    # locked it before the category.
    category = lock_as_seen(session, category_id, is_seen)
    before, former_slug = facts_of_category(category), category.slug
    if slug != former_slug:
        aliases.take_back(session, category_id, slug)
    session.execute(
        update(Category)
        .where(Category.id == category_id)
        .values(
            slug=slug,
            name=changes.name,
            description=changes.description,
            parent_id=changes.parent_id,
        )
    )
    session.refresh(category)
    if slug != former_slug and category.was_public:
        aliases.keep(session, category_id, former_slug)
    changed = activity.difference(before, facts_of_category(category), whole=True)
    activity.record(
        session, actor.user_id, "category.edit", "category", category_id, changes=changed
    )
    return category


def lock_as_seen(
    session: Session, category_id: int, is_seen: Callable[[Category], bool]
) -> Category:
    """Return a category, locked, as the caller has seen it.

    Raises NotFoundError and StaleRevisionError.
    """
    statement = select(Category).where(Category.id == category_id).with_for_update(key_share=True)
    category = session.scalar(statement, execution_options={"populate_existing": True})
    if category is None:
        raise NotFoundError("There is no such category.")
    if not is_seen(category):
        raise StaleRevisionError("The category has changed since you read it; read it again.")
    return category


def ensure_category(
    session: Session, name: str, *, slug: str | None = None, parent_id: int | None = None
) -> int:
    """Return the id of the category with this name, made now if there is none.

    Of several with the name, the one with this slug is meant; with a parent, only its children are
    looked at. A new one gets the slug, or that of its name, numbered where another category has it,
    and the public knows nothing of it until something in it is public.
    """
    for _ in range(ATTEMPTS):
        found = select(Category.id).where(is_called(name))
        if parent_id is not None:
            found = found.where(Category.parent_id == parent_id)
        found = found.order_by((Category.slug == slug).desc(), Category.id).limit(1)
        category_id = session.scalar(found)
        if category_id is not None:
            return category_id
        add_category(session, name, slug=slug, parent_id=parent_id)
    raise ConflictError(MANY_AT_ONCE)


def add_category(
    session: Session, name: str, *, slug: str | None = None, parent_id: int | None = None
) -> int | None:
    """Make a category as secret as the drafts that it is for, and return its id.

    Where another transaction was making one with the same slug, nothing is made, and None returned.
    """
    free = free_slug_of(session, Category, slug or slugify(name))
    made = insert(Category).values(slug=free, name=name, parent_id=parent_id, was_public=False)
    category_id: int | None = session.scalar(
        made.on_conflict_do_nothing(index_elements=["slug"]).returning(Category.id)
    )
    return category_id


def is_called(name: str) -> ColumnElement[bool]:
    """Return the condition that a category has a name, whatever its case and Unicode form."""
    return key_of_name(Category.name.expression) == key_of_name(literal(name))


def show_categories(session: Session, version_ids: list[int]) -> None:
    """Let the public know of the categories in which these versions become public.

    Those above them show with them, because where a category stands is part of what it is.
    """
    session.execute(_SHOW_CATEGORIES_OF, {"version_ids": version_ids})


def show_with_parents(session: Session, category_ids: list[int]) -> None:
    """Let the public know of categories, and of those above them."""
    session.execute(_SHOW_CATEGORIES, {"category_ids": category_ids})


# Locked in the order of their ids, as the tags are. A publication that waited here for another one
# finds the mark made.
_SHOW = """
    WITH RECURSIVE shown AS (
        SELECT id, parent_id FROM categories WHERE {which}
        UNION
        SELECT parent.id, parent.parent_id
        FROM categories AS parent JOIN shown ON parent.id = shown.parent_id
    ), secret AS MATERIALIZED (
        SELECT id FROM categories
        WHERE NOT was_public AND id IN (SELECT id FROM shown)
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE categories SET was_public = true FROM secret WHERE categories.id = secret.id
"""
_SHOW_CATEGORIES_OF = text(
    _SHOW.format(
        which="id IN (SELECT category_id FROM content_versions WHERE id = ANY (:version_ids))"
    )
).bindparams(bindparam("version_ids", type_=IdArray()))
_SHOW_CATEGORIES = text(_SHOW.format(which="id = ANY (:category_ids)")).bindparams(
    bindparam("category_ids", type_=IdArray())
)


def _visible_to(viewer: Actor | None) -> Select[int, str, str, str, int | None]:
    """Return the query of the categories that somebody may know of; authors choose among all."""
    columns = (Category.id, Category.slug, Category.name, Category.description)
    if viewer is not None and viewer.may(Permission.TAXONOMY_READ):
        return select(*columns, Category.parent_id)
    parent = aliased(Category)
    # It may have been put below one that has drafts alone.
    is_known = exists().where(parent.id == Category.parent_id, parent.was_public)
    return select(*columns, case((is_known, Category.parent_id))).where(Category.was_public)
