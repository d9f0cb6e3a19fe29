"""No draft through the future: forecasts are for editors, and show what is planned and no more."""

from collections.abc import Iterator

import pytest

from tests.matrix.test_routes import said, shelves_in, words_in
from tests.matrix.world import (
    ANONYMOUS,
    EDITOR,
    OWNER,
    PEOPLE,
    READER,
    ROLE_OF,
    World,
)
from webapp.kit.permissions import Scope
from webapp.kit.roles import RoleName

FAR = "at=2099-01-01T00:00:00Z"
FORESEES = {who for who in ROLE_OF if ROLE_OF[who].includes(RoleName.EDITOR)}


def ahead(world: World, at: str = FAR) -> Iterator[str]:
    """Yield the addresses of what will be public, in general and about each item."""
    yield f"/published?limit=100&{at}"
    yield f"/published?author=owner&limit=100&{at}"
    for item in world.items.values():
        yield f"/search?q={item.word}&{at}"
        yield f"/search?q=title&tag=tag-{item.word}&{at}"
        yield f"/published/{item.slug}?{at}"
        yield f"/published?q={item.word}&{at}"
        yield f"/published?tag=tag-{item.word}&{at}"
        yield f"/published?category={item.shelf_word or 'none'}&subtree=true&{at}"


@pytest.mark.parametrize("who", [who for who in PEOPLE if who not in FORESEES])
def test_nobody_else_sees_ahead_whatever_is_planned(world: World, who: str) -> None:
    refusals = set()
    for path in ahead(world):
        for method in ("GET", "HEAD"):
            answer = world.call(who, method, path)
            assert answer.status_code == (401 if who == ANONYMOUS else 403), path
            assert (
                words_in(world, answer, asked=path) == shelves_in(world, answer, asked=path) == []
            )
            assert "Imprint-Forecast-For" not in answer.headers
        refusals.add(world.call(who, "GET", path).json()["detail"])
    assert len(refusals) == 1


@pytest.mark.parametrize("who", sorted(FORESEES))
def test_who_sees_ahead_sees_what_is_planned_and_no_other_draft(world: World, who: str) -> None:
    heard: set[str] = set()
    for path in ahead(world):
        answer = world.call(who, "GET", path)
        assert answer.status_code in {200, 404}, path
        heard |= set(words_in(world, answer, asked=path))
    assert heard == {"scheduled"}
    for item in world.items.values():
        answer = world.call(who, "GET", f"/content/{item.id}/forecast?{FAR}")
        assert answer.ok == (item.state in {"scheduled", "public with newer draft"}), item.state
        assert (item.word in said(answer)) == (item.state == "scheduled")


def test_before_its_moment_what_is_planned_is_in_no_forecast(world: World) -> None:
    with world.sessions() as session:
        now = session.connection().exec_driver_sql("SELECT now()").scalar_one()
    soon = f"at={now.isoformat().replace('+00:00', 'Z')}"
    for path in ahead(world, soon):
        assert words_in(world, world.call(EDITOR, "GET", path), asked=path) == []


def test_what_was_foreseen_is_in_no_answer_to_the_public(world: World) -> None:
    for path in ahead(world):
        assert world.call(EDITOR, "GET", path).status_code in {200, 404}
        plain = path.replace(FAR, "").rstrip("?&")
        for who in (ANONYMOUS, READER, OWNER):
            answer = world.call(who, "GET", plain)
            assert words_in(world, answer, asked=plain) == [], plain


@pytest.mark.parametrize("scope", Scope)
def test_a_key_sees_ahead_where_it_sees_all_items(world: World, scope: Scope) -> None:
    sees = scope in {Scope.READ, Scope.PROPOSE, Scope.PUBLISH}
    for who, may in ((EDITOR, sees), (OWNER, False)):
        answer = world.call(world.key_of(who, scope), "GET", f"/published?{FAR}")
        assert answer.status_code == (200 if may else 403), (who, scope)
