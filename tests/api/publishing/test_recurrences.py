"""Promises about recurrences through the API: shown before they are made, changed and ended."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.calendar_readers import read_by_icalendar
from tests.factories import PASSWORD, Caller, run_ready_jobs
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import Occurrence, Recurrence
from workers.context import WorkerContext

MONDAYS = {
    "rule": "FREQ=WEEKLY;BYDAY=MO", "zone": "Europe/Vienna", "start": "2027-03-01T07:00",
    "in_gap": "after", "in_fold": "earlier",
}  # fmt: skip


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def path(editor: Caller) -> str:
    """The recurrences of a draft."""
    made = editor.call("POST", "/content", {"title": "Weekly", "body": "Text."}).get_json()
    return f"/content/{made['id']}/recurrences"


def make(caller: Caller, path: str, **fields: Any) -> Any:
    """Ask for a recurrence."""
    return caller.call("POST", path, {**MONDAYS, **fields}, If_Match="*")


def test_the_next_ten_are_shown_before_anything_is_made(
    editor: Caller, path: str, sessions: sessionmaker[Session]
) -> None:
    shown = make(editor, f"{path}?dry_run=true", until="2027-05-10")

    assert shown.status_code == 200
    moments = shown.get_json()["next"]
    assert len(moments) == 10
    assert [moment["shown_as"] for moment in moments[3:5]] == [
        "2027-03-22T07:00:00+01:00", "2027-03-29T07:00:00+02:00",
    ]  # fmt: skip
    assert {moment["local_time"][11:] for moment in moments} == {"07:00:00"}
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Recurrence)) == 0
    made = make(editor, path, until="2027-05-10")
    assert made.status_code == 201
    assert made.get_json()["next"] == moments
    read = editor.call("GET", made.headers["Location"].removeprefix("/api/v1"))
    assert read.get_json()["made_by"] == editor.login


def test_what_clocks_leave_out_or_show_twice_is_said(editor: Caller, path: str) -> None:
    fields = {"rule": "FREQ=DAILY", "start": "2027-03-27T02:30"}

    spring = make(editor, f"{path}?dry_run=true", **fields).get_json()["next"]
    autumn = make(
        editor, f"{path}?dry_run=true", rule="FREQ=DAILY", start="2027-10-30T02:30",
        in_fold="later",
    ).get_json()["next"]  # fmt: skip

    assert (spring[1]["clock"], spring[1]["shown_as"]) == ("skipped", "2027-03-28T03:30:00+02:00")
    assert (autumn[1]["clock"], autumn[1]["at"]) == ("twice", "2027-10-31T01:30:00Z")


def test_it_is_planned_changed_paused_and_ended(
    editor: Caller, path: str, worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    start = (utc_now() + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%S")
    made = make(editor, path, rule="FREQ=DAILY", zone="UTC", start=start, which="newest")
    one = f"{path}/{made.get_json()['id']}"
    run_ready_jobs(worker, kinds={"recurrence.plan"})

    (past,) = editor.call("GET", one).get_json()["past"]
    assert past["state"] == "pending"
    assert editor.call("GET", f"/schedule/{past['schedule_id']}").status_code == 200
    tag = editor.call("GET", one).headers["ETag"]
    assert editor.call("PATCH", one, {"state": "paused"}).status_code == 428
    paused = editor.call("PATCH", one, {"state": "paused"}, If_Match=tag)
    assert paused.get_json()["state"] == "paused"
    assert editor.call("PATCH", one, {"count": 3}, If_Match=tag).status_code == 412
    cancelled = editor.call("GET", f"/schedule/{past['schedule_id']}").get_json()
    assert cancelled["state"] == "cancelled"
    changed = editor.call("PATCH", one, {"state": "active", "count": 3}, If_Match="*").get_json()
    assert len(changed["next"]) == 3
    assert editor.call("PATCH", one, {"count": None}, If_Match="*").get_json()["count"] is None
    ended = editor.call("DELETE", one, If_Match="*").get_json()
    assert (ended["state"], ended["next"]) == ("ended", [])
    assert editor.call("PATCH", one, {"count": 3}, If_Match="*").status_code == 409
    run_ready_jobs(worker, kinds={"recurrence.plan"})
    with sessions() as session:
        assert session.scalars(select(Occurrence.schedule_id)).all() == []
    (listed,) = editor.call("GET", path).get_json()["items"]
    assert (listed["state"], listed["ended_because"]) == ("ended", "It was ended.")


@pytest.mark.parametrize(
    "fields",
    [
        {"rule": "FREQ=MINUTELY"}, {"rule": "FREQ=DAILY;COUNT=3"}, {"rule": "every Monday"},
        {"rule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, {"zone": "Europe/Wien"},
        {"start": "2027-03-01T07:00:00Z"}, {"start": "2027-02-30T07:00"},
        {"start": "0001-01-01T00:00"},
        {"start": "9999-12-31T23:59:59"}, {"in_gap": "guess"}, {"count": 0}, {"count": 1001},
        {"until": "2020-01-01"}, {"which": "oldest"}, {"action": "archive"},
    ],
)  # fmt: skip
def test_what_cannot_recur_is_refused(editor: Caller, path: str, fields: dict[str, Any]) -> None:
    assert make(editor, path, **fields).status_code == 422


@pytest.mark.parametrize(
    "fields", [{"start": "9999-12-31T23:59"}, {"start": "0001-01-01T00:00", "count": 3}]
)
def test_a_paused_one_begins_nowhere_either_where_no_calendar_goes(
    editor: Caller, path: str, fields: dict[str, Any]
) -> None:
    one = f"{path}/{make(editor, path).get_json()['id']}"
    refused = editor.call("PATCH", one, {"state": "paused", **fields}, If_Match="*")
    assert refused.status_code == 422
    assert [error["field"] for error in refused.get_json()["errors"]] == ["body.start"]
    assert editor.call("GET", one).get_json()["state"] == "active"


def test_one_that_has_gone_on_for_years_can_still_be_changed(
    editor: Caller, path: str, sessions: sessionmaker[Session]
) -> None:
    one = f"{path}/{make(editor, path).get_json()['id']}"
    with sessions.begin() as session:
        session.execute(
            update(Recurrence).values(start=(utc_now() - timedelta(days=800)).replace(tzinfo=None))
        )
    for change in ({"state": "paused"}, {"state": "active"}, {"if_missed": "skip"}):
        assert editor.call("PATCH", one, change, If_Match="*").status_code == 200


def test_who_may_plan_may_let_recur_and_no_key_may(
    editor: Caller, path: str, client: FlaskClient
) -> None:
    author = Caller(client, RoleName.AUTHOR)
    assert make(author, path).status_code == 404
    own = author.call("POST", "/content", {"title": "Own"}).get_json()["id"]
    assert make(author, f"/content/{own}/recurrences").status_code == 201
    assert make(author, f"/content/{own}/recurrences", action="unpublish").status_code == 403
    asked = {"name": "k", "scopes": ["publish"], "expires_in_days": 1, "password": PASSWORD}
    key = editor.call("POST", "/auth/api-keys", asked).get_json()["key"]
    headers = {"Authorization": f"Bearer {key}", "If-Match": "*"}
    refused = client.post(f"/api/v1{path}", json=MONDAYS, headers=headers)
    assert refused.status_code == 403


def test_an_item_has_twenty_at_most(editor: Caller, path: str) -> None:
    for _ in range(20):
        assert make(editor, path).status_code == 201
    assert make(editor, path).status_code == 409
    first = editor.call("GET", f"{path}?limit=15").get_json()
    second = editor.call("GET", f"{path}?limit=15&cursor={first['next']}").get_json()
    assert len({one["id"] for one in first["items"] + second["items"]}) == 20


def test_what_is_expected_is_in_the_calendar_and_stays_the_same_moment_once_it_is_planned(
    editor: Caller, path: str, client: FlaskClient, worker: WorkerContext
) -> None:
    start = utc_now() + timedelta(minutes=30)
    fields = {"rule": "FREQ=DAILY", "zone": "UTC", "start": start.strftime("%Y-%m-%dT%H:%M:%S")}
    made = make(editor, path, which="newest", **fields).get_json()
    feed = editor.call("POST", "/calendar-feeds", {"name": "Desk"}).get_json()
    query = f"from={start:%Y-%m-%d}&to={start + timedelta(days=9):%Y-%m-%d}&limit=2"
    run_ready_jobs(worker, kinds={"recurrence.plan"})

    found: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = editor.call(
            "GET", f"/schedule/days?{query}{cursor and '&cursor='}{cursor}"
        ).get_json()
        found += [entry for day in page["items"] for entry in day["entries"]]
        cursor = page["next"]
    assert [entry["state"] for entry in found] == ["pending", *["expected"] * 4]
    assert {entry["recurrence_id"] for entry in found} == {made["id"]}
    assert [entry["id"] is None for entry in found] == [False, True, True, True, True]
    events = read_by_icalendar(client.get(feed["url"].removeprefix("http://127.0.0.1:8000")).data)
    assert [event.uid.split("@")[0] for event in events] == [
        f"recurrence-{made['id']}-{start + timedelta(days=day):%Y%m%dT%H%M%S}" for day in range(5)
    ]
    assert events[0].sequence > events[1].sequence
