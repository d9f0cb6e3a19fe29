"""Promises about a new password that its owner sets: what ends, what stays, and who is told."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.at_once import at_once
from tests.factories import PASSWORD, Caller, rows_of, run_ready_jobs
from webapp.api.edge import ImprintApp
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email
from webapp.models import AccessToken, ActivityLog, Job, SignInThrottle
from webapp.services.accounts import password_changes, password_resets, standing
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.sessions import check_again, find_actor
from webapp.services.errors import AuthenticationError
from workers.context import WorkerContext

NEW_PASSWORD = "another password for tests"


def change(caller: Caller, current: str = PASSWORD, new: str = NEW_PASSWORD) -> Any:
    """Ask for another password."""
    body = {"current_password": current, "new_password": new}
    return caller.call("PUT", "/accounts/me/password", body)


def log_in(client: FlaskClient, login: str, password: str) -> Any:
    return client.post("/api/v1/auth/token", json={"login": login, "password": password})


def another_session(caller: Caller) -> Caller:
    """Return the same account in a session of its own."""
    other = Caller.__new__(Caller)
    other.client, other.id, other.login = caller.client, caller.id, caller.login
    other.token = log_in(caller.client, caller.login, PASSWORD).get_json()["access_token"]
    return other


def key_of(caller: Caller) -> Caller:
    """Return a machine that comes with a key of the account."""
    asked = {"name": "agent", "scopes": ["manage"], "expires_in_days": 1, "password": PASSWORD}
    machine = Caller.__new__(Caller)
    machine.client = caller.client
    machine.token = caller.call("POST", "/auth/api-keys", asked).get_json()["key"]
    return machine


def status_of(caller: Caller) -> int:
    return int(caller.call("GET", "/accounts/me").status_code)


def actor_of(caller: Caller, maker: sessionmaker[Session]) -> Actor:
    """Return who calls, as the services know them."""
    with maker() as session:
        actor = find_actor(rows_of(session), caller.token)
    assert actor is not None
    return actor


def test_this_session_goes_on_and_all_that_the_old_password_opened_ends(
    client: FlaskClient,
    worker: WorkerContext,
    mail_sink: MailSink,
    sessions: sessionmaker[Session],
) -> None:
    reader, stranger = Caller(client, RoleName.READER), Caller(client, RoleName.READER)
    other, machine = another_session(reader), key_of(reader)
    with sessions.begin() as session:
        minted = password_resets.mint_token(
            session, hash_email(reader.email), minutes=10, asked_at=utc_now()
        )
    assert isinstance(minted, password_resets.MintedReset)
    assert [status_of(caller) for caller in (reader, other, machine)] == [200] * 3
    assert change(reader).status_code == 204
    assert [status_of(caller) for caller in (reader, other, machine)] == [200, 401, 401]
    assert status_of(stranger) == 200
    assert log_in(client, reader.login, PASSWORD).status_code == 401
    assert log_in(client, reader.login, NEW_PASSWORD).status_code == 200
    late = {"token": minted.token, "password": "a third password for tests"}
    assert client.post("/api/v1/auth/password-reset/confirm", json=late).status_code == 401
    run_ready_jobs(worker)
    (notice,) = mail_sink.messages()
    assert (notice["To"], notice["Subject"]) == (reader.email, "Your password was changed")
    with sessions() as session:
        told = select(ActivityLog.actor_id).where(ActivityLog.action == "password.change")
        assert session.scalars(told).all() == [reader.id]


@pytest.mark.parametrize(
    ("current", "new", "status", "field"),
    [
        ("not the password", NEW_PASSWORD, 401, None),
        (PASSWORD, "short", 422, "body.new_password"),
        (PASSWORD, "password1234", 422, "body.new_password"),
        (PASSWORD, "x" * 129, 422, "body.new_password"),
        ("", NEW_PASSWORD, 422, "body.current_password"),
    ],
)
def test_what_is_refused_changes_and_ends_nothing(
    client: FlaskClient,
    sessions: sessionmaker[Session],
    current: str,
    new: str,
    status: int,
    field: str | None,
) -> None:
    reader = Caller(client, RoleName.READER)
    other = another_session(reader)
    refused = change(reader, current, new)
    assert refused.status_code == status
    named = [error["field"] for error in refused.get_json()["errors"]]
    assert named == ([field] if field else [])
    assert (status_of(reader), status_of(other)) == (200, 200)
    assert log_in(client, reader.login, PASSWORD).status_code == 200
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 0


def test_no_key_changes_the_password(client: FlaskClient) -> None:
    reader = Caller(client, RoleName.READER)
    assert change(key_of(reader)).status_code == 403
    assert log_in(client, reader.login, PASSWORD).status_code == 200


def test_guesses_in_an_open_session_have_to_wait_at_each_door_and_a_right_one_is_forgiven(
    braked: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(braked, RoleName.READER)
    other = another_session(reader)
    # A right password beside a new one that would be guessed counts for nothing.
    assert [change(reader, new="password1234").status_code for _ in range(5)] == [422] * 5
    asked = {"name": "a", "scopes": ["read"], "expires_in_days": 1, "password": "not the password"}
    tries = [change(reader, "not the password").status_code for _ in range(3)]
    tries += [reader.call("POST", "/auth/api-keys", asked).status_code for _ in range(2)]
    assert tries == [401] * 5
    with sessions.begin() as session:
        # The wait that has begun is a second; it shall last for as long as this test.
        moment = utc_now() + timedelta(minutes=15)
        began = update(SignInThrottle).where(SignInThrottle.failures == 5)
        session.execute(began.values(blocked_until=moment))
    for refused in (change(reader), reader.call("POST", "/auth/api-keys", asked)):
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
    # Who found one session open holds up neither the owner's own one nor a login.
    assert log_in(braked, reader.login, PASSWORD).status_code == 200
    assert change(other).status_code == 204
    assert status_of(reader) == 401


def test_of_many_changes_at_once_one_gets_through(
    app: ImprintApp, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(app.test_client(), RoleName.READER)
    callers = [reader, *(another_session(reader) for _ in range(5))]

    def go(turn: int) -> str:
        mine = Caller.__new__(Caller)
        mine.client, mine.token = app.test_client(), callers[turn].token
        return str(change(mine, new=f"{NEW_PASSWORD} {turn}").status_code)

    assert at_once(go, 6) == ["204"] + ["401"] * 5
    with sessions() as session:
        live = select(AccessToken.id).where(AccessToken.revoked_at.is_(None))
        assert len(session.scalars(live).all()) == 1
    opened = [
        log_in(app.test_client(), reader.login, f"{NEW_PASSWORD} {turn}").status_code
        for turn in range(6)
    ]
    assert sorted(opened) == [200] + [401] * 5


def test_a_login_that_races_with_a_change_does_not_outlive_it(
    app: ImprintApp, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(app.test_client(), RoleName.READER)

    def go(turn: int) -> str:
        mine = Caller.__new__(Caller)
        mine.client, mine.token, mine.login = app.test_client(), reader.token, reader.login
        if turn == 0:
            return f"change {change(mine).status_code}"
        return f"login {log_in(mine.client, mine.login, PASSWORD).status_code}"

    came = at_once(go, 8)
    assert came[0] == "change 204"
    assert set(came[1:]) <= {"login 200", "login 401"}
    with sessions() as session:
        live = select(AccessToken.id).where(AccessToken.revoked_at.is_(None))
        assert len(session.scalars(live).all()) == 1


def test_what_was_checked_before_something_else_came_between_changes_nothing(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    """The password is checked while nothing is locked, so all of it is asked again."""
    reader = Caller(client, RoleName.READER)
    actor = actor_of(reader, sessions)
    with sessions() as session:
        login = check_again(session, reader.id, PASSWORD)
    with sessions.begin() as session:
        standing.revoke_sessions(session, reader.id)
    with (
        pytest.raises(AuthenticationError, match="session has ended"),
        sessions.begin() as session,
    ):
        password_changes.change(session, actor, login, NEW_PASSWORD)
    with sessions.begin() as session:
        standing.disable(session, None, reader.id, "off")
    with pytest.raises(AuthenticationError), sessions.begin() as session:
        password_changes.change(session, actor, login, NEW_PASSWORD)
