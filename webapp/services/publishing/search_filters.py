"""Which of the items that hold what is looked for are wanted.

What a filter names is looked up first. One that names nothing finds nothing, and PostgreSQL plans
the search for the very tag, category or author: how many items it has decides where to look.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.kit.lifecycle import Standing
from webapp.services.content.stems import Find


@dataclass(frozen=True)
class SearchFilter:
    """Which items are wanted; None does not filter.

    The times are those of the publication, or of the last save of a working copy.
    """

    tag: str | None = None
    category: str | None = None
    author: str | None = None
    language: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: Standing | None = None


@dataclass(frozen=True)
class Wanted:
    """A filter, looked up: the conditions of both kinds, and the values of their parameters.

    Conditions of None say that nothing of the kind can be found.
    """

    of_public: str | None
    of_drafts: str | None
    values: Mapping[str, Any]


# What has a slug now comes before what had it. A slug that the public never knew is answered in
# public as if there were none.
_LOOK_UP = """
SELECT
    coalesce(
        (SELECT id FROM categories WHERE slug = CAST(:category AS text)),
        (SELECT category_id FROM category_aliases WHERE slug = CAST(:category AS text))
    ) AS category_id,
    (SELECT id FROM users WHERE login = CAST(:author AS text)) AS author_id,
    tag.id AS tag_id, tag.slug AS tag
FROM (SELECT 1) AS one LEFT JOIN LATERAL (
    SELECT tags.id, tags.slug, 0 AS place FROM tags WHERE tags.slug = CAST(:tag AS text)
    UNION ALL
    SELECT tags.id, CASE WHEN tag_aliases.was_public THEN tags.slug END, 1
    FROM tag_aliases JOIN tags ON tags.id = tag_id WHERE tag_aliases.slug = CAST(:tag AS text)
    ORDER BY place LIMIT 1
) AS tag ON true
"""
# PostgreSQL looks at one of an array before it unpacks any words, and at what is equal after that.
_OF_PUBLIC = {
    "tag": "publications.tags @> ARRAY[CAST(:tag AS text)]",
    "category_id": "publications.category_id = :category_id",
    "author_id": "publications.author_id = :author_id",
    "language": "renderings.language = ANY (ARRAY[CAST(:language AS text)])",
    "since": "publications.published_at >= :since",
    "until": "publications.published_at < :until",
}
_OF_DRAFTS = {
    "tag_id": "EXISTS (SELECT FROM content_tags"
    " WHERE content_id = content.id AND tag_id = :tag_id)",
    "category_id": "content.category_id = :category_id",
    "author_id": "content.author_id = :author_id",
    "language": "search_documents.language = ANY (ARRAY[CAST(:language AS text)])",
    "since": "content.updated_at >= :since",
    "until": "content.updated_at < :until",
}


def look_up(find: Find, filters: SearchFilter) -> Wanted:
    """Return what a filter wants, of what is public and of working copies."""
    values = {
        name: value
        for name in ("language", "since", "until")
        if (value := getattr(filters, name)) is not None
    }
    names = {name: getattr(filters, name) for name in ("tag", "category", "author")}
    of_public, of_drafts = list(values), list(values)
    if any(name is not None for name in names.values()):
        category_id, author_id, tag_id, tag = find(_LOOK_UP, names)[0]
        values |= {"category_id": category_id, "author_id": author_id, "tag_id": tag_id, "tag": tag}
        of_both = [f"{name}_id" for name in ("category", "author") if names[name] is not None]
        of_tag = names["tag"] is not None
        of_public += of_both + ["tag"] * of_tag
        of_drafts += of_both + ["tag_id"] * of_tag
    return Wanted(
        _conditions(_OF_PUBLIC, of_public, values),
        _conditions(_OF_DRAFTS, of_drafts, values),
        values,
    )


def _conditions(said: Mapping[str, str], names: list[str], values: Mapping[str, Any]) -> str | None:
    if any(values[name] is None for name in names):
        return None
    return "".join(f" AND {said[name]}" for name in names)
