"""The list of what will be public, and the plain list: one over the other, asked in turn."""

import http.client
import random
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import quote

import orjson
from sqlalchemy import func, select

from bench.hanging import WITHOUT_LIMITS
from bench.planned_items import AUTHOR, PLANS, fill, plan
from bench.reads import WEB, granian
from bench.results import Result, median
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, sessions_on
from dev.ports import LOOPBACK
from webapp.kit.clock import utc_now
from webapp.kit.tokens import hash_token, new_token
from webapp.models import AccessToken, User

TARGET_RATIO = 3.0
DATABASE = "bench_future"
PLAIN = "/api/v1/published?limit=20"
FILTERS = {"of a category": "&category=section-3", "of a tag": "&tag=topic-7"}


def measure(bed: Testbed, sizes: Sizes) -> list[Result]:
    """Ask for the plain list and for forecasts in turn, on sites with different plans."""
    number, planned = sizes.foreseen_items, sizes.planned_actions
    each = planned // len(PLANS)
    mixes = {
        "a third each": dict.fromkeys(PLANS, each),
        **{f"{kind} alone": {kind: planned} for kind in PLANS},
    }
    bed.say(f"making {number:,} public items with {planned:,} planned actions")
    with bed.database(DATABASE) as url:
        with sessions_on(url)() as session:
            fill(session, number, planned)
            token = _sign_in(url)
        results = []
        for mix, numbers in mixes.items():
            results += _measure(bed, sizes, url, token, mix, numbers)
        return results


def _sign_in(url: str) -> str:
    """Open a session of the account that wrote the items, and return its token."""
    token = new_token()
    with sessions_on(url).begin() as session:
        user_id = session.scalars(select(User.id).where(User.login == AUTHOR)).one()
        session.add(
            AccessToken(
                user_id=user_id,
                token_hash=hash_token(token),
                expires_at=func.now() + timedelta(days=1),
            )
        )
    return token


def _measure(
    bed: Testbed, sizes: Sizes, url: str, token: str, mix: str, numbers: Mapping[str, int]
) -> list[Result]:
    with sessions_on(url)() as session:
        plan(session, numbers)
    moment = quote((utc_now() + timedelta(days=180)).isoformat())
    is_judged = len(numbers) > 1
    paths = {"everything": (PLAIN, f"{PLAIN}&at={moment}")}
    if is_judged:
        paths |= {
            name: (PLAIN + query, f"{PLAIN}{query}&at={moment}") for name, query in FILTERS.items()
        }
    with granian(bed, "web", WEB, url, workers=1, before=WITHOUT_LIMITS) as (_, port):
        taken = _ask_in_turn(port, token, paths, sizes.forecasts)
    bed.say(f"asked {sizes.forecasts} times each: {mix}")
    return [
        Result(
            f"forecast of 20 of {sizes.foreseen_items:,}, {name}; planned: {mix}",
            median(then),
            "ms",
            floor=median(now),
            target=TARGET_RATIO if is_judged and name == "everything" else None,
            target_is_ratio=True,
            note="floor: the plain list, asked in turn with it; medians",
        )
        for name, (now, then) in taken.items()
    ]


def _ask_in_turn(
    port: int, token: str, paths: Mapping[str, Sequence[str]], times: int
) -> dict[str, tuple[list[float], list[float]]]:
    """Return the milliseconds of each kind, plain and ahead, over one connection."""
    chance = random.Random(1)
    taken: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in paths}
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
    # The plain list is asked for as readers do, without a token.
    headers: Sequence[Mapping[str, str]] = ({}, {"Authorization": f"Bearer {token}"})
    for turn in range(-20, times):  # The first warm up connections, plans and caches.
        names = list(paths)
        chance.shuffle(names)
        for name in names:
            for place, path in enumerate(paths[name]):
                milliseconds = _ask(connection, path, headers[place])
                if turn >= 0:
                    taken[name][place].append(milliseconds)
    connection.close()
    return taken


def _ask(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> float:
    began = time.perf_counter()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    took = time.perf_counter() - began
    if answer.status != 200 or not orjson.loads(body)["items"]:
        raise BenchError(f"{path}: {answer.status} {body[:200]!r}")
    return took * 1_000
