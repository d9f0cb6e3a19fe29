"""How much stands in categories and has tags, counted when it is asked for.

What the public may know is counted among publications, which no draft enters. A number that each
publication kept up to date would make those of one category wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, text
from sqlalchemy.orm import Session

from webapp.kit.permissions import Permission
from webapp.models import Content
from webapp.models.arrays import IdArray, is_one_of
from webapp.services.accounts.actors import Actor
from webapp.services.content.visibility import visible_content


@dataclass(frozen=True)
class CategoryCounts:
    """Public items in a category, with those below it, and the items that the viewer works on."""

    public: int
    public_with_subtree: int
    items: int | None = None


_OF_CATEGORIES = text(
    """
    WITH RECURSIVE below AS (
        SELECT id AS root_id, id FROM categories WHERE id = ANY (:ids)
        UNION
        SELECT below.root_id, child.id
        FROM categories AS child JOIN below ON child.parent_id = below.id
    ), own AS (
        SELECT category_id, count(*) AS items FROM publications
        WHERE category_id = ANY (ARRAY(SELECT id FROM below)) GROUP BY category_id
    )
    SELECT root_id, coalesce(sum(items) FILTER (WHERE id = root_id), 0)::bigint AS public,
        coalesce(sum(items), 0)::bigint AS public_with_subtree
    FROM below LEFT JOIN own ON own.category_id = below.id GROUP BY root_id
    """
).bindparams(bindparam("ids", type_=IdArray()))

_OF_TAGS = text(
    """
    SELECT tags.id,
        (SELECT count(*) FROM publications WHERE publications.tags @> ARRAY[tags.slug]) AS public
    FROM tags WHERE id = ANY (:ids)
    """
).bindparams(bindparam("ids", type_=IdArray()))


def count_categories(
    session: Session, viewer: Actor | None, category_ids: Sequence[int]
) -> dict[int, CategoryCounts]:
    """Return the counts of some categories, by their ids.

    Who may choose among all categories is told how many items stand in each that they may see and
    that are not in the trash: authors count their own, editors all.
    """
    rows = session.execute(_OF_CATEGORIES, {"ids": list(category_ids)}).all()
    if viewer is None or not viewer.may(Permission.TAXONOMY_READ):
        return {row.root_id: CategoryCounts(row.public, row.public_with_subtree) for row in rows}
    counted = (
        visible_content(viewer)
        .with_only_columns(Content.category_id, func.count())
        .where(is_one_of(Content.category_id, list(category_ids)), Content.status != "trashed")
        .group_by(Content.category_id)
    )
    items: dict[int | None, int] = {row[0]: row[1] for row in session.execute(counted)}
    return {
        row.root_id: CategoryCounts(row.public, row.public_with_subtree, items.get(row.root_id, 0))
        for row in rows
    }


def count_tags(session: Session, tag_ids: Sequence[int]) -> dict[int, int]:
    """Return how many public items have some tags, by the ids of the tags."""
    rows = session.execute(_OF_TAGS, {"ids": list(tag_ids)})
    return {row.id: row.public for row in rows}
