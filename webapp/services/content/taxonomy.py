"""Categories and tags."""

from dataclasses import dataclass

from sqlalchemy import (
    Select,
    Text,
    any_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, array, insert
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql import ColumnElement

from webapp.jobs.messages import RefreshPublications
from webapp.jobs.outbox import enqueue_anew
from webapp.kit.permissions import Permission
from webapp.kit.slugs import slugify
from webapp.models import Category, Content, ContentTag, Publication, Tag
from webapp.models.arrays import IdArray
from webapp.models.content.taxonomy import key_of_name
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content.records import facts_of_category
from webapp.services.content.slugs import free_name
from webapp.services.errors import ConflictError, InvalidInputError, NotFoundError

_TREE_LOCK = (
    0x696D_7072_0001  # An advisory lock key of Imprint's own: changes of the category tree.
)


ATTEMPTS = 5
MANY_AT_ONCE = "Many categories with this name are being made at once; try again."


@dataclass(frozen=True)
class ItemTag:
    """A tag as one item has it: `name` is the item's own spelling."""

    id: int
    slug: str
    name: str


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
    _check_parent(session, None, changes.parent_id)
    same = select(Category.id).where(
        is_called(changes.name),
        Category.parent_id.is_not_distinct_from(changes.parent_id),
    )
    if changes.slug is None and session.scalar(same.limit(1)) is not None:
        raise ConflictError("There is a category with this name; give this one a slug of its own.")
    category: Category | None = session.scalar(
        insert(Category)
        .values(
            slug=changes.slug or _free_slug(session, Category, slugify(changes.name)),
            name=changes.name,
            description=changes.description,
            parent_id=changes.parent_id,
        )
        .on_conflict_do_nothing(index_elements=["slug"])
        .returning(Category)
    )
    if category is None:
        raise ConflictError("Another category has this slug.")
    made = activity.difference({}, facts_of_category(category))
    activity.record(
        session, actor.user_id, "category.create", "category", category.id, changes=made
    )
    return category


def change_category(
    session: Session, actor: Actor, category_id: int, changes: CategoryChanges
) -> Category:
    """Replace what a category says of itself; a job brings it into the public documents.

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
    if (slug, changes.name) != (category.slug, category.name):
        enqueue_anew(session, RefreshPublications(named="category", named_id=category_id))
    before = facts_of_category(category)
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
    changed = activity.difference(before, facts_of_category(category))
    activity.record(
        session, actor.user_id, "category.edit", "category", category_id, changes=changed
    )
    return category


def delete_category(session: Session, actor: Actor, category_id: int) -> None:
    """Remove a category; its items and sub-categories stay, without it. Raises NotFoundError.

    A job takes it out of the public documents.
    """
    # The job comes first: its worker locks the row of the job, and then items.
    enqueue_anew(session, RefreshPublications(named="category", named_id=None))
    # The items are locked first, as every change of an item does, so that the two cannot deadlock.
    # An item may be public in a category that its draft has left.
    drafts = select(Content.id).where(Content.category_id == category_id)
    public = select(Publication.content_id).where(Publication.category_id == category_id)
    items = select(Content.id).where(Content.id.in_(drafts.union_all(public))).order_by(Content.id)
    session.execute(items.with_for_update())
    deleted = session.scalar(delete(Category).where(Category.id == category_id).returning(Category))
    if deleted is None:
        raise NotFoundError("There is no such category.")
    activity.record(
        session, actor.user_id, "category.delete", "category", category_id,
        name=deleted.name, slug=deleted.slug,
    )  # fmt: skip


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
    free = _free_slug(session, Category, slug or slugify(name))
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
    session.execute(_SHOW_CATEGORIES, {"version_ids": version_ids})


def list_tags(session: Session, *, after_slug: str, limit: int) -> list[Tag]:
    """Return the tags of what is public, in the order of their slugs, from behind `after_slug`.

    A tag that only a draft has is as secret as the draft.
    """
    statement = (
        select(Tag)
        .where(Tag.slug > after_slug, Tag.was_public, is_public(Tag))
        .order_by(Tag.slug)
        .limit(limit)
    )
    return list(session.scalars(statement))


def is_public(tag: type[Tag]) -> ColumnElement[bool]:
    """Return the condition that some public item has this tag."""
    return exists().where(Publication.tags.contains(array([tag.slug])))


def ensure_tags(session: Session, names: list[str]) -> list[ItemTag]:
    """Return the tags with these names in the order of their slugs, making the new ones.

    A name is the same as another that differs in case or Unicode form alone; the first spelling
    counts. A new tag whose slug another has gets a numbered one. The order of insertion is that of
    the slugs, and every save makes its tags before it claims its slug, so two saves at once wait
    for each other. A transaction of many saves, as an import is, has no such order: PostgreSQL may
    have to end one of two such transactions as a deadlock. Raises ConflictError.
    """
    for attempt in range(ATTEMPTS + len(names)):
        rows = session.execute(_FIND_TAGS, {"names": names}).all()
        missing = {row.key: row.spelling for row in reversed(rows) if row.id is None}
        if not missing:
            found = {row.id: ItemTag(row.id, row.slug, row.spelling) for row in reversed(rows)}
            return sorted(found.values(), key=lambda tag: tag.slug)
        made = [
            # Those that are missing still have a name that looks like another in an address.
            {"slug": _free_slug(session, Tag, slug) if attempt else slug, "name": name}
            for slug, name in sorted((slugify(name), name) for name in missing.values())
        ]
        session.execute(insert(Tag).values(made).on_conflict_do_nothing(index_elements=["slug"]))
    raise ConflictError("Many items with these tags are being saved at once; try again.")


def spell_tags(session: Session, content_id: int, slugs_of_tags: list[str]) -> list[str]:
    """Return the names of tags as an item spells them.

    How it spelt those that it has no more is not kept, and how another draft does is nobody's
    business: until something public has a tag, it is told without its capitals.
    """
    has_it = (ContentTag.tag_id == Tag.id) & (ContentTag.content_id == content_id)
    name = case(
        (ContentTag.content_id.is_not(None), func.coalesce(ContentTag.spelling, Tag.name)),
        (Tag.was_public, Tag.name),
        else_=key_of_name(Tag.name.expression),
    )
    found = select(name).outerjoin(ContentTag, has_it).where(Tag.slug.in_(slugs_of_tags))
    return list(session.scalars(found))


def name_public_tags(session: Session, content_ids: list[int], version_ids: list[int]) -> None:
    """Give the tags that become public with these versions the spelling of their items.

    Until then a tag is named as the first draft that has it spells it, which is nobody's business.
    """
    session.execute(_NAME_PUBLIC_TAGS, {"content_ids": content_ids, "version_ids": version_ids})


# The position tells two spellings of one name apart, and the lowest id two tags of one.
_FIND_TAGS = text(
    """
    SELECT DISTINCT ON (wanted.position)
        wanted.name AS spelling, lower(normalize(wanted.name, NFKC)) AS key, tags.id, tags.slug
    FROM unnest(:names) WITH ORDINALITY AS wanted (name, position)
    LEFT JOIN tags
        ON lower(normalize(tags.name, NFKC)) = lower(normalize(wanted.name, NFKC))
    ORDER BY wanted.position, tags.id
    """
).bindparams(bindparam("names", type_=ARRAY(Text)))

# The rows are locked in the order of their ids, so that two publications cannot deadlock.
_NAME_PUBLIC_TAGS = text(
    """
    WITH made_public AS (
        SELECT tags.id FROM tags
        WHERE NOT was_public AND slug IN (
            SELECT unnest(tags) FROM content_versions WHERE id = ANY (:version_ids))
        ORDER BY tags.id FOR UPDATE
    )
    UPDATE tags SET was_public = true, name = coalesce((
        SELECT min(spelling) FROM content_tags
        WHERE tag_id = tags.id AND content_id = ANY (:content_ids)), name)
    FROM made_public WHERE tags.id = made_public.id
    """
).bindparams(
    bindparam("content_ids", type_=IdArray()),
    bindparam("version_ids", type_=IdArray()),
)

# Locked in the order of their ids, as the tags are. A publication that waited here for another one
# finds the mark made.
_SHOW_CATEGORIES = text(
    """
    WITH RECURSIVE shown AS (
        SELECT id, parent_id FROM categories
        WHERE id IN (SELECT category_id FROM content_versions WHERE id = ANY (:version_ids))
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
).bindparams(bindparam("version_ids", type_=IdArray()))

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


def _visible_to(viewer: Actor | None) -> Select[int, str, str, str, int | None]:
    """Return the query of the categories that somebody may know of; authors choose among all."""
    columns = (Category.id, Category.slug, Category.name, Category.description)
    if viewer is not None and viewer.may(Permission.TAXONOMY_READ):
        return select(*columns, Category.parent_id)
    parent = aliased(Category)
    # It may have been put below one that has drafts alone.
    is_known = exists().where(parent.id == Category.parent_id, parent.was_public)
    return select(*columns, case((is_known, Category.parent_id))).where(Category.was_public)


def _free_slug(session: Session, kind: type[Category] | type[Tag], wanted: str) -> str:
    """Return the slug, or a numbered variant of it that no term of the kind has."""
    return free_name(
        wanted,
        lambda names: set(
            session.scalars(select(kind.slug).where(kind.slug == any_(literal(names, ARRAY(Text)))))
        ),
    )


def _check_parent(session: Session, category_id: int | None, parent_id: int | None) -> None:
    if parent_id is None:
        return
    ancestors = session.scalars(_ANCESTORS, {"parent_id": parent_id}).all()
    if not ancestors:
        raise InvalidInputError("parent_id", "there is no such category")
    if category_id in ancestors:
        raise InvalidInputError("parent_id", "a category cannot stand inside itself")
