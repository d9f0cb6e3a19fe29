"""Categories and tags."""

from dataclasses import dataclass

from sqlalchemy import delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from webapp.kit.slugs import slugify
from webapp.models import Category, Content, Publication, Tag
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.errors import ConflictError, InvalidInputError, NotFoundError

_TREE_LOCK = (
    0x696D_7072_0001  # An advisory lock key of Imprint's own: changes of the category tree.
)


@dataclass(frozen=True)
class CategoryChanges:
    """What to set on a category; `parent_id` None puts it at the root."""

    name: str
    slug: str | None
    description: str
    parent_id: int | None


def list_categories(session: Session, *, after_id: int, limit: int) -> list[Category]:
    """Return categories in the order of their ids, from above `after_id`."""
    statement = select(Category).where(Category.id > after_id).order_by(Category.id).limit(limit)
    return list(session.scalars(statement))


def get_category(session: Session, category_id: int) -> Category:
    """Return one category. Raises NotFoundError."""
    category = session.get(Category, category_id)
    if category is None:
        raise NotFoundError("There is no such category.")
    return category


def create_category(session: Session, actor: Actor, changes: CategoryChanges) -> Category:
    """Add a category. Raises ConflictError for a taken slug, InvalidInputError for the parent."""
    _check_parent(session, None, changes.parent_id)
    category: Category | None = session.scalar(
        insert(Category)
        .values(
            slug=changes.slug or slugify(changes.name),
            name=changes.name,
            description=changes.description,
            parent_id=changes.parent_id,
        )
        .on_conflict_do_nothing(index_elements=["slug"])
        .returning(Category)
    )
    if category is None:
        raise ConflictError("Another category has this slug.")
    activity.record(session, actor.user_id, "category.create", "category", category.id)
    return category


def change_category(
    session: Session, actor: Actor, category_id: int, changes: CategoryChanges
) -> Category:
    """Replace what a category says of itself.

    Raises as `create_category` does, and NotFoundError.
    """
    # The tree is small and rarely changed: one lock keeps two moves from making a circle.
    session.execute(select(func.pg_advisory_xact_lock(_TREE_LOCK)))
    category = get_category(session, category_id)
    _check_parent(session, category_id, changes.parent_id)
    slug = changes.slug or category.slug
    taken = select(exists().where(Category.slug == slug, Category.id != category_id))
    if session.scalar(taken):
        raise ConflictError("Another category has this slug.")
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
    activity.record(session, actor.user_id, "category.edit", "category", category_id)
    return category


def delete_category(session: Session, actor: Actor, category_id: int) -> None:
    """Remove a category; its items and sub-categories stay, without it. Raises NotFoundError."""
    # The items are locked first, as every change of an item does, so that the two cannot deadlock.
    items = select(Content.id).where(Content.category_id == category_id).order_by(Content.id)
    session.execute(items.with_for_update())
    deleted = session.scalar(
        delete(Category).where(Category.id == category_id).returning(Category.id)
    )
    if deleted is None:
        raise NotFoundError("There is no such category.")
    activity.record(session, actor.user_id, "category.delete", "category", category_id)


def ensure_category(
    session: Session, name: str, *, slug: str | None = None, parent_id: int | None = None
) -> int:
    """Return the id of the category with this slug (or the name's), made now if it is new."""
    slug = slug or slugify(name)
    made = insert(Category).values(slug=slug, name=name, parent_id=parent_id)
    session.execute(made.on_conflict_do_nothing(index_elements=["slug"]))
    return session.scalars(select(Category.id).where(Category.slug == slug)).one()


def list_tags(session: Session, *, after_slug: str, limit: int) -> list[Tag]:
    """Return the tags of what is public, in the order of their slugs, from behind `after_slug`.

    A tag that only a draft has is as secret as the draft.
    """
    statement = (
        select(Tag).where(Tag.slug > after_slug, is_public(Tag)).order_by(Tag.slug).limit(limit)
    )
    return list(session.scalars(statement))


def is_public(tag: type[Tag]) -> ColumnElement[bool]:
    """Return the condition that some public item has this tag."""
    return exists().where(Publication.tags.contains(array([tag.slug])))


def ensure_tags(session: Session, names: list[str]) -> list[Tag]:
    """Return the tags with these names in the order of their slugs, making the new ones.

    Names that make the same slug are one tag. The order of insertion is that of the slugs, and
    every save makes its tags before it claims its slug, so two saves at once wait for each other.
    A transaction of many saves, as an import is, has no such order: PostgreSQL may have to end one
    of two such transactions as a deadlock.
    """
    by_slug = {slugify(name): name for name in reversed(names)}
    if not by_slug:
        return []
    rows = [{"slug": slug, "name": by_slug[slug]} for slug in sorted(by_slug)]
    session.execute(insert(Tag).values(rows).on_conflict_do_nothing(index_elements=["slug"]))
    return list(session.scalars(select(Tag).where(Tag.slug.in_(by_slug)).order_by(Tag.slug)))


_ANCESTORS = text(
    """
    WITH RECURSIVE ancestors AS (
        SELECT id, parent_id FROM categories WHERE id = :parent_id
        UNION
        SELECT parent.id, parent.parent_id
        FROM categories AS parent JOIN ancestors ON parent.id = ancestors.parent_id
    )
    SELECT id FROM ancestors
    """
)


def _check_parent(session: Session, category_id: int | None, parent_id: int | None) -> None:
    if parent_id is None:
        return
    ancestors = session.scalars(_ANCESTORS, {"parent_id": parent_id}).all()
    if not ancestors:
        raise InvalidInputError("parent_id", "there is no such category")
    if category_id in ancestors:
        raise InvalidInputError("parent_id", "a category cannot stand inside itself")
