"""Promises about traces: an attack tells who and whence, and no secret."""

import pytest
import structlog
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

from tests.factories import PASSWORD, Caller
from webapp.api import edge, traces
from webapp.api.edge import ImprintApp
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog
from webapp.services import activity
from webapp.services.accounts import accounts


@pytest.fixture(autouse=True)
def _fresh_loggers(app: ImprintApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A logger keeps the configuration of its first use, which was that of another test's app."""
    for module in (traces, edge, activity, accounts):
        monkeypatch.setattr(module, "log", structlog.get_logger())


def rows(sessions: sessionmaker[Session], action: str) -> list[ActivityLog]:
    with sessions() as session:
        return list(
            session.scalars(
                select(ActivityLog).where(ActivityLog.action == action).order_by(ActivityLog.id)
            )
        )


def test_logins_and_their_ends_leave_a_trace_with_who_and_whence(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(client, RoleName.READER)
    credentials = {"login": reader.login, "password": PASSWORD}
    reader.token = client.post("/api/v1/auth/token", json=credentials).get_json()["access_token"]
    with capture_logs() as lines:
        for login in (reader.login, reader.login.upper(), "nobody"):
            credentials = {"login": login, "password": "not the password"}
            assert client.post("/api/v1/auth/token", json=credentials).status_code == 401
        reader.call("DELETE", "/auth/token")
    failed = [line for line in lines if line["event"] == "login.failed"]
    assert [line["user_id"] for line in failed] == [reader.id, reader.id, None]
    assert failed[0]["login_hash"] == failed[1]["login_hash"] != failed[2]["login_hash"]
    told = str(failed)
    assert not [word for word in (reader.login, "nobody", "not the") if word in told]
    done = [line for line in lines if line["event"] == "request.done"]
    assert [(line["address"], line["user_id"]) for line in done] == [
        *[("127.0.0.1", None)] * 3, ("127.0.0.1", reader.id),
    ]  # fmt: skip
    kept = rows(sessions, "login.failed")
    assert [(row.subject_id, row.address) for row in kept] == [
        (subject_id, "127.0.0.1") for subject_id in (reader.id, reader.id, None)
    ]
    opened, (ended,) = rows(sessions, "login.ok")[-1], rows(sessions, "session.revoke")
    assert (opened.actor_id, opened.address) == (reader.id, "127.0.0.1")
    assert (ended.address, ended.session_id) == ("127.0.0.1", ended.details["session_id"])


def test_a_refused_role_leaves_a_trace(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    reader, manager = Caller(client, RoleName.READER), Caller(client, RoleName.MANAGER)
    path = f"/users/{reader.id}/role"
    with capture_logs() as lines:
        assert reader.call("PUT", path, {"role": "admin"}, If_Match="*").status_code == 403
        assert manager.call("PUT", path, {"role": "admin"}, If_Match="*").status_code == 403
        assert manager.call("PUT", path, {"role": "author"}, If_Match="*").status_code == 200
    refused = [line["user_id"] for line in lines if line["event"] == "role.refused"]
    assert refused == [reader.id, manager.id]
    (change,) = [line for line in lines if line["event"] == "role.change"]
    assert (change["user_id"], change["subject_id"], change["after"]) == (
        manager.id, reader.id, "author",
    )  # fmt: skip
    assert [row.actor_id for row in rows(sessions, "role.refused")] == [reader.id, manager.id]


def test_a_password_is_the_same_in_every_form_that_a_keyboard_gives_it(
    client: FlaskClient,
) -> None:
    one, two = "caf\u00e9 \uff11\uff12 long enough", "cafe\u0301 12 long enough"
    account = {"login": "maria", "email": "maria@example.org", "password": one}
    assert client.post("/api/v1/accounts", json=account).status_code == 201
    for form in (one, two):
        login = {"login": "maria", "password": form}
        assert client.post("/api/v1/auth/token", json=login).status_code == 200
    short = {**account, "login": "other", "password": "e\u0301" * 5 + "1234"}
    assert client.post("/api/v1/accounts", json=short).status_code == 422
