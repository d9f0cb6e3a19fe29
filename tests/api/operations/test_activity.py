"""Promise: managers find who did what by any of its facts, and all see what befell them."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import PASSWORD, Caller
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog

OTHER = {"REMOTE_ADDR": "192.0.2.77"}


def read(caller: Caller, path: str) -> list[dict[str, Any]]:
    """Return the lines of a page."""
    answer = caller.call("GET", path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    items: list[dict[str, Any]] = answer.get_json()["items"]
    return items


def test_a_line_says_who_did_what_to_what_whence_and_from_which_value(client: FlaskClient) -> None:
    manager, reader = Caller(client, RoleName.MANAGER), Caller(client, RoleName.READER)
    manager.call("PUT", f"/users/{reader.id}/role", {"role": "author"}, User_Agent="Lynx/2.9",
                 If_Match="*")  # fmt: skip
    (line,) = read(manager, f"/activity?action=account.set_role&subject_id={reader.id}")
    assert line["actor"] == {"id": manager.id, "login": manager.login}
    assert line["subject"] == {"kind": "user", "id": reader.id}
    assert line["changes"] == {"role": {"old": "reader", "new": "author"}}
    assert (line["address"], line["user_agent"]) == ("127.0.0.1", "Lynx/2.9")
    sessions = manager.call("GET", "/auth/sessions").get_json()["items"]
    assert line["session_id"] in [one["id"] for one in sessions]


def test_texts_are_told_by_their_length(client: FlaskClient) -> None:
    admin = Caller(client, RoleName.ADMIN)
    made = admin.call("POST", "/content", {"title": "Secret plan", "body": "Hush."}).get_json()
    changes = {"title": "Another plan", "tags": ["hidden"], "body": "Longer text."}
    admin.call("PATCH", f"/content/{made['id']}", changes, If_Match="*")
    (line,) = read(admin, f"/activity?action=content.save&subject_id={made['id']}")
    assert line["changes"] == {
        "title": {"old": {"length": 11}, "new": {"length": 12}},
        "body": {"old": {"length": 5}, "new": {"length": 12}},
        "tags": {"old": {"length": 0}, "new": {"length": 1}},
    }
    admin.call("PATCH", "/accounts/me", {"bio": "x" * 500}, If_Match="*")
    (edited,) = read(admin, "/activity?action=account.edit")
    assert edited["changes"]["bio"]["new"]["length"] == 500
    assert "xxx" not in str(edited)


@pytest.fixture
def filled(sessions: sessionmaker[Session]) -> None:
    """Lines of which each differs from the first in one fact."""
    first = {
        "actor_id": 900, "action": "thing.make", "subject_kind": "thing", "subject_id": 1,
        "session_id": 11, "api_key_id": 21, "agent_session": "run-1", "address": "192.0.2.1",
        "created_at": utc_now() - timedelta(days=10),
    }  # fmt: skip
    differences: list[dict[str, Any]] = [
        {}, {"actor_id": 901}, {"action": "thing.break"}, {"action": "things.make"},
        {"subject_kind": "other"}, {"subject_id": 2}, {"session_id": 12}, {"api_key_id": 22},
        {"agent_session": "run-2"}, {"address": "192.0.2.2"},
        {"created_at": utc_now() - timedelta(days=20)},
    ]  # fmt: skip
    with sessions.begin() as session:
        session.execute(insert(ActivityLog), [{**first, **one} for one in differences])


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("asked", "others"),
    [
        ("actor_id=901", 10), ("action=thing.break", 10), ("action=things.", 10),
        ("subject_kind=other", 10), ("subject_kind=thing&subject_id=2", 10), ("session_id=12", 10),
        ("api_key_id=22", 10), ("agent_session=run-2", 10), ("address=192.0.2.2", 10),
        ("action=thing.", 1), ("actor_id=900&action=thing.make&subject_kind=thing", 4),
    ],
)  # fmt: skip
def test_lines_are_found_by_each_of_their_facts(
    client: FlaskClient, asked: str, others: int
) -> None:
    manager = Caller(client, RoleName.MANAGER)
    to = (utc_now() - timedelta(days=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len(read(manager, f"/activity?{asked}&to={to}")) == 11 - others
    since = (utc_now() - timedelta(days=15)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len(read(manager, f"/activity?from={since}&to={to}")) == 10


@pytest.mark.usefixtures("filled")
def test_pages_follow_each_other_without_gap_or_repetition(client: FlaskClient) -> None:
    manager = Caller(client, RoleName.MANAGER)
    seen, path = [], "/activity?address=192.0.2.1&limit=3"
    while path:
        page = manager.call("GET", path).get_json()
        seen += [line["id"] for line in page["items"]]
        path = page["next"] and f"/activity?address=192.0.2.1&limit=3&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 10
    whole = read(manager, "/activity?address=192.0.2.1&limit=100")
    assert seen == [line["id"] for line in whole]


def test_only_managers_read_it_and_wrong_questions_are_refused(client: FlaskClient) -> None:
    manager, editor = Caller(client, RoleName.MANAGER), Caller(client, RoleName.EDITOR)
    assert editor.call("GET", "/activity").status_code == 403
    for asked in ("action=DROP", "actor_id=x", "from=yesterday", "cursor=no", "address=a%20b"):
        assert manager.call("GET", f"/activity?{asked}").status_code in {400, 422}, asked


def test_an_account_sees_its_logins_and_not_from_where_others_came(client: FlaskClient) -> None:
    reader, manager = Caller(client, RoleName.READER), Caller(client, RoleName.MANAGER)
    wrong = {"login": reader.login, "password": "not the password"}
    client.post("/api/v1/auth/token", json=wrong, environ_base=OTHER)
    client.post(
        "/api/v1/auth/token", json={"login": reader.login, "password": PASSWORD}, environ_base=OTHER
    )
    manager.call("PUT", f"/users/{reader.id}/role", {"role": "author"}, If_Match="*")
    lines = {line["action"]: line for line in reversed(read(reader, "/accounts/me/activity"))}
    assert lines["login.failed"]["address"] == "192.0.2.77"
    assert lines["login.ok"]["address"] == "192.0.2.77"
    change = lines["account.set_role"]
    assert change["actor"]["id"] == manager.id
    assert (change["address"], change["user_agent"], change["session_id"]) == (None, None, None)
    assert "account.set_role" not in str(read(manager, "/accounts/me/activity"))
