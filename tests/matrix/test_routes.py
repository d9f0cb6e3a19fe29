"""No draft through any route: each route, for each person, about an item in each state."""

from dataclasses import replace

import pytest
import requests

from tests.matrix.route_rows import Request
from tests.matrix.routes import COMMON_ROUTES, ITEM_ROUTES, NOBODY
from tests.matrix.world import (
    ANONYMOUS,
    PEOPLE,
    ROLE_OF,
    STATES,
    World,
    may_see,
    may_see_shelves,
)
from webapp.app import create_app
from webapp.kit.roles import RoleName
from webapp.settings import Settings

CELLS = [
    (route, state)
    for route, row in ITEM_ROUTES.items()
    for state in STATES
    if row.states is None or state in row.states
]
# What somebody may send to find out whether, or in which revision, an item is there.
GUESSES: list[dict[str, str]] = [
    {}, {"If_Match": '"1"'}, {"If_None_Match": '"1"'},
    {"If_Match": "*", "Idempotency_Key": "a-key-to-guess-with"},
]  # fmt: skip


def test_every_route_has_its_row() -> None:
    app = create_app(Settings(_env_file=None, environment="development"))
    routed = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routed == set(ITEM_ROUTES) | set(COMMON_ROUTES)
    assert not set(ITEM_ROUTES) & set(COMMON_ROUTES)


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(("route", "state"), CELLS)
def test_a_route_about_an_item(world: World, route: str, state: str, who: str) -> None:
    row, item = ITEM_ROUTES[route], world.items[state]
    for method in methods_of(route):
        answer = ask(world, who, method, row.request(item))
        refusal = refusal_of(who, row.role)
        if refusal is not None:
            assert answer.status_code == refusal
        elif not may_see(who):
            assert answer.status_code == 404
        else:
            assert answer.status_code in row.answers
        if may_see(who) and refusal is None:
            assert method == "HEAD" or not row.shows or item.word in said(answer)
        else:
            assert words_in(world, answer) == []
            assert shelves_in(world, answer) == []


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("route", COMMON_ROUTES)
def test_a_route_about_no_single_item(world: World, route: str, who: str) -> None:
    row = COMMON_ROUTES[route]
    refusal = refusal_of(who, row.role)
    heard: set[str] = set()
    for method in methods_of(route):
        for request in row.requests(world):
            answer = ask(world, who, method, request)
            expected = row.answers if refusal is None else {refusal}
            assert answer.status_code in expected, (request.path, answer.text[:500])
            heard |= set(words_in(world, answer, asked=request.path))
            if not may_see_shelves(who):
                assert shelves_in(world, answer, asked=request.path) == [], request.path
    if row.shows and may_see(who):
        assert heard == set(STATES)
    elif not may_see(who) or row.role is None:
        assert heard == set()


def methods_of(route: str) -> list[str]:
    """Return the method of a route, and HEAD where it has one."""
    method = route.partition(" ")[0]
    return ["GET", "HEAD"] if method == "GET" else [method]


def ask(world: World, who: str, method: str, request: Request) -> requests.Response:
    """Send a request as somebody."""
    return world.call(who, method, request.path, request.json, **dict(request.headers))


def refusal_of(who: str, role: RoleName | None) -> int | None:
    """Return the status with which a route turns somebody away who has not the role."""
    if role is None:
        return None
    if who == ANONYMOUS:
        return 401
    return None if ROLE_OF[who].includes(role) else 403


def said(answer: requests.Response) -> str:
    """Return everything that an answer says: its headers and its body."""
    return f"{dict(answer.headers)}\n{answer.text}"


def shelves_in(world: World, answer: requests.Response, *, asked: str = "") -> list[str]:
    """Return the states whose items' categories an answer names, and what asked did not."""
    return [
        item.state
        for item in world.items.values()
        if item.shelf_word and item.shelf_word in said(answer) and item.shelf_word not in asked
    ]


def words_in(world: World, answer: requests.Response, *, asked: str = "") -> list[str]:
    """Return the states whose items' words or slugs are in an answer, and were not in what asked.

    The document of an error may give back what the asker has said, but nothing more.
    """
    text = said(answer)
    return [
        state
        for state, item in world.items.items()
        if any(word in text and word not in asked for word in (item.word, item.slug))
    ]


@pytest.mark.parametrize("who", [who for who in PEOPLE if not may_see(who)])
@pytest.mark.parametrize(("route", "state"), CELLS)
def test_a_hidden_item_answers_as_one_that_does_not_exist(
    world: World, route: str, state: str, who: str
) -> None:
    row, item = ITEM_ROUTES[route], world.items[state]
    nothing = replace(item, id=NOBODY, schedule_id=NOBODY)
    for guess in GUESSES:
        for method in methods_of(route):
            answers = [
                world.call(who, method, asked.path, asked.json, **guess)
                for asked in (row.request(item), row.request(nothing))
            ]
            hidden, missing = (bare(answer) for answer in answers)
            assert hidden == missing, guess


def bare(answer: requests.Response) -> tuple[int, object, object]:
    """Return what an answer says, without what differs from one request to the next."""
    differing = {"date", "x-request-id", "content-length"}
    headers = {n.lower(): v for n, v in answer.headers.items() if n.lower() not in differing}
    document = answer.json() if answer.text else None
    if isinstance(document, dict):
        document = {key: document[key] for key in document if key not in {"instance", "request_id"}}
    return answer.status_code, headers, document
