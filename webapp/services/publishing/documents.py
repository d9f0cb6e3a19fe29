"""What is in a public document, written once for the publishing and for what follows names.

`COLUMNS` wants the rows that `JOINS` adds to one called `item`, with the columns `id`,
`version_id`, `author_id`, `published_at` and `updated_at`. `SUMMARY` and `DOCUMENT` want those
columns in a row called `documents`.
"""

from collections.abc import Sequence

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from webapp.models.arrays import IdArray

# The offset holds the look-up of the rendering to one of its key for each item. For a batch of five
# hundred the planner would read the whole table and hash it, up to some ten thousand rows.
JOINS = """
JOIN content_versions AS version
    ON version.id = item.version_id AND version.content_id = item.id
CROSS JOIN LATERAL (
    SELECT excerpt, html FROM renderings WHERE renderings.version_id = item.version_id OFFSET 0
) AS rendering
JOIN users AS author ON author.id = item.author_id
LEFT JOIN categories AS category ON category.id = version.category_id
CROSS JOIN LATERAL (
    SELECT array_agg(tags.id) AS ids, array_agg(tags.slug ORDER BY tags.slug) AS slugs,
        json_agg(json_build_object('id', tags.id, 'slug', tags.slug, 'name', tags.name)
                 ORDER BY tags.slug) AS named
    FROM tags WHERE tags.id IN (
        SELECT used.id FROM tags AS used WHERE used.slug = ANY (version.tags)
        UNION ALL SELECT tag_id FROM tag_aliases WHERE tag_aliases.slug = ANY (version.tags))
) AS terms
"""

COLUMNS = """
item.id,
version.slug,
version.title,
version.metadata,
rendering.excerpt,
rendering.html,
json_build_object('id', author.id, 'name', author.display_name) AS author,
CASE WHEN category.id IS NOT NULL THEN json_build_object(
    'id', category.id, 'slug', category.slug, 'name', category.name) END AS category,
coalesce(terms.named, '[]'::json) AS terms,
to_char(item.published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS published,
CASE WHEN version.origin IS NOT NULL THEN json_build_object(
    'kind', version.origin,
    'reviewed', EXISTS (
        SELECT FROM reviews
        WHERE reviews.version_id = version.id AND reviews.state = 'approved')) END AS origin,
to_char(item.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated
"""

_FIELDS = """
    'id', documents.id,
    'slug', documents.slug,
    'title', documents.title,
    'excerpt', documents.excerpt,
    'author', documents.author,
    'category', documents.category,
    'tags', documents.terms,
    'published_at', documents.published,
    'updated_at', documents.updated,
    'metadata', documents.metadata
"""
# A document of which nobody has said who wrote it is as it was before anybody could.
SUMMARY = f"""CASE WHEN documents.origin IS NULL
    THEN json_build_object({_FIELDS})
    ELSE json_build_object({_FIELDS}, 'origin', documents.origin) END"""
DOCUMENT = f"""CASE WHEN documents.origin IS NULL
    THEN json_build_object({_FIELDS}, 'html', documents.html)
    ELSE json_build_object({_FIELDS}, 'origin', documents.origin, 'html', documents.html) END"""

# A change of a name waits until those who have read the old one have committed, and is then sure to
# find their publications; whoever comes later waits for the change, and reads the new name.
_HOLD_NAMES = text(
    """
    WITH authors AS MATERIALIZED (
        SELECT id FROM users
        WHERE id IN (SELECT author_id FROM content WHERE id = ANY (:content_ids))
        ORDER BY id FOR SHARE
    ), shelves AS MATERIALIZED (
        SELECT id FROM categories
        WHERE id IN (SELECT category_id FROM content_versions WHERE id = ANY (:version_ids))
        ORDER BY id FOR SHARE
    ), words AS MATERIALIZED (
        SELECT id FROM tags
        WHERE id IN (
            WITH spelt AS (
                SELECT unnest(tags) AS slug FROM content_versions WHERE id = ANY (:version_ids))
            SELECT id FROM tags JOIN spelt USING (slug)
            UNION ALL SELECT tag_id FROM tag_aliases JOIN spelt USING (slug))
        ORDER BY id FOR SHARE
    )
    SELECT (SELECT count(*) FROM authors), (SELECT count(*) FROM shelves),
        (SELECT count(*) FROM words)
    """
).bindparams(
    bindparam("content_ids", type_=IdArray()),
    bindparam("version_ids", type_=IdArray()),
)


def hold_names(session: Session, content_ids: Sequence[int], version_ids: Sequence[int]) -> None:
    """Keep the names that go into documents from changing until the transaction ends.

    The items are locked by the caller.
    """
    parameters = {"content_ids": list(content_ids), "version_ids": list(version_ids)}
    session.execute(_HOLD_NAMES, parameters)
