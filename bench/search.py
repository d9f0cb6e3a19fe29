"""A search of two words among public items, against the read of one of them by its slug."""

import http.client
import random
import time
from collections.abc import Sequence
from urllib.parse import quote

import orjson

from bench.reads import WEB, granian
from bench.results import Result, percentile
from bench.searched_items import EVERYWHERE, fill_public, word
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, sessions_on
from dev.ports import LOOPBACK

TARGET_RATIO = 5.0
DATABASE = "bench_search"


def measure(bed: Testbed, sizes: Sizes) -> list[Result]:
    """Ask for an item by its slug and for each kind of search in turn, over one connection."""
    number = sizes.searched_items
    bed.say(f"making {number:,} public items to search")
    with bed.database(DATABASE) as url:
        with sessions_on(url)() as session:
            fill_public(session, number)
        with granian(bed, "web", WEB, url) as (_, port):
            return _measure(bed, sizes, port, number)


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
