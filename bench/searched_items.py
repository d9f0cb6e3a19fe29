"""Public items to search, by set-based statements: a few hundred rendered texts, in many items."""

import random

from sqlalchemy import Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from bench.articles import analyze, make_account
from webapp.kit.rendering.markdown import render
from webapp.kit.roles import RoleName
from webapp.kit.search.documents import SearchedText, entries_of

EVERYWHERE = "everywhere"
"""A word that every item holds."""
_HALVES, _WORDS_A_HALF, _VOCABULARY = 600, 150, 20_000
_AT_ONCE = 10_000

_KEEP_HALVES = text(
    """
    CREATE TEMPORARY TABLE bench_halves AS
    SELECT number::int - 1 AS number, body, html, words::tsvector AS words
    FROM unnest(:bodies, :htmls, :words) WITH ORDINALITY AS given (body, html, words, number)
    """
).bindparams(*(bindparam(name, type_=ARRAY(Text)) for name in ("bodies", "htmls", "words")))

# Two rendered halves make a text, each two of them once, and PostgreSQL puts their words together
# in the order of the text. Each item has a word of its own as well.
_FILL = text(
    """
    WITH given AS MATERIALIZED (
        SELECT item, 'Item ' || item AS title, 'item-' || item AS slug,
               one.body || ' ' || other.body AS body, one.html || other.html AS html,
               one.words || other.words || array_to_tsvector(ARRAY['own' || item]) AS words
        FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS item
        JOIN bench_halves AS one ON one.number = item % :halves
        JOIN bench_halves AS other ON other.number = (item + item / :halves * 7 + 1) % :halves
    ), items AS (
        INSERT INTO content (author_id, title, slug, body, metadata, status, version,
                             publish_sequence, published_at)
        SELECT :author_id, title, slug, body, '{}', 'published', 1, 1, clock_timestamp()
        FROM given ORDER BY item RETURNING id, slug
    ), saved AS (
        INSERT INTO content_versions (content_id, number, author_id, title, slug, body, metadata,
                                      digest, sealed_at)
        SELECT id, 1, :author_id, title, slug, body, '{}', sha256(body::bytea), clock_timestamp()
        FROM items JOIN given USING (slug) ORDER BY id RETURNING id, content_id, slug
    ), rendered AS (
        INSERT INTO renderings (version_id, html, excerpt, search, words, language)
        SELECT saved.id, html, left(body, 200), '', words, 'simple'
        FROM saved JOIN given USING (slug) ORDER BY saved.id
    )
    INSERT INTO publications (content_id, version_id, slug, author_id, document, summary, etag,
                              published_at)
    SELECT content_id, saved.id, slug, :author_id, json_build_object('html', html), '{}',
           '"' || content_id || '"', clock_timestamp()
    FROM saved JOIN given USING (slug) ORDER BY content_id
    """
)
_INDEX = """
    CREATE INDEX ix_renderings_words ON renderings USING gin (words)
    WITH (gin_pending_list_limit = 256)
"""


def fill_public(session: Session, number: int) -> None:
    """Make public items of some 300 words, which are as frequent as in prose."""
    author_id = make_account(session, "bench-author", RoleName.EDITOR)
    halves = _make_halves(session, number)
    # An index that is made at the end takes a part of the time.
    session.execute(text("DROP INDEX ix_renderings_words"))
    for first in range(0, number, _AT_ONCE):
        parameters = {"author_id": author_id, "halves": halves, "first": first}
        session.execute(_FILL, {**parameters, "last": min(first + _AT_ONCE, number) - 1})
    session.commit()
    session.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
    session.execute(text("SET LOCAL statement_timeout = 0"))
    session.execute(text(_INDEX))
    session.commit()
    analyze(session)


def word(rank: int) -> str:
    """Return the word of the vocabulary with this rank, of which 0 is the most frequent."""
    return f"{'aeiou'[rank % 5]}{'bdfgklmnprst'[rank % 12]}{rank:x}n"


def _make_halves(session: Session, number: int) -> int:
    """Render the halves of all texts into a table of the session; returns how many there are."""
    chance = random.Random(number)
    bodies = [_half(chance) for _ in range(min(_HALVES, number))]
    words = [entries_of(SearchedText("", (), "", body)).as_tsvector() for body in bodies]
    htmls = [render(body) for body in bodies]
    session.execute(_KEEP_HALVES, {"bodies": bodies, "htmls": htmls, "words": words})
    return len(bodies)


def _half(chance: random.Random) -> str:
    ranks = (int(_VOCABULARY * chance.random() ** 4) for _ in range(_WORDS_A_HALF))
    return " ".join([EVERYWHERE, *map(word, ranks)])
