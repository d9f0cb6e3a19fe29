"""Promises about the calendar by days: each moment on its day by the clocks of the zone."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from webapp.kit.roles import RoleName


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


def plan(caller: Caller, title: str, at: str) -> int:
    """Plan the publication of a new item and return the id of its schedule."""
    body = {"title": title, "body": "Text."}
    content_id = caller.call("POST", "/content", body).get_json()["id"]
    made = caller.call("POST", f"/content/{content_id}/schedule", {"at": at}, If_Match="*")
    assert made.status_code == 201, made.get_json()
    return int(made.get_json()["id"])


def days(caller: Caller, query: str) -> dict[str, Any]:
    """Ask for days and return the answer."""
    answer = caller.call("GET", f"/schedule/days?{query}")
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def test_each_moment_is_on_its_day_by_the_clocks_of_the_zone(editor: Caller) -> None:
    late = plan(editor, "Late", "2099-03-28T23:30:00+01:00")
    early = plan(editor, "Early", "2099-03-28T22:30:00Z")
    jumped = plan(editor, "Jumped", "2099-03-29T01:00:00Z")
    plan(editor, "Outside", "2099-03-29T22:00:00Z")

    found = days(editor, "from=2099-03-27&to=2099-03-30&zone=Europe/Vienna")

    shown = [
        (day["day"], day["hours"], [e["id"] for e in day["entries"]]) for day in found["items"]
    ]
    assert shown == [
        ("2099-03-27", 24.0, []),
        ("2099-03-28", 24.0, [late, early]),
        ("2099-03-29", 23.0, [jumped]),
    ]
    entry = found["items"][2]["entries"][0]
    assert entry["local_time"] == "2099-03-29T03:00:00+02:00"
    assert entry["at"] == "2099-03-29T01:00:00Z"
    assert entry["made_by"] == {"id": editor.id, "name": editor.login}
    assert (entry["title"], entry["action"], entry["state"], entry["version"]) == (
        "Jumped", "publish", "pending", 1,
    )  # fmt: skip
    elsewhere = days(editor, "from=2099-03-28&to=2099-03-30&zone=Pacific/Auckland")
    assert [len(day["entries"]) for day in elsewhere["items"]] == [0, 3]


def test_pages_go_on_within_a_day_and_lose_nothing(editor: Caller) -> None:
    planned = [plan(editor, f"{n}", f"2099-05-0{1 + n // 3}T0{n}:00:00Z") for n in range(7)]
    query, seen, listed, cursor = "from=2099-04-30&to=2099-05-06&limit=2", [], [], ""
    while cursor is not None:
        page = days(editor, query + (f"&cursor={cursor}" if cursor else ""))
        listed += [day["day"] for day in page["items"]]
        seen += [entry["id"] for day in page["items"] for entry in day["entries"]]
        cursor = page["next"]

    assert seen == planned
    assert sorted(set(listed)) == [
        "2099-04-30", "2099-05-01", "2099-05-02", "2099-05-03", "2099-05-04", "2099-05-05",
    ]  # fmt: skip
    assert listed == sorted(listed)


def test_authors_see_their_own_items_alone(editor: Caller, client: FlaskClient) -> None:
    author = Caller(client, RoleName.AUTHOR)
    plan(editor, "Of the editor", "2099-05-01T08:00:00Z")

    assert days(editor, "from=2099-05-01&to=2099-05-02")["items"][0]["entries"]
    assert days(author, "from=2099-05-01&to=2099-05-02")["items"][0]["entries"] == []


@pytest.mark.parametrize(
    "query",
    [
        "", "from=2099-05-01", "from=2099-05-01&to=2099-05-01", "from=2099-05-02&to=2099-05-01",
        "from=2099-01-01&to=2099-04-12", "from=2099-02-29&to=2099-03-01",
        "from=2099-05-01&to=2099-05-02&zone=Europe/Wien",
        "from=2099-05-01&to=2099-05-02&zone=../x", "from=2099-05-01&to=2099-05-02&zone=",
        "from=2099-05-01T00:00:00Z&to=2099-05-02", "from=0001-01-01&to=0001-01-02",
    ],
)  # fmt: skip
def test_what_names_no_days_of_a_zone_is_refused(editor: Caller, query: str) -> None:
    assert editor.call("GET", f"/schedule/days?{query}").status_code == 422
