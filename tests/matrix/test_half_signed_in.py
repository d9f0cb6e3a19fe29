"""A login between its two steps opens no route but its second step."""

import time

import pytest

from tests.factories import PASSWORD
from tests.matrix.key_routes import SCOPES_OF_ROUTE
from tests.matrix.routes import COMMON_ROUTES, ITEM_ROUTES
from tests.matrix.test_routes import ask, methods_of, words_in
from tests.matrix.world import ANONYMOUS, World
from webapp.kit.one_time_codes import STEP_SECONDS, totp_code
from webapp.kit.roles import RoleName

HALF = "half signed in"


@pytest.fixture(scope="module")
def half(world: World) -> str:
    """The name under which `call` comes with the token of a first step, of an admin."""
    who = "twofold"
    world.arrive(who, RoleName.ADMIN)
    path = "/auth/second-factors/totp"
    secret = world.succeed(who, "POST", path, {"password": PASSWORD}).json()["secret"]
    code = totp_code(secret, int(time.time()) // STEP_SECONDS)
    world.succeed(who, "POST", f"{path}/confirm", {"code": code})
    credentials = {"login": who, "password": PASSWORD}
    begun = world.call(ANONYMOUS, "POST", "/auth/token", credentials)
    assert begun.status_code == 202
    world.tokens[HALF] = begun.json()["second_factor_token"]
    return HALF


@pytest.mark.parametrize("route", SCOPES_OF_ROUTE)
def test_the_token_of_a_first_step_opens_no_route(world: World, half: str, route: str) -> None:
    row = ITEM_ROUTES.get(route)
    requests = (
        [
            row.request(item)
            for item in world.items.values()
            if row.states is None or item.state in row.states
        ]
        if row is not None
        else list(COMMON_ROUTES[route].requests(world))
    )
    assert requests
    for request in requests:
        for method in methods_of(route):
            answer = ask(world, half, method, request)
            assert answer.status_code == 401, (method, request.path)
            assert words_in(world, answer, asked=request.path) == []


@pytest.mark.parametrize("route", sorted(set(COMMON_ROUTES) - set(SCOPES_OF_ROUTE)))
def test_a_public_route_tells_it_what_it_tells_everybody(
    world: World, half: str, route: str
) -> None:
    for request in COMMON_ROUTES[route].requests(world):
        for method in methods_of(route):
            mine, theirs = (ask(world, who, method, request) for who in (half, ANONYMOUS))
            assert mine.status_code == theirs.status_code, request.path
            assert words_in(world, mine, asked=request.path) == []
