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
