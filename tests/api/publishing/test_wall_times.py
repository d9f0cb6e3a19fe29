"""Promises about plans by wall times, as clients make them."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from webapp.kit.roles import RoleName

GAP = {"time": "2097-03-31T02:30", "zone": "Europe/Vienna"}
TWICE = {"time": "2097-10-27T02:30", "zone": "Europe/Vienna"}


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


def planned(editor: Caller, **plan: Any) -> Any:
    """Write an item and plan it."""
    content_id = editor.call("POST", "/content", {"title": "An item"}).get_json()["id"]
    return editor.call("POST", f"/content/{content_id}/schedule", plan, If_Match="*")


def test_a_plan_by_a_clock_shows_its_instant_and_its_wall_time(editor: Caller) -> None:
    made = planned(editor, local={"time": "2097-07-01T09:00", "zone": "Europe/Vienna"})
    assert made.status_code == 201, made.get_json()
    shown = made.get_json()
    assert shown["at"] == "2097-07-01T07:00:00Z"
    assert shown["local"] == {
        "time": "2097-07-01T09:00:00", "zone": "Europe/Vienna", "fold": None
    }  # fmt: skip
    path = f"/schedule/{shown['id']}"
    twice = {"local": {**TWICE, "fold": "later"}}
    moved = editor.call("PATCH", path, twice, If_Match="*").get_json()
    assert (moved["at"], moved["local"]["fold"]) == ("2097-10-27T01:30:00Z", "later")
    again = editor.call("PATCH", path, {"at": "2098-01-01T00:00:00Z"}, If_Match="*").get_json()
    assert (again["at"], again["local"]) == ("2098-01-01T00:00:00Z", None)


@pytest.mark.parametrize(("local", "times"), [
    (GAP, [("2097-03-31T00:30:00Z", "2097-03-31T01:30:00", None),
           ("2097-03-31T01:30:00Z", "2097-03-31T03:30:00", None)]),
    (TWICE, [("2097-10-27T00:30:00Z", "2097-10-27T02:30:00", "earlier"),
             ("2097-10-27T01:30:00Z", "2097-10-27T02:30:00", "later")]),
])  # fmt: skip
def test_a_time_that_is_none_or_two_is_refused_with_what_may_be_meant(
    editor: Caller, local: dict[str, str], times: list[tuple[str, str, str | None]]
) -> None:
    refused = planned(editor, local=local)
    assert refused.status_code == 422
    document = refused.get_json()
    assert [error["field"] for error in document["errors"]] == ["body.local.time"]
    offers = [(offer["at"], offer["time"], offer["fold"]) for offer in document["offers"]]
    assert offers == times


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"local": {**GAP, "zone": "Europe/Atlantis"}}, "body.local.zone"),
        ({"local": {**GAP, "time": "2097-03-31T02:30Z"}}, "body.local.time"),
        ({"local": {**GAP, "time": "1997-03-01T02:30"}}, "body.local.time"),
        ({"local": {**GAP, "time": "2097-02-30T02:30"}}, "body.local.time"),
        ({"local": {**TWICE, "fold": "both"}}, "body.local.fold"),
        ({"local": {**TWICE, "fold": "later"}, "at": "2097-01-01T00:00:00Z"}, "body.local"),
        ({}, "body.at"),
        ({"at": "2097-01-01T00:00:00Z", "late_limit_seconds": 0}, "body.late_limit_seconds"),
    ],
)
def test_what_is_no_moment_is_refused_with_its_field(
    editor: Caller, plan: dict[str, Any], field: str
) -> None:
    refused = planned(editor, **plan)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.get_json()["errors"]] == [field]
