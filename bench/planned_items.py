"""Public items in numbers, with what is planned for some of them: the ground of forecasts."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.articles import analyze, make_account
from webapp.kit.roles import RoleName
from webapp.services.content import taxonomy
from webapp.services.publishing import documents

CATEGORIES, TAGS = 8, 40
AUTHOR = "bench-author"

_MAKE_TAGS = """
    INSERT INTO tags (slug, name, was_public)
    SELECT 'topic-' || number, 'Topic ' || number, true FROM generate_series(0, :tags - 1) AS number
"""
_MAKE_ITEMS = """
    INSERT INTO content (author_id, category_id, title, slug, body, metadata, status, version,
                         publish_sequence, published_at)
    SELECT :author_id, (CAST(:category_ids AS bigint[]))[1 + number % :categories],
        'Report ' || number || ' from the harbour', 'report-' || number, 'The harbour at night.',
        '{"section": "bench"}', CASE WHEN number <= :public THEN 'published' ELSE 'draft' END,
        1, CAST(number <= :public AS int),
        CASE WHEN number <= :public
            THEN clock_timestamp() - make_interval(mins => (1 + :public - number)::int) END
    FROM generate_series(1, :items) AS number
"""
_CLAIM_SLUGS = """
    INSERT INTO slugs (slug, content_id, was_public)
    SELECT slug, id, status = 'published' FROM content
"""
# Each item has the version that it shows, and a newer one, which may be planned.
_SAVE_VERSIONS = """
    INSERT INTO content_versions (content_id, number, author_id, category_id, title, slug, body,
                                  tags, metadata, digest, sealed_at)
    SELECT id, number, author_id,
        (CAST(:category_ids AS bigint[]))[1 + (id + number) % :categories],
        title || ', ' || number, slug, body,
        ARRAY['topic-' || (id + number) % :tags, 'topic-' || (id * 7 + number) % :tags], metadata,
        sha256(body::bytea), clock_timestamp()
    FROM content, generate_series(1, 2) AS number
"""
_RENDER = """
    INSERT INTO renderings (version_id, html, excerpt, search, words, language)
    SELECT id, '<p>' || repeat(body || ' ', 20) || '</p>', left(body, 200), '',
        to_tsvector('simple', title), 'simple'
    FROM content_versions
"""
_PUBLISH = f"""
    WITH item AS (
        SELECT content.id, version.id AS version_id, content.author_id, content.published_at,
            content.published_at AS updated_at
        FROM content JOIN content_versions AS version ON version.content_id = content.id
        WHERE status = 'published' AND number = 1
    ), documents AS (
        SELECT item.version_id, item.author_id, item.published_at, item.updated_at,
            category.id AS category_id, coalesce(terms.slugs, '{{}}') AS tags, {documents.COLUMNS}
        FROM item {documents.JOINS}
    )
    INSERT INTO publications (content_id, version_id, slug, author_id, category_id, tags, document,
                              summary, etag, published_at, updated_at)
    SELECT id, version_id, slug, author_id, category_id, tags, {documents.DOCUMENT},
        {documents.SUMMARY}, '"' || id || '-1"', published_at, updated_at
    FROM documents
"""
# One action after the other, over a year, each for an item that no other is for.
_PLAN = """
    INSERT INTO schedules (content_id, version_id, action, due_at, pinned_at)
    SELECT chosen.id, CASE WHEN :action = 'publish' THEN version.id END, :action,
        clock_timestamp() + make_interval(days => 1)
            + make_interval(secs => (365 * 86400 * random())::int), clock_timestamp()
    FROM (
        SELECT id FROM content
        WHERE status = :status AND NOT EXISTS (
            SELECT FROM schedules WHERE schedules.content_id = content.id)
        ORDER BY md5(id::text) LIMIT :number
    ) AS chosen
    JOIN content_versions AS version ON version.content_id = chosen.id AND version.number = 2
"""
PLANS = {
    "publications of drafts": ("publish", "draft"),
    "new versions of public items": ("publish", "published"),
    "withdrawals": ("unpublish", "published"),
}


def fill(session: Session, public: int, drafts: int) -> None:
    """Make so many public items, with the documents that publishing makes, and so many drafts."""
    category_ids = [
        taxonomy.ensure_category(session, f"Section {each}") for each in range(CATEGORIES)
    ]
    parameters = {
        "author_id": make_account(session, AUTHOR, RoleName.EDITOR),
        "category_ids": category_ids,
        "categories": CATEGORIES,
        "tags": TAGS,
        "public": public,
        "items": public + drafts,
    }
    session.execute(text("SET LOCAL statement_timeout = 0"))
    for statement in (_MAKE_TAGS, _MAKE_ITEMS, _CLAIM_SLUGS, _SAVE_VERSIONS, _RENDER, _PUBLISH):
        session.execute(text(statement), parameters)
        # Each is planned for what the one before it has made.
        session.execute(text("ANALYZE"))
    analyze(session)


def plan(session: Session, numbers: Mapping[str, int]) -> None:
    """Replace what is planned by so many actions of each kind, each for another item."""
    session.execute(text("SELECT setseed(0.5)"))
    session.execute(text("DELETE FROM schedules"))
    for kind, number in numbers.items():
        action, status = PLANS[kind]
        parameters = {"action": action, "status": status, "number": number}
        session.execute(text(_PLAN), parameters)
    analyze(session)
