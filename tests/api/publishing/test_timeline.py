"""Promises of the timeline of the newsroom: what is planned, at odds, and missing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from tests.api.publishing.foreseen import plan
from tests.api.publishing.release_calls import begin, do, published, write, written
from tests.factories import Caller
from tests.statements import noting_executions
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from workers.context import WorkerContext


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


def midnight(days: int) -> datetime:
    """Return the beginning of a day to come, of UTC."""
    return utc_now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)


def timeline(caller: Caller, days: int = 10, more: str = "") -> dict[str, Any]:
    """Return the first page of the next days, from today's midnight on."""
    stretch = f"from={quote(midnight(0).isoformat())}&to={quote(midnight(days).isoformat())}"
    answer = caller.call("GET", f"/timeline?{stretch}{more}")
    assert answer.status_code == 200, answer.get_json()
    page: dict[str, Any] = answer.get_json()
    return page


def rules(entry: dict[str, Any]) -> list[str]:
    """Return what an entry is at odds with."""
    return [conflict["rule"] for conflict in entry["conflicts"]]


def test_each_entry_says_what_happens_to_what_when_and_by_whom(editor: Caller) -> None:
    content_id = write(editor, "Opening night")
    at = midnight(3) + timedelta(hours=23)
    schedule_id = plan(editor, content_id, at)
    path = begin(editor, write(editor, "A"), write(editor, "B"), name="Spring")
    release = do(editor, f"{path}/schedule", {"at": (at + timedelta(days=1)).isoformat()})

    page = timeline(editor, 7, "&zone=Asia/Tokyo")

    first, second = page["items"]
    assert first["local_time"].startswith(f"{midnight(4):%Y-%m-%d}T08:00:00")
    assert first["made_by"] == {"id": editor.id, "name": editor.login}
    said = ("of", "id", "content_id", "title", "action", "version", "state", "items", "conflicts")
    assert {name: first[name] for name in said} == {
        "of": "schedule", "id": schedule_id, "content_id": content_id, "title": "Opening night",
        "action": "publish", "version": 1, "state": "pending", "items": None, "conflicts": [],
    }  # fmt: skip
    assert {name: second[name] for name in said} == {
        "of": "release", "id": release["id"], "content_id": None, "title": "Spring",
        "action": None, "version": None, "state": "scheduled", "items": 2, "conflicts": [],
    }  # fmt: skip
    assert page["next"] is None
    # The days of Tokyo end at three in the afternoon of UTC.
    assert page["empty_days"] == [f"{midnight(day):%Y-%m-%d}" for day in (1, 2, 3, 6)]


def test_what_is_at_odds_is_marked(editor: Caller, worker: WorkerContext) -> None:
    """Plans are judged when they are made, so what is at odds came of something else since."""
    away, vain, alike, unapproved, named = (write(editor, f"Item {number}") for number in range(5))
    kept = write(editor, "Kept")
    plan(editor, kept, midnight(2), "archive")
    editor.call("POST", f"/content/{kept}/publish", {}, If_Match="*")
    for hours, content_id in enumerate((away, vain, unapproved, named)):
        plan(editor, content_id, midnight(1) + timedelta(hours=hours))
    taker = published(editor, "Taker", slug="taker")
    shown = published(editor, "Shown")
    written(editor, shown, body="Another.")
    plan(editor, shown, midnight(2))
    plan(editor, alike, midnight(2))
    plan(editor, alike, midnight(3), "unpublish")
    with worker.sessions.begin() as session:
        for change in (
            f"UPDATE content SET status = 'trashed', trashed_at = now() WHERE id = {away}",
            f"UPDATE schedules SET action = 'unpublish' WHERE content_id = {vain}",
            f"UPDATE schedules SET rests_on_approval = true WHERE content_id = {unapproved}",
            f"UPDATE content_versions SET slug = 'taker' WHERE content_id = {named}",
            "UPDATE publications SET version_id ="
            f" (SELECT version_id FROM schedules WHERE content_id = {shown})"
            f" WHERE content_id = {shown}",
        ):
            session.execute(text(change))

    found = {(entry["content_id"], entry["action"]): entry for entry in timeline(editor)["items"]}

    assert {key: rules(entry) for key, entry in found.items()} == {
        (away, "publish"): ["put_aside"],
        (vain, "unpublish"): ["without_effect"],
        (unapproved, "publish"): ["not_approved"],
        (named, "publish"): ["slug_taken"],
        (kept, "archive"): ["still_public"],
        (shown, "publish"): ["without_effect"],
        (alike, "publish"): [],
        (alike, "unpublish"): [],
    }
    assert all(c["message"] for entry in found.values() for c in entry["conflicts"])
    assert taker not in {content_id for content_id, _ in found}


def test_an_item_that_is_withdrawn_and_comes_back_leaves_a_gap(editor: Caller) -> None:
    content_id = published(editor, "Comes back")
    plan(editor, content_id, midnight(1), "unpublish")
    plan(editor, content_id, midnight(4))
    other = published(editor, "Stays away")
    plan(editor, other, midnight(2), "unpublish")
    entries = timeline(editor)["items"]
    assert [entry["away_until"] for entry in entries] == [spelt(midnight(4)), None, None]


def spelt(moment: datetime) -> str:
    """Return a moment as answers write it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def test_pages_are_the_whole_of_it_by_few_statements(editor: Caller) -> None:
    at = midnight(1)
    for number in range(5):
        plan(editor, write(editor, f"Item {number}"), at)
    do(editor, f"{begin(editor, write(editor, 'A'))}/schedule", {"at": at.isoformat()})
    whole = [(entry["of"], entry["id"]) for entry in timeline(editor)["items"]]
    assert len(whole) == 6
    paged: list[Any] = []
    following, more = "", True
    while more:
        with noting_executions() as noted:
            page = timeline(editor, 10, f"&limit=2{following}")
        assert len(noted) <= 3, noted
        assert (page["empty_days"] is None) == bool(following)
        paged += [(entry["of"], entry["id"]) for entry in page["items"]]
        following, more = f"&cursor={page['next']}", page["next"] is not None
    assert paged == whole


def test_authors_see_what_is_planned_for_their_own_items(
    client: FlaskClient, editor: Caller
) -> None:
    author, other = Caller(client, RoleName.AUTHOR), Caller(client, RoleName.AUTHOR)
    mine = author.call("POST", "/content", {"title": "Mine"}).get_json()["id"]
    plan(editor, mine, midnight(1))
    assert [entry["title"] for entry in timeline(author)["items"]] == ["Mine"]
    page = timeline(other, 3)
    assert page["items"] == []
    assert len(page["empty_days"]) == 3
    stretch = "from=2027-01-01T00:00:00Z&to=2027-01-02T00:00:00Z"
    assert client.get(f"/api/v1/timeline?{stretch}").status_code == 401
    assert Caller(client, RoleName.READER).call("GET", f"/timeline?{stretch}").status_code == 403


def test_a_stretch_that_is_none_or_too_long_is_refused(editor: Caller) -> None:
    begins = "from=2027-01-01T00:00:00Z"
    for wrong in (begins, f"{begins}&to=2027-01-01T00:00:00Z", f"{begins}&to=2027-05-01T00:00:00Z",
                  f"{begins}&to=2027-01-02T00:00:00Z&zone=Nowhere/None"):  # fmt: skip
        assert editor.call("GET", f"/timeline?{wrong}").status_code == 422, wrong
