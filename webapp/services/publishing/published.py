"""What the public reads: one indexed statement, and stored bytes passed through.

These functions take a plain psycopg connection in autocommit, because the mapping and the
transaction of an ORM session would cost more than the read itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from psycopg import Connection
from sqlalchemy import Dialect, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from webapp.kit.cursors import encode_cursor, split_page
from webapp.kit.search.queries import SearchQuery
from webapp.kit.text_origins import TextOrigin
from webapp.services.content.stems import Find, find_stems

Reader = Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class PublicDocument:
    """A finished answer: JSON bytes and the ETag that goes with them."""

    body: bytes
    etag: str


# By the column that holds its words: a rendering of a release before the one that brought `words`
# has none, and is found as ever until it is filled.
MATCHING_PUBLIC = {
    "words": "renderings.words @@ CAST(:query AS tsquery)",
    "search": "renderings.words IS NULL"
    " AND renderings.search @@ websearch_to_tsquery('simple', :typed)",
}


@dataclass(frozen=True)
class PublicFilter:
    """Which public items a list holds; None does not filter.

    With `subtree` the categories below `category` count as well.
    """

    tag: str | None = None
    category: str | None = None
    author: str | None = None
    q: SearchQuery | None = None
    subtree: bool = False
    origin: TextOrigin | None = None


@dataclass(frozen=True)
class Moved:
    """A public item has another slug now, or its retraction stands under another."""

    slug: str


@dataclass(frozen=True)
class Retracted:
    """What stands in the place of an item that was retracted. A title that is not kept is None."""

    id: int
    slug: str
    title: str | None
    reason: str
    retracted_at: datetime


# The corrections are read beside the document: they come and go with a publication, and so with
# another ETag.
CORRECTIONS = """(
        SELECT json_agg(json_build_object(
            'note', note,
            'corrected_at',
            to_char(corrected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        ) ORDER BY sequence)
        FROM corrections WHERE corrections.content_id = {content_id})"""
_BY_SLUG = f"""
    SELECT document, etag, {CORRECTIONS.format(content_id="publications.content_id")}
    FROM publications WHERE slug = %s
""".encode()  # noqa: S608 - the part is a constant of the code

# What was retracted and then thrown away is gone without a word; in the archive its place is kept.
_FORMER = b"""
    SELECT publications.slug, content.id, retractions.slug, retractions.title, retractions.reason,
           retractions.retracted_at
    FROM slugs
    LEFT JOIN publications ON publications.content_id = slugs.content_id
    LEFT JOIN content ON content.id = slugs.content_id
        AND content.retracted_sequence = content.publish_sequence
        AND (content.status = 'draft' OR content.status = 'trashed'
             AND content.trashed_at IS NULL AND content.archived_at IS NOT NULL)
    LEFT JOIN retractions ON retractions.content_id = content.id
        AND retractions.sequence = content.publish_sequence
    WHERE slugs.slug = %s AND slugs.was_public
"""


def read(reader: Reader, slug: str) -> PublicDocument | None:
    """Return the public item with this slug, or None."""
    row = reader.execute(_BY_SLUG, (slug,)).fetchone()
    if row is None:
        return None
    document, etag, corrections = row
    return PublicDocument(with_corrections(document, corrections), etag)


def with_corrections(document: bytes, corrections: bytes | None) -> bytes:
    """Return a document with the corrections of its item, which lie beside it."""
    return document[:-1] + b', "corrections" : ' + (corrections or b"[]") + b"}"


def find_former(reader: Reader, slug: str) -> Moved | Retracted | None:
    """Return what became of a public item that has this slug no more, or None."""
    row = reader.execute(_FORMER, (slug,)).fetchone()
    if row is None:
        return None
    public_slug, *retracted = row
    if public_slug is not None:
        return Moved(public_slug)
    if retracted[1] is None:
        return None
    return Retracted(*retracted) if retracted[1] == slug else Moved(retracted[1])


# The category that has a slug comes before one that had it, whatever an older release has made.
_CATEGORY = b"""(
    SELECT coalesce(
        (SELECT id FROM categories WHERE categories.slug = asked.slug),
        (SELECT category_id FROM category_aliases WHERE category_aliases.slug = asked.slug))
    FROM (VALUES (%s::text)) AS asked (slug))"""

_PRESENT_TAG = b"""
    SELECT tags.slug FROM tag_aliases JOIN tags ON tags.id = tag_aliases.tag_id
    WHERE tag_aliases.slug = %s AND tag_aliases.was_public
"""

# The newest of each category are the first of its index, and the newest of all are among them.
_NEWEST_BELOW = b"""
    WITH RECURSIVE below AS (
        SELECT %(category)s AS id
        UNION
        SELECT child.id FROM categories AS child JOIN below ON child.parent_id = below.id
    ), newest AS (
        SELECT of_one.content_id FROM below, LATERAL (
            SELECT content_id, published_at FROM publications
            WHERE category_id = below.id%(filters)s
            ORDER BY published_at DESC, content_id DESC LIMIT %%s
        ) AS of_one
        ORDER BY published_at DESC, content_id DESC LIMIT %%s
    )
    SELECT summary, published_at, content_id FROM publications
    WHERE content_id IN (SELECT content_id FROM newest)
    ORDER BY published_at DESC, content_id DESC
"""

_MATCHING = (
    b"version_id IN (SELECT version_id FROM renderings WHERE words @@ %s::tsquery UNION ALL"
    b" SELECT version_id FROM renderings"
    b" WHERE words IS NULL AND search @@ websearch_to_tsquery('simple', %s))"
)
_NEWEST = b"SELECT summary, published_at, content_id FROM publications"


def list_newest(
    reader: Reader,
    filters: PublicFilter,
    *,
    before: tuple[datetime, int] | None,
    limit: int,
) -> bytes:
    """Return one page of public items, newest first, as the JSON of a page."""
    rows = _read_newest(reader, filters, before, limit + 1)
    if not rows and filters.tag is not None:
        # Only who finds nothing pays for the look at former slugs.
        present = reader.execute(_PRESENT_TAG, (filters.tag,)).fetchone()
        if present is not None:
            rows = _read_newest(reader, replace(filters, tag=present[0]), before, limit + 1)
    return page_of_rows(rows, limit)


def _read_newest(
    reader: Reader, filters: PublicFilter, before: tuple[datetime, int] | None, size: int
) -> Sequence[tuple[Any, ...]]:
    if filters.subtree and filters.category is not None:
        return _read_below(reader, filters, before, size)
    clauses, parameters = _conditions(reader, filters)
    if before is not None:
        clauses.append(b"(published_at, content_id) < (%s, %s)")
        parameters.extend(before)
    where = b" WHERE " + b" AND ".join(clauses) if clauses else b""
    order = b" ORDER BY published_at DESC, content_id DESC LIMIT %s"
    return reader.execute(_NEWEST + where + order, (*parameters, size)).fetchall()


def _read_below(
    reader: Reader, filters: PublicFilter, before: tuple[datetime, int] | None, size: int
) -> Sequence[tuple[Any, ...]]:
    """Return the first rows of what stands in a category and below it."""
    clauses, parameters = _conditions(reader, replace(filters, category=None))
    if before is not None:
        clauses.append(b"(published_at, content_id) < (%s, %s)")
        parameters.extend(before)
    statement = _NEWEST_BELOW % {
        b"category": _CATEGORY,
        b"filters": b"".join(b" AND " + clause for clause in clauses),
    }
    return reader.execute(statement, (filters.category, *parameters, size, size)).fetchall()


def find_by(reader: Reader) -> Find:
    """Return what runs a statement with named parameters, as `:name`, on a reader.

    One with values is planned for them: how often a word is there decides which index serves it.
    """

    def find(statement: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
        prepare = False if parameters else None
        return reader.execute(compiled(statement), parameters, prepare=prepare).fetchall()

    return find


def tsquery_of(reader: Reader, query: SearchQuery) -> str:
    """Return what finds the words of a query, and their stems in each language of the items."""
    return query.as_tsquery(find_stems(find_by(reader), query.plain_words, None))


_DIALECT: Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=256)
def compiled(statement: str) -> bytes:
    """Return a statement with parameters such as `:name` as the driver takes it."""
    return str(text(statement).compile(dialect=_DIALECT)).encode()


def _conditions(reader: Reader, filters: PublicFilter) -> tuple[list[bytes], list[Any]]:
    offered = (
        (b"tags @> ARRAY[%s]::text[]", filters.tag),
        (b"category_id = " + _CATEGORY, filters.category),
        (b"origin = %s", None if filters.origin is None else filters.origin.value),
        (b"author_id = (SELECT id FROM users WHERE login = %s)", filters.author),
    )
    chosen = [(clause, value) for clause, value in offered if value is not None]
    clauses, values = [clause for clause, _ in chosen], [value for _, value in chosen]
    if filters.q is not None:
        clauses.append(_MATCHING)
        values += [tsquery_of(reader, filters.q), filters.q.typed]
    return clauses, values


def page_of_rows(rows: Sequence[tuple[Any, ...]], limit: int) -> bytes:
    """Return the JSON of a page, of up to `limit + 1` rows of summary, public time and id."""
    page, last = split_page(rows, limit)
    following = b"null" if last is None else b'"' + encode_cursor(last[1], last[2]).encode() + b'"'
    items = b",".join(row[0] for row in page)
    return b'{"items":[' + items + b'],"next":' + following + b"}"
