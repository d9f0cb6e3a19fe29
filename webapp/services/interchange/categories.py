"""The categories that stand for those of sources."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.kit.imports.article import CategoryName
from webapp.kit.slugs import slugify
from webapp.models import Category, ImportedCategory
from webapp.services.content import category_tree, taxonomy
from webapp.services.errors import ConflictError


@dataclass(frozen=True)
class PlacedCategory:
    """A category here, None where it was deleted; `notice` tells where its place is another one."""

    id: int | None
    notice: str | None = None


@dataclass(frozen=True)
class _Bound:
    """What stands for a source's category, and what that stands below by now."""

    category_id: int | None
    parent_id: int | None


def category_of(
    session: Session, name: str, slug: str | None, above: Sequence[CategoryName] = ()
) -> PlacedCategory:
    """Return the category that stands for a source's, made or found by its name the first time.

    From then on the source's name and slug say which it is: one that was renamed here is the same,
    and one that was deleted here, for which no id stands, does not come back. A new one is put
    below those that it stands below there, `above`, the nearest first. Later it is never moved, for
    an editor may have moved it. Raises ConflictError.
    """
    found = _find_bound(session, name, slug)
    if found is None:
        parent_id = None
        for each in reversed(above):
            parent_id = _ensure(session, each.name, slugify(each.nicename), parent_id).category_id
        found = _ensure(session, name, slug, parent_id)
    if found.category_id is None or not above or _is_below(session, found, above[0]):
        return PlacedCategory(found.category_id)
    notice = f"category {name!r} stands below {above[0].name!r} there, and elsewhere here"
    return PlacedCategory(found.category_id, notice)


def _is_below(session: Session, found: _Bound, there: CategoryName) -> bool:
    """Say whether a category stands below the source's, or that one was deleted here."""
    parent = _find_bound(session, there.name, slugify(there.nicename))
    return parent is not None and parent.category_id in (None, found.parent_id)


def _find_bound(session: Session, name: str, slug: str | None) -> _Bound | None:
    row = session.execute(
        select(ImportedCategory.category_id, Category.parent_id)
        .outerjoin(Category, Category.id == ImportedCategory.category_id)
        .where(ImportedCategory.name == name, ImportedCategory.slug == (slug or ""))
    ).one_or_none()
    return None if row is None else _Bound(row.category_id, row.parent_id)


def _ensure(session: Session, name: str, slug: str | None, parent_id: int | None) -> _Bound:
    """Return what stands for a source's category, bound now if nothing was."""
    found = _find_bound(session, name, slug)
    if found is None:
        category_id = _find_or_add(session, name, slug, parent_id)
        values = {"name": name, "slug": slug or "", "category_id": category_id}
        session.execute(insert(ImportedCategory).values(values).on_conflict_do_nothing())
        found = _find_bound(session, name, slug)
    if found is None:
        raise ConflictError(taxonomy.MANY_AT_ONCE)
    return found


def _find_or_add(session: Session, name: str, slug: str | None, parent_id: int | None) -> int:
    """Return a category with this name: best one in the same place, or with the same slug.

    One that stands elsewhere, and for another category of the same name there, is not meant. Where
    the tree has no level left, a new one stands higher than it does there.
    """
    if parent_id is not None:
        parent_id = category_tree.lowest_parent(session, parent_id)
    is_here = Category.parent_id.is_not_distinct_from(parent_id)
    found = select(Category.id).where(taxonomy.is_called(name))
    if slug is not None:
        of_another = exists().where(
            ImportedCategory.category_id == Category.id, ImportedCategory.slug.not_in(["", slug])
        )
        found = found.where(or_(is_here, ~of_another))
    found = found.order_by(is_here.desc(), (Category.slug == slug).desc(), Category.id).limit(1)
    for _ in range(taxonomy.ATTEMPTS):
        category_id = session.scalar(found)
        if category_id is None:
            category_id = taxonomy.add_category(session, name, slug=slug, parent_id=parent_id)
        if category_id is not None:
            return category_id
    raise ConflictError(taxonomy.MANY_AT_ONCE)
