"""Promises about the feeds of calendars: the owner's rights of the moment, and nobody else's."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.api.publishing.test_schedule_days import plan
from tests.calendar_readers import READERS, read_by_icalendar
from tests.factories import PASSWORD, Caller
from webapp.api.answer_headers import AnswerHeaders
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import CalendarFeed, Role, Schedule, User
from webapp.services.publishing import calendar_feeds
from webapp.serving.refusals import FULL, refuse
from webapp.settings import Settings


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


def make(caller: Caller, **fields: Any) -> dict[str, Any]:
    """Make a feed and return what was answered."""
    made = caller.call("POST", "/calendar-feeds", {"name": "Desk", **fields})
    assert made.status_code == 201, made.get_json()
    feed: dict[str, Any] = made.get_json()
    return feed


def read(client: FlaskClient, feed: dict[str, Any], **headers: str) -> Any:
    """Read a feed as a calendar program does, without any token but its own."""
    path = feed["url"].removeprefix("http://127.0.0.1:8000")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(path, headers=named)


def soon(session: Session, schedule_id: int, days: int = 1) -> None:
    """Bring a schedule within what feeds show."""
    session.execute(
        text(
            "UPDATE schedules SET due_at = date_trunc('second', clock_timestamp())"
            " + make_interval(days => :days) WHERE id = :id"
        ),
        {"days": days, "id": schedule_id},
    )


def test_who_has_the_address_reads_what_its_owner_sees(
    editor: Caller, client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    schedule_id = plan(editor, 'Budget; "final", maybe', "2099-05-01T08:00:00Z")
    with sessions.begin() as session:
        soon(session, schedule_id)
        due_at = session.get_one(Schedule, schedule_id).due_at
    feed = make(editor, zone="Europe/Vienna")

    answer = read(client, feed)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    for reader in READERS[:2]:
        (event,) = reader(answer.data)
        assert event.seconds == due_at.timestamp()
        assert event.summary == 'Publish “Budget; "final", maybe”'
        assert event.uid == f"schedule-{schedule_id}@127.0.0.1"
        assert event.status == "CONFIRMED"
        assert "(Europe/Vienna)" in event.description
        assert f"Planned by: {editor.login}" in event.description
    (listed,) = editor.call("GET", "/calendar-feeds").get_json()["items"]
    assert (listed["uses"], listed["name"], listed["zone"]) == (1, "Desk", "Europe/Vienna")
    assert listed["last_used_at"]
    assert "url" not in listed


def test_what_has_not_changed_is_not_sent_again_and_a_change_counts_up(
    editor: Caller, client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    schedule_id = plan(editor, "Item", "2099-05-01T08:00:00Z")
    with sessions.begin() as session:
        soon(session, schedule_id)
    feed = make(editor)
    first = read(client, feed)

    again = read(client, feed, If_None_Match=first.headers["ETag"])
    editor.call("DELETE", f"/schedule/{schedule_id}", If_Match="*")
    changed = read(client, feed, If_None_Match=first.headers["ETag"])

    assert (again.status_code, again.data) == (304, b"")
    assert "noindex" in again.headers["X-Robots-Tag"]
    (before,), (after,) = read_by_icalendar(first.data), read_by_icalendar(changed.data)
    assert after.uid == before.uid
    assert after.sequence > before.sequence
    assert (before.status, after.status) == ("CONFIRMED", "CANCELLED")


def test_what_failed_stays_in_sight_with_its_reason(
    editor: Caller, client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    schedule_id = plan(editor, "Item", "2099-05-01T08:00:00Z")
    with sessions.begin() as session:
        soon(session, schedule_id, days=-2)
        session.execute(update(Schedule).values(state="failed", failure="There was a reason."))

    (event,) = read_by_icalendar(read(client, make(editor)).data)

    assert event.status == "CONFIRMED"
    assert event.summary == "Failed: Publish “Item”"
    assert "Why: There was a reason." in event.description


def test_a_feed_shows_the_nearest_and_no_more_than_so_many(
    editor: Caller,
    client: FlaskClient,
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calendar_feeds, "MOST_PAST", 1)
    monkeypatch.setattr(calendar_feeds, "MOST_COMING", 2)
    ids = {}
    for days in (-31, -20, -3, 2, 5, 9, 367):
        ids[days] = plan(editor, f"Of {days}", "2099-05-01T08:00:00Z")
        with sessions.begin() as session:
            soon(session, ids[days], days)

    def shown() -> list[int]:
        feed = read_by_icalendar(read(client, make(editor)).data)
        return [int(event.uid.split("@")[0].removeprefix("schedule-")) for event in feed]

    assert shown() == [ids[-3], ids[2], ids[5]]
    monkeypatch.setattr(calendar_feeds, "MOST_PAST", 10)
    monkeypatch.setattr(calendar_feeds, "MOST_COMING", 10)
    assert shown() == [ids[-20], ids[-3], ids[2], ids[5], ids[9]]


def test_a_feed_follows_the_rights_of_its_owner(
    editor: Caller, client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    schedule_id = plan(editor, "Of the editor", "2099-05-01T08:00:00Z")
    other = Caller(client, RoleName.EDITOR)
    with sessions.begin() as session:
        soon(session, schedule_id)
    feed = make(other)

    def become(role: RoleName) -> None:
        with sessions.begin() as session:
            role_id = session.scalars(select(Role.id).where(Role.name == role.value)).one()
            session.execute(update(User).where(User.id == other.id).values(role_id=role_id))

    assert len(read_by_icalendar(read(client, feed).data)) == 1
    become(RoleName.AUTHOR)
    assert read_by_icalendar(read(client, feed).data) == []
    become(RoleName.READER)
    assert read(client, feed).status_code == 404


@pytest.mark.parametrize("column", ["disabled_at", "frozen_at"])
def test_a_feed_opens_nothing_while_its_owners_account_does_not_work(
    editor: Caller, client: FlaskClient, sessions: sessionmaker[Session], column: str
) -> None:
    feed = make(editor)
    with sessions.begin() as session:
        session.execute(update(User).where(User.id == editor.id).values({column: utc_now()}))

    gone = read(client, feed)

    assert gone.status_code == 404
    assert gone.headers["Cache-Control"] == "no-store"
    assert "noindex" in gone.headers["X-Robots-Tag"]


def test_a_feed_ends_when_it_is_revoked_and_with_the_password(
    editor: Caller, client: FlaskClient
) -> None:
    other = Caller(client, RoleName.EDITOR)
    feed, second, others = make(editor), make(editor), make(other)

    assert other.call("DELETE", f"/calendar-feeds/{feed['id']}").status_code == 404
    assert editor.call("DELETE", f"/calendar-feeds/{feed['id']}").status_code == 204
    assert [read(client, one).status_code for one in (feed, second, others)] == [404, 200, 200]
    assert editor.call("DELETE", f"/calendar-feeds/{feed['id']}").status_code == 404

    changed = {"current_password": PASSWORD, "new_password": "another long password of ours"}
    assert editor.call("PUT", "/accounts/me/password", changed).status_code in {200, 204}
    assert [read(client, one).status_code for one in (second, others)] == [404, 200]


def test_readers_and_keys_make_no_feed_and_twenty_are_enough(
    editor: Caller, client: FlaskClient
) -> None:
    asked = {"name": "Desk"}
    reader = Caller(client, RoleName.READER)
    assert reader.call("POST", "/calendar-feeds", asked).status_code == 403
    for _ in range(calendar_feeds.MOST_FEEDS):
        make(editor)
    assert editor.call("POST", "/calendar-feeds", asked).status_code == 409
    assert editor.call("POST", "/calendar-feeds", {**asked, "zone": "Wien"}).status_code == 422


def test_the_token_is_kept_as_a_digest_and_is_in_no_log(
    editor: Caller,
    client: FlaskClient,
    sessions: sessionmaker[Session],
    capsys: pytest.CaptureFixture[str],
) -> None:
    feed = make(editor)
    token = feed["url"].rpartition("/")[2].removesuffix(".ics")
    with sessions() as session:
        (kept,) = session.scalars(select(CalendarFeed))
        assert token.encode() not in kept.token_hash
        logged = session.execute(text("SELECT details::text FROM activity_logs")).scalars()
        assert not any(token in line for line in logged)
    editor.call("DELETE", f"/calendar-feeds/{feed['id']}")
    # Each of these is logged, as a refusal, and the tests fail for a secret in a log.
    assert read(client, feed).status_code == 404
    assert client.get(f"/calendar/{token}").status_code == 404
    assert client.post(f"/calendar/{token}.ics", data=io.BytesIO(b"x")).status_code == 405
    for mistyped in (f"/Calendar/{token}.ics", f"/old/calendar/{token}.ics"):
        assert client.get(mistyped).status_code == 404
    # So is what the server refuses before the application sees it.
    scope: Any = SimpleNamespace(method="GET", path=f"/calendar/{token}.ics", headers={})
    protocol: Any = SimpleNamespace(response_bytes=lambda *_: None)
    refuse(scope, protocol, FULL, AnswerHeaders(Settings(_env_file=None)))
    told = "".join(capsys.readouterr())
    assert token not in told
