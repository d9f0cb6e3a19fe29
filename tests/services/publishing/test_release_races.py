"""Promises of releases that meet each other, and decisions by hand, at the same moment."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor, make_content
from webapp.models import Content, Job, Publication, Release
from webapp.services.accounts.actors import Actor
from webapp.services.errors import ServiceError
from webapp.services.publishing import (
    going_live,
    publishing,
    release_entries,
    release_preparation,
    release_undo,
    releases,
)
from webapp.services.publishing.release_entries import EntryWish
from webapp.services.publishing.releases import ReleasePlan

ITEMS = 12
Sessions = sessionmaker[Session]


@pytest.fixture
def actor(sessions: Sessions) -> Actor:
    """Somebody who may do everything."""
    with sessions.begin() as session:
        return make_actor(session)


@pytest.fixture
def items(sessions: Sessions, actor: Actor) -> list[int]:
    """The ids of some items."""
    with sessions.begin() as session:
        return [make_content(session, actor) for _ in range(ITEMS)]


def pressed(sessions: Sessions, actor: Actor, content_ids: list[int]) -> tuple[int, int]:
    """Put a release together, prepare it and press; returns its id and revision."""
    with sessions.begin() as session:
        release = releases.create(session, actor, ReleasePlan("Spring"))
        wishes = [EntryWish(content_id, "publish") for content_id in content_ids]
        release_entries.add(session, actor, release.id, None, wishes)
        batch = release_preparation.read_batch(session, release.id)
        release_preparation.note(session, actor, batch, release_preparation.render(batch))
        releases.schedule(session, actor, release.id, None, None)
        return release.id, release.revision


def go_live(sessions: Sessions, release_id: int, revision: int) -> str:
    """Let a release go live, and say what became of it."""
    with sessions.begin() as session:
        outcome = going_live.go_live(session, release_id, revision, missed_after_seconds=3600)
        return "nothing" if outcome is None else outcome.state


def each(*acts: Callable[[], object]) -> list[str]:
    """Do several things at once, and return what came of them."""

    def act(turn: int) -> str:
        try:
            return str(acts[turn]() or "done")
        except ServiceError as error:
            return type(error).__name__

    return at_once(act, len(acts))


def sequences(sessions: Sessions) -> set[int]:
    """Return how often the items have gone public."""
    with sessions() as session:
        return set(session.scalars(select(Content.publish_sequence)))


def public(sessions: Sessions) -> int:
    """Return how many items are public."""
    with sessions() as session:
        return len(session.scalars(select(Publication.content_id)).all())


def test_two_workers_at_one_release_let_it_go_live_once(
    sessions: Sessions, actor: Actor, items: list[int]
) -> None:
    release = pressed(sessions, actor, items)
    assert each(*[lambda: go_live(sessions, *release)] * 3) == ["live", "nothing", "nothing"]
    assert sequences(sessions) == {1}


def test_two_who_press_at_once_write_one_duty_that_counts(
    sessions: Sessions, actor: Actor, items: list[int]
) -> None:
    release_id, revision = pressed(sessions, actor, items)

    def press() -> None:
        with sessions.begin() as session:
            releases.schedule(session, actor, release_id, {revision}, None)

    assert each(press, press) == ["StaleRevisionError", "done"]
    with sessions() as session:
        written = session.scalars(select(Job.payload).where(Job.kind == "release.publish")).all()
    outcomes = [go_live(sessions, one["release_id"], one["revision"]) for one in written]
    assert sorted(outcomes) == sorted(["live", *["nothing"] * (len(written) - 1)])
    assert sequences(sessions) == {1}


@pytest.mark.parametrize("_turn", range(5))
def test_it_goes_live_or_is_called_off(
    sessions: Sessions, actor: Actor, items: list[int], _turn: int
) -> None:
    release_id, revision = pressed(sessions, actor, items)

    def call_off() -> None:
        with sessions.begin() as session:
            releases.cancel(session, actor, release_id, None)

    outcomes = each(lambda: go_live(sessions, release_id, revision), call_off)
    assert outcomes in (["ConflictError", "live"], ["done", "nothing"])
    assert public(sessions) == (ITEMS if "live" in outcomes else 0)


@pytest.mark.parametrize("_turn", range(5))
def test_what_is_added_meanwhile_is_in_it_or_refused(
    sessions: Sessions, actor: Actor, items: list[int], _turn: int
) -> None:
    release_id, revision = pressed(sessions, actor, items[:-1])

    def add() -> None:
        with sessions.begin() as session:
            wish = [EntryWish(items[-1], "publish")]
            release_entries.add(session, actor, release_id, None, wish)

    outcomes = each(lambda: go_live(sessions, release_id, revision), add)
    # Where it was added first, another duty does all of it.
    assert outcomes in (["ConflictError", "live"], ["done", "nothing"])
    assert public(sessions) == (ITEMS - 1 if "live" in outcomes else 0)


@pytest.mark.parametrize("_turn", range(5))
def test_a_publication_by_hand_at_the_same_time_comes_before_or_after(
    sessions: Sessions, actor: Actor, items: list[int], _turn: int
) -> None:
    release = pressed(sessions, actor, items)

    def by_hand() -> None:
        with sessions.begin() as session:
            publishing.publish(session, actor, items[3], None)

    assert each(lambda: go_live(sessions, *release), by_hand) == ["done", "live"]
    assert public(sessions) == ITEMS


@pytest.mark.parametrize("_turn", range(5))
def test_two_releases_with_the_same_items_come_one_after_the_other(
    sessions: Sessions, actor: Actor, items: list[int], _turn: int
) -> None:
    one = pressed(sessions, actor, items)
    other = pressed(sessions, actor, items[::-1])
    outcomes = each(lambda: go_live(sessions, *one), lambda: go_live(sessions, *other))
    assert outcomes == ["live", "live"]
    assert sequences(sessions) == {1}, "what is public as this version is not published again"


@pytest.mark.parametrize("_turn", range(5))
def test_two_who_undo_at_once_put_back_once(
    sessions: Sessions, actor: Actor, items: list[int], _turn: int
) -> None:
    release_id, revision = pressed(sessions, actor, items)
    assert go_live(sessions, release_id, revision) == "live"

    def undo() -> str:
        with sessions.begin() as session:
            return str(release_undo.undo(session, actor, release_id, None, None).put_back)

    assert each(undo, undo) == sorted(["ConflictError", str(ITEMS)])
    assert public(sessions) == 0


def test_readers_see_all_of_it_or_nothing(
    sessions: Sessions, actor: Actor, items: list[int]
) -> None:
    release = pressed(sessions, actor, items)
    seen: list[int] = []

    def watch() -> None:
        while True:
            seen.append(public(sessions))
            with sessions() as session:
                if session.get_one(Release, release[0]).state != "scheduled":
                    return

    each(lambda: go_live(sessions, *release), watch)
    assert set(seen) <= {0, ITEMS}


def test_what_the_database_refuses_fails_all_of_it(
    sessions: Sessions, actor: Actor, items: list[int]
) -> None:
    release_id, revision = pressed(sessions, actor, items)
    with sessions.begin() as session:
        session.execute(
            text(f"ALTER TABLE events ADD CHECK (content_id <> {items[5]}) NOT VALID")
        )  # fmt: skip
    assert go_live(sessions, release_id, revision) == "failed"
    assert public(sessions) == 0
    with sessions() as session:
        assert "operators' log" in (session.get_one(Release, release_id).failure or "")
