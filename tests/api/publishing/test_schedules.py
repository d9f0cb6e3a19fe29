"""Promises about schedules and the editors who decide otherwise, through the API."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


def planned(editor: Caller) -> tuple[int, dict[str, Any]]:
    """Write an item and plan its publication for tomorrow; return its id and the schedule."""
    content_id = editor.call("POST", "/content", {"title": "An item"}).get_json()["id"]
    at = (utc_now() + timedelta(days=1)).isoformat()
    made = editor.call("POST", f"/content/{content_id}/schedule", {"at": at}, If_Match="*")
    assert made.status_code == 201, made.get_json()
    schedule: dict[str, Any] = made.get_json()
    assert [found["rule"] for found in schedule.pop("warnings")] == ["body.empty"]
    return content_id, schedule


def test_an_editor_reads_in_the_schedule_what_ended_it(editor: Caller) -> None:
    content_id, schedule = planned(editor)
    path = f"/schedule/{schedule['id']}"
    seen = editor.call("GET", path).headers["ETag"]

    editor.call("POST", f"/content/{content_id}/publish", {}, If_Match="*")

    ended = editor.call("GET", path)
    assert ended.headers["ETag"] != seen
    assert ended.get_json() == {
        **schedule,
        "state": "cancelled",
        "failure": "Version 1 was published before its moment.",
    }
    assert editor.call("GET", f"/content/{content_id}/schedule").get_json()["items"] == []
    assert editor.call("DELETE", path, If_Match="*").status_code == 409


def test_a_withdrawal_ends_the_plan_and_leaves_room_for_a_new_one(editor: Caller) -> None:
    content_id, schedule = planned(editor)
    refused = editor.call("POST", f"/content/{content_id}/unpublish", If_Match="*")
    assert refused.status_code == 409
    assert f"Schedule {schedule['id']} " in refused.get_json()["detail"]
    editor.call("POST", f"/content/{content_id}/publish", {}, If_Match="*")
    editor.call("PATCH", f"/content/{content_id}", {"title": "A second one"}, If_Match="*")
    again = {"at": (utc_now() + timedelta(days=1)).isoformat(), "version": 2}
    path = f"/content/{content_id}/schedule"
    second = editor.call("POST", path, again, If_Match="*").get_json()

    withdrawn = editor.call("POST", f"/content/{content_id}/unpublish", If_Match="*")

    assert (withdrawn.status_code, withdrawn.get_json()["is_public"]) == (200, False)
    ended = editor.call("GET", f"/schedule/{second['id']}").get_json()
    assert (ended["state"], ended["failure"]) == (
        "cancelled",
        "The item was unpublished before its moment.",
    )
    assert editor.call("POST", path, again, If_Match="*").status_code == 201


def test_a_plan_is_rehearsed_when_it_is_made_and_when_it_is_changed(editor: Caller) -> None:
    target = editor.call("POST", "/content", {"title": "Target"}).get_json()
    body = f"See [the other story](/api/v1/published/{target['slug']}) for more."
    item = editor.call("POST", "/content", {"title": "Item", "body": body}).get_json()
    tomorrow, later = ((utc_now() + timedelta(days=days)).isoformat() for days in (1, 3))
    path = f"/content/{item['id']}/schedule"
    made = editor.call("POST", path, {"at": tomorrow}, If_Match="*").get_json()
    assert [found["rule"] for found in made["rehearsal"]] == ["link.broken"]
    assert made["rehearsal"][0]["level"] == "warning"

    # What it links to will be public by the later moment, and not by the earlier one.
    between = {"at": (utc_now() + timedelta(days=2)).isoformat()}
    editor.call("POST", f"/content/{target['id']}/schedule", between, If_Match="*")
    own = f"/schedule/{made['id']}"
    changed = editor.call("PATCH", own, {"at": later}, If_Match="*").get_json()
    assert changed["rehearsal"] == []
    assert changed["rehearsed_at"] > made["rehearsed_at"]
    back = editor.call("PATCH", own, {"at": tomorrow}, If_Match="*").get_json()
    assert [found["rule"] for found in back["rehearsal"]] == ["link.broken"]
    assert editor.call("GET", path).get_json()["items"] == [back]


def test_an_author_hears_from_no_link_what_is_planned_for_the_items_of_others(
    editor: Caller, client: FlaskClient
) -> None:
    author = Caller(client, RoleName.AUTHOR)
    target = editor.call("POST", "/content", {"title": "Target"}).get_json()
    body = f"See [the other story](/api/v1/published/{target['slug']}) for more."
    item = author.call("POST", "/content", {"title": "Item", "body": body}).get_json()
    path = f"/content/{item['id']}/schedule"
    tomorrow = {"at": (utc_now() + timedelta(days=1)).isoformat()}
    made = editor.call("POST", path, tomorrow, If_Match="*").get_json()
    assert [found["rule"] for found in made["rehearsal"]] == ["link.broken"]

    one = author.call("GET", f"/schedule/{made['id']}").get_json()
    assert (one["rehearsal"], one["rehearsed_at"]) == ([], made["rehearsed_at"])
    assert author.call("GET", path).get_json()["items"] == [one]
