"""A search of two words among public items, against the read of one of them by its slug."""

import http.client
import random
import time
from collections.abc import Sequence
from urllib.parse import quote

import orjson
from sqlalchemy import BigInteger, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from bench.articles import analyze, make_account
from bench.reads import WEB, granian
from bench.results import Result, percentile
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, sessions_on
from dev.ports import LOOPBACK
from webapp.kit.roles import RoleName
from webapp.kit.search.documents import SearchedText, entries_of

TARGET_RATIO = 5.0
DATABASE = "bench_search"
_TEXTS, _WORDS_A_TEXT, _VOCABULARY = 2_000, 300, 20_000
_AT_ONCE = 5_000
EVERYWHERE = "everywhere"
"""A word that every item holds."""

# A text is written once and stands in many items, each of which has a word of its own.
_FILL = text(
    """
    WITH given AS (
        SELECT * FROM unnest(:numbers, :bodies, :words) AS given (number, body, words)
    ), items AS (
        INSERT INTO content (author_id, title, slug, body, metadata, status, version,
                             publish_sequence, published_at)
        SELECT :author_id, 'Item ' || number, 'item-' || number, body, '{}', 'published', 1, 1,
               clock_timestamp()
        FROM given RETURNING id, slug
    ), named AS (
        SELECT items.id, given.* FROM items JOIN given ON slug = 'item-' || number
    ), saved AS (
        INSERT INTO content_versions (content_id, number, author_id, title, slug, body, metadata,
                                      digest, sealed_at)
        SELECT id, 1, :author_id, 'Item ' || number, 'item-' || number, body, '{}',
               sha256(body::bytea), clock_timestamp()
        FROM named RETURNING id, content_id
    ), rendered AS (
        INSERT INTO renderings (version_id, html, excerpt, search, words, language)
        SELECT saved.id, '<p>' || body || '</p>', left(body, 200), '', words::tsvector, 'simple'
        FROM saved JOIN named ON named.id = saved.content_id
    )
    INSERT INTO publications (content_id, version_id, slug, author_id, document, summary, etag,
                              published_at)
    SELECT content_id, saved.id, 'item-' || number, :author_id,
           json_build_object('html', body), '{}', '"' || content_id || '"', clock_timestamp()
    FROM saved JOIN named ON named.id = saved.content_id
    """
).bindparams(
    bindparam("numbers", type_=ARRAY(BigInteger)),
    bindparam("bodies", type_=ARRAY(Text)),
    bindparam("words", type_=ARRAY(Text)),
)


def measure(bed: Testbed, sizes: Sizes) -> list[Result]:
    """Ask for an item by its slug and for each kind of search in turn, over one connection."""
    number = sizes.searched_items
    bed.say(f"making {number:,} public items to search")
    with bed.database(DATABASE) as url:
        with sessions_on(url)() as session:
            fill_public(session, number)
        with granian(bed, "web", WEB, url) as (_, port):
            return _measure(bed, sizes, port, number)


def fill_public(session: Session, number: int) -> None:
    """Make public items of some 300 words, which are as frequent as in prose."""
    chance = random.Random(number)
    author_id = make_account(session, "bench-author", RoleName.EDITOR)
    texts = [_text(chance) for _ in range(min(_TEXTS, number))]
    words = [entries_of(SearchedText("", (), "", body)).as_tsvector() for body in texts]
    # An index that is made at the end takes a part of the time.
    session.execute(text("DROP INDEX ix_renderings_words"))
    for start in range(0, number, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, number))
        chosen = [number % len(texts) for number in numbers]
        parameters = {
            "author_id": author_id,
            "numbers": list(numbers),
            "bodies": [texts[which] for which in chosen],
            "words": [
                f"{words[which]} 'own{each}':1A"
                for each, which in zip(numbers, chosen, strict=True)
            ],
        }
        session.execute(_FILL, parameters)
        session.commit()
    session.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
    session.execute(text("SET LOCAL statement_timeout = 0"))
    session.execute(
        text(
            "CREATE INDEX ix_renderings_words ON renderings USING gin (words)"
            " WITH (gin_pending_list_limit = 256)"
        )
    )
    session.commit()
    analyze(session)


def word(rank: int) -> str:
    """Return the word of the vocabulary with this rank, of which 0 is the most frequent."""
    return f"{'aeiou'[rank % 5]}{'bdfgklmnprst'[rank % 12]}{rank:x}n"


def _text(chance: random.Random) -> str:
    ranks = (int(_VOCABULARY * chance.random() ** 4) for _ in range(_WORDS_A_TEXT))
    return " ".join([EVERYWHERE, *map(word, ranks)])


def _measure(bed: Testbed, sizes: Sizes, port: int, number: int) -> list[Result]:
    chance = random.Random(1)
    asked = sizes.searches

    def queries(least: int, most: int) -> list[str]:
        return [f"{word(chance.randrange(least, most))} {word(chance.randrange(least, most))}"
                for _ in range(asked)]  # fmt: skip

    kinds = {
        "two words": queries(50, 2_000),
        "two common words": queries(0, 20),
        "a word that all have": [EVERYWHERE] * asked,
        "a word that one has": [f"own{chance.randrange(number)}" for _ in range(asked)],
        "the beginning of one letter": ["a*"] * asked,
        "a phrase": [f'"{pair}"' for pair in queries(0, 200)],
    }
    slugs = [f"/api/v1/published/item-{chance.randrange(number)}" for _ in range(asked)]
    paths = {kind: [f"/api/v1/search?q={quote(q)}" for q in qs] for kind, qs in kinds.items()}
    taken: dict[str, list[float]] = {kind: [] for kind in (*paths, "slug")}
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
    for turn in range(-3, asked):  # The first few warm up connections and caches.
        for kind, of_kind in {"slug": slugs, **paths}.items():
            seconds = _ask(connection, of_kind[turn % asked])
            if turn >= 0:
                taken[kind].append(seconds * 1_000)
    connection.close()
    bed.say(f"asked {asked} times each")
    floor = percentile(taken["slug"], 95)
    return [_result(kind, taken[kind], floor, number) for kind in paths]


def _result(kind: str, taken: Sequence[float], floor: float, number: int) -> Result:
    is_judged = kind == "two words"
    return Result(
        f"search of {kind} in {number:,} items, p95",
        percentile(taken, 95),
        "ms",
        floor=floor,
        target=TARGET_RATIO if is_judged else None,
        target_is_ratio=True,
        note=f"floor: the read of one item by its slug, p95; median {percentile(taken, 50):.1f} ms",
    )


def _ask(connection: http.client.HTTPConnection, path: str) -> float:
    began = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    took = time.perf_counter() - began
    if answer.status != 200 or not orjson.loads(body):
        raise BenchError(f"{path}: {answer.status} {body[:200]!r}")
    return took
