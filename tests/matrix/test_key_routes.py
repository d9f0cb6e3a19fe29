"""Each route, for an API key of each scope of each person, about an item in each state."""

import pytest

from tests.matrix.key_routes import SCOPES_OF_ROUTE
from tests.matrix.route_rows import Request
from tests.matrix.routes import COMMON_ROUTES, ITEM_ROUTES
from tests.matrix.test_routes import CELLS, ask, methods_of, refusal_of, said, shelves_in, words_in
from tests.matrix.world import ADMIN, ROLE_OF, World, may_see, may_see_shelves
from webapp.api.auth import MARK, AuthMark
from webapp.app import create_app
from webapp.kit.permissions import Scope
from webapp.settings import Settings

# A key that may not see items is told of them what a key of nobody is: nothing.
SEES_ITEMS = {Scope.READ, Scope.PROPOSE, Scope.PUBLISH}
# What the rows of these routes send with a token of their own is not for a key to ask.
WITH_ANOTHER_TOKEN = {"DELETE /api/v1/auth/token", "DELETE /api/v1/auth/sessions"}


def test_every_route_says_which_scopes_open_it() -> None:
    app = create_app(Settings(_env_file=None, environment="development"))
    asks = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if _mark(app.view_functions[rule.endpoint]).permission is not None
    }
    assert asks == set(SCOPES_OF_ROUTE)
    assert asks <= set(ITEM_ROUTES) | set(COMMON_ROUTES)


def _mark(view: object) -> AuthMark:
    mark: AuthMark = getattr(view, MARK)
    return mark


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize(("route", "state"), CELLS)
def test_a_key_at_a_route_about_an_item(world: World, route: str, state: str, scope: Scope) -> None:
    row, item = ITEM_ROUTES[route], world.items[state]
    for who in ROLE_OF:
        is_open = refusal_of(who, row.role) is None and scope in SCOPES_OF_ROUTE[route]
        for method in methods_of(route):
            answer = ask(world, world.key_of(who, scope), method, row.request(item))
            if not is_open:
                assert answer.status_code == 403, (who, method)
            elif not may_see(who):
                assert answer.status_code == 404, (who, method)
            else:
                assert answer.status_code in row.answers, (who, method)
            if is_open and may_see(who):
                assert method == "HEAD" or not row.shows or item.word in said(answer)
            else:
                assert words_in(world, answer) == []
                assert shelves_in(world, answer) == []


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("route", COMMON_ROUTES)
def test_a_key_at_a_route_about_no_single_item(world: World, route: str, scope: Scope) -> None:
    row = COMMON_ROUTES[route]
    is_for_all = route not in SCOPES_OF_ROUTE or route in WITH_ANOTHER_TOKEN
    for who in ROLE_OF:
        is_open = is_for_all or (
            refusal_of(who, row.role) is None and scope in SCOPES_OF_ROUTE[route]
        )
        for method in methods_of(route):
            for request in row.requests(world):
                answer = ask(world, world.key_of(who, scope), method, request)
                expected = row.answers if is_open else {403}
                assert answer.status_code in expected, (who, request.path, answer.text[:300])
                if not (may_see(who) and is_open and scope in SEES_ITEMS):
                    assert words_in(world, answer, asked=request.path) == [], (who, request.path)
                if not may_see_shelves(who) or scope is Scope.SEND:
                    assert shelves_in(world, answer, asked=request.path) == [], who


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("route", sorted(WITH_ANOTHER_TOKEN))
def test_a_key_ends_no_session(world: World, route: str, scope: Scope) -> None:
    method, _, path = route.partition(" ")
    for who in ROLE_OF:
        request = Request(path.removeprefix("/api/v1"))
        assert ask(world, world.key_of(who, scope), method, request).status_code == 403


@pytest.mark.parametrize("route", SCOPES_OF_ROUTE)
def test_an_unknown_or_broken_key_opens_nothing(world: World, route: str) -> None:
    key = world.tokens[world.key_of(ADMIN, Scope.READ)]
    row = ITEM_ROUTES.get(route)
    for text in (key[:-1], key + "x", key.swapcase(), f"imprint_{'0' * 49}"):
        requests = (
            [
                row.request(item)
                for item in world.items.values()
                if row.states is None or item.state in row.states
            ]
            if row is not None
            else COMMON_ROUTES[route].requests(world)
        )
        for request in requests:
            method = route.partition(" ")[0]
            headers = {**dict(request.headers), "Authorization": f"Bearer {text}"}
            answer = world.call(ADMIN, method, request.path, request.json, **headers)
            assert answer.status_code == 401
            assert words_in(world, answer, asked=request.path) == []
