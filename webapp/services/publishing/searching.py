"""Full-text search: what of all that the caller may see says what they look for, best first.

Nothing is shown from an index. What may be found is decided by the rows of the items and of what is
public, in the statement that looks; a row of an index only says which items to look at.

Ranking costs as much as the documents that are ranked, and a common word is in all of them. So the
newest `RANKED_AT_ONCE` items that hold what is looked for are ranked among themselves; the pages go
on with the same number of older ones once these are shown. Where fewer hold it, all are ranked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.kit.cursors import encode_cursor
from webapp.kit.lifecycle import Standing
from webapp.kit.search.highlights import READ_CHARACTERS, READ_CLOSELY, Highlighter
from webapp.kit.search.queries import SearchQuery
from webapp.models import Content
from webapp.services.accounts.actors import Actor
from webapp.services.content.lifecycle import STANDS
from webapp.services.content.search_words import readable_text
from webapp.services.content.stems import Find, find_stems
from webapp.services.content.visibility import visible_content
from webapp.services.publishing.published import MATCHING_PUBLIC, Reader, find_by
from webapp.services.publishing.suggestions import suggest

RANKED_AT_ONCE = 200
# Characters of HTML, of which a snippet is made; to read a long text whole for it takes far longer.
_NEAR = 1_500
LARGEST = 2**62

Scope = Literal["public", "mine", "all"]
Cursor = tuple[int, int, int, int]
"""Of a page: the newest item of those that are ranked together, the rank and the item behind which
it begins, and how many came before."""
FIRST: Cursor = (LARGEST, LARGEST, LARGEST, 0)


@dataclass(frozen=True)
class SearchFilter:
    """Which of the items that hold what is looked for are wanted; None does not filter.

    The times are those of the publication, or of the last save of a working copy.
    """

    tag: str | None = None
    category: str | None = None
    author: str | None = None
    language: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: Standing | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the values of those that filter, by their names."""
        return {
            name: value
            for name in ("tag", "category", "author", "language", "since", "until")
            if (value := getattr(self, name)) is not None
        }


@dataclass(frozen=True)
class Hit:
    """One item that was found, with its texts as safe HTML; `slug` is of what was found."""

    id: int
    position: int
    is_public: bool
    slug: str
    title: str
    title_html: str
    snippet: str
    status: str
    version: int
    author: str
    language: str
    changed_at: datetime


@dataclass(frozen=True)
class Found:
    """One page of hits, and the cursor of the next one, if there is more.

    Where there is nothing, `did_you_mean` is what would find something, if words are mended.
    """

    hits: list[Hit] = field(default_factory=list)
    next: str | None = None
    did_you_mean: str | None = None


def search_public(
    reader: Reader, query: SearchQuery, filters: SearchFilter, cursor: Cursor, limit: int
) -> Found:
    """Return a page of what is public, on a connection for plain reads."""
    if filters.status not in {None, Standing.PUBLISHED}:
        return Found()
    arms = _public_arms(filters)
    return _search(find_by(reader), query, filters, cursor, limit, arms, visible=None)


def search_visible(
    session: Session,
    actor: Actor,
    scope: Scope,
    query: SearchQuery,
    filters: SearchFilter,
    cursor: Cursor,
    limit: int,
) -> Found:
    """Return a page of the working copies that an actor may see, and for `all` of what is public.

    What is found in both is shown as its working copy.
    """

    def find(statement: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
        return session.execute(text(statement), dict(parameters)).all()

    visible = visible_content(actor)
    if scope == "mine":
        visible = visible.where(Content.author_id == actor.user_id)
    arms = [_draft_arm(filters)]
    if scope == "all" and filters.status in {None, Standing.PUBLISHED}:
        arms += _public_arms(filters)
    literal = visible.with_only_columns(Content.id).compile(
        dialect=session.get_bind().dialect, compile_kwargs={"literal_binds": True}
    )
    return _search(find, query, filters, cursor, limit, arms, visible=str(literal))


# The category that has a slug comes before one that had it.
_CATEGORY = """(
    SELECT coalesce(
        (SELECT id FROM categories WHERE slug = :category),
        (SELECT category_id FROM category_aliases WHERE slug = :category)))"""
# So does a tag. A slug that the public never knew is answered in public as if there were none.
_TAG = """(
    SELECT coalesce(
        (SELECT slug FROM tags WHERE slug = :tag),
        (SELECT tags.slug FROM tag_aliases JOIN tags ON tags.id = tag_id
         WHERE tag_aliases.slug = :tag AND tag_aliases.was_public)))"""
_OF_PUBLIC = {
    "tag": f"publications.tags @> ARRAY[{_TAG}]::text[]",
    "category": f"publications.category_id = {_CATEGORY}",
    "author": "publications.author_id = (SELECT id FROM users WHERE login = :author)",
    "language": "renderings.language = :language",
    "since": "publications.published_at >= :since",
    "until": "publications.published_at < :until",
}
_OF_DRAFTS = {
    "tag": "EXISTS (SELECT FROM content_tags JOIN tags ON tags.id = tag_id"
    " WHERE content_id = content.id AND (tags.slug = :tag"
    " OR tags.id = (SELECT tag_id FROM tag_aliases WHERE slug = :tag)))",
    "category": f"content.category_id = {_CATEGORY}",
    "author": "content.author_id = (SELECT id FROM users WHERE login = :author)",
    "language": "search_documents.language = :language",
    "since": "content.updated_at >= :since",
    "until": "content.updated_at < :until",
}


# Each way of finding is bounded by itself, so that what is put together is small.
_NEWEST_FIRST = " ORDER BY content_id DESC LIMIT :bound + 1"


_PUBLIC_ARM = """
(SELECT publications.content_id, publications.version_id, true AS is_public,
     renderings.{column} AS words
 FROM renderings JOIN publications USING (version_id)
 WHERE {matching} AND publications.content_id <= :newest{wanted}{newest_first})
"""
_DRAFT_ARM = """
(SELECT content.id AS content_id, NULL::bigint AS version_id, false AS is_public,
     search_documents.words
 FROM search_documents JOIN content ON content.id = search_documents.content_id
 JOIN visible ON visible.id = content.id
 WHERE search_documents.words @@ CAST(:query AS tsquery) AND content.id <= :newest
     AND {stands}{wanted}{newest_first})
"""


def _public_arms(filters: SearchFilter) -> list[str]:
    """Return the statements that find what is public: what has its words, and what has not yet."""
    wanted = "".join(f" AND {_OF_PUBLIC[name]}" for name in filters.parameters())
    return [
        _PUBLIC_ARM.format(
            column=column, matching=matching, wanted=wanted, newest_first=_NEWEST_FIRST
        )
        for column, matching in MATCHING_PUBLIC.items()
    ]


def _draft_arm(filters: SearchFilter) -> str:
    wanted = "".join(f" AND {_OF_DRAFTS[name]}" for name in filters.parameters())
    stands = "content.status <> 'trashed'" if filters.status is None else STANDS[filters.status]
    return _DRAFT_ARM.format(stands=stands, wanted=wanted, newest_first=_NEWEST_FIRST)


_RANKED = """
found AS MATERIALIZED (
    SELECT DISTINCT ON (content_id) * FROM ({arms}) AS arms
    ORDER BY content_id DESC, is_public LIMIT :bound + 1
), rest AS (
    SELECT CASE WHEN count(*) > :bound THEN min(content_id) END AS older FROM found
), ranked AS MATERIALIZED (
    SELECT content_id, version_id, is_public,
        (ts_rank(words, CAST(:query AS tsquery), 1) * 1000000)::bigint AS rank
    FROM (SELECT * FROM found ORDER BY content_id DESC LIMIT :bound) AS newest
), page AS (
    SELECT * FROM ranked WHERE (rank, content_id) < (:rank, :behind)
    ORDER BY rank DESC, content_id DESC LIMIT :size
)
"""
_SHOWN_PUBLIC = """
SELECT rest.older, page.rank, page.content_id AS id, page.is_public, publications.slug,
    version.title, left(renderings.html, {read}) AS body, 'html' AS body_format,
    renderings.excerpt, 'published' AS status, version.number AS version, author.display_name,
    renderings.language, publications.published_at AS changed_at
FROM rest LEFT JOIN page ON true
LEFT JOIN publications ON publications.content_id = page.content_id
LEFT JOIN renderings ON renderings.version_id = page.version_id
LEFT JOIN content_versions AS version ON version.id = page.version_id
LEFT JOIN users AS author ON author.id = publications.author_id
ORDER BY page.rank DESC, page.content_id DESC
"""
_SHOWN_ALL = """
SELECT rest.older, page.rank, page.content_id AS id, page.is_public,
    CASE WHEN page.is_public THEN publications.slug ELSE content.slug END AS slug,
    CASE WHEN page.is_public THEN version.title ELSE content.title END AS title,
    CASE WHEN page.is_public THEN left(renderings.html, {read})
        ELSE left(content.body, {read}) END AS body,
    CASE WHEN page.is_public THEN 'html' ELSE content.body_format END AS body_format,
    CASE WHEN page.is_public THEN renderings.excerpt ELSE content.excerpt END AS excerpt,
    CASE WHEN page.is_public THEN 'published' {stands} END AS status,
    CASE WHEN page.is_public THEN version.number ELSE content.version END AS version,
    author.display_name,
    CASE WHEN page.is_public THEN renderings.language ELSE document.language END AS language,
    CASE WHEN page.is_public THEN publications.published_at ELSE content.updated_at END
        AS changed_at
FROM rest LEFT JOIN page ON true
LEFT JOIN content ON content.id = page.content_id
LEFT JOIN search_documents AS document ON document.content_id = page.content_id
LEFT JOIN publications ON page.is_public AND publications.content_id = page.content_id
LEFT JOIN renderings ON renderings.version_id = page.version_id
LEFT JOIN content_versions AS version ON version.id = page.version_id
LEFT JOIN users AS author ON author.id = coalesce(publications.author_id, content.author_id)
ORDER BY page.rank DESC, page.content_id DESC
""".replace(
    "{stands}",
    " ".join(f"WHEN {condition} THEN '{standing}'" for standing, condition in STANDS.items()),
)


def _search(
    find: Find,
    query: SearchQuery,
    filters: SearchFilter,
    cursor: Cursor,
    limit: int,
    arms: Sequence[str],
    *,
    visible: str | None,
) -> Found:
    stems = find_stems(find, query.plain_words, filters.language)
    newest, rank, behind, before = cursor
    parameters = {
        **filters.parameters(), "query": query.as_tsquery(stems), "typed": query.typed,
        "newest": newest, "rank": rank, "behind": behind, "bound": RANKED_AT_ONCE,
        "size": limit + 1,
    }  # fmt: skip
    seen = "" if visible is None else f"visible AS ({visible}), "
    shown = _SHOWN_PUBLIC if visible is None else _SHOWN_ALL
    ranked = _RANKED.format(arms=" UNION ALL ".join(arms))
    rows = find(f"WITH {seen}{ranked}{shown.format(read=READ_CHARACTERS)}", parameters)
    older = rows[0][0]
    page = [_Row(*row) for row in rows if row[2] is not None]
    highlighter = Highlighter(query, stems)
    hits = [
        _hit(row, highlighter, before + number) for number, row in enumerate(page[:limit], start=1)
    ]
    following = None
    if len(page) > limit:
        last = page[limit - 1]
        following = encode_cursor(newest, last.rank, last.id, before + limit)
    elif older is not None:
        following = encode_cursor(older, LARGEST, LARGEST, before + len(page))
    is_nothing = not hits and cursor == FIRST
    return Found(hits, following, suggest(find, query) if is_nothing else None)


@dataclass(frozen=True)
class _Row:
    older: int | None
    rank: int
    id: int
    is_public: bool
    slug: str
    title: str
    body: str
    body_format: str
    excerpt: str
    status: str
    version: int
    author: str
    language: str | None
    changed_at: datetime


def _hit(row: _Row, highlighter: Highlighter, position: int) -> Hit:
    """Show a row; where the beginning of its text holds nothing of it, its excerpt is shown."""
    is_html, near = row.body_format == "html", row.body
    if is_html:
        near = highlighter.near(row.body, _NEAR)
    said = readable_text(near, row.body_format)
    snippet = highlighter.snippet(said)
    if snippet is None and is_html and near != row.body[:READ_CLOSELY]:
        # What was near may be an address alone, or another word that begins alike.
        said = readable_text(row.body[:READ_CLOSELY], row.body_format)
        snippet = highlighter.snippet(said)
    snippet = snippet or highlighter.snippet(row.excerpt)
    return Hit(
        id=row.id,
        position=position,
        is_public=row.is_public,
        slug=row.slug,
        title=row.title,
        title_html=highlighter.mark(row.title),
        snippet=snippet or highlighter.opening(row.excerpt or said),
        status=row.status,
        version=row.version,
        author=row.author,
        language=row.language or "simple",
        changed_at=row.changed_at,
    )
