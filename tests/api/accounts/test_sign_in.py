"""Promises of logging in and of sessions over the API."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import PASSWORD, Caller
from tests.statements import noting_statements
from webapp.api.edge import ImprintApp
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email
from webapp.models import AccessToken, SignInThrottle
from webapp.services.accounts import password_resets

ABROAD = {"REMOTE_ADDR": "198.51.100.9"}
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.77"}


def guess(client: FlaskClient, login: str, password: str, network: dict[str, str]) -> int:
    """Try to log in from somewhere and return the status."""
    credentials = {"login": login, "password": password}
    answer = client.post("/api/v1/auth/token", json=credentials, environ_base=network)
    if answer.status_code == 429:
        assert int(answer.headers["Retry-After"]) > 0
    return answer.status_code


def test_guesses_have_to_wait_alike_for_every_login_and_the_owner_gets_in(
    braked: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    owner = Caller(braked, RoleName.READER)
    credentials = {"login": owner.login, "password": PASSWORD}
    assert braked.post("/api/v1/auth/token", json=credentials).status_code == 200
    for login, network in ((owner.login, ABROAD), ("nobody", ELSEWHERE)):
        tries = [guess(braked, login, "not the password", network) for _ in range(5)]
        assert tries == [401] * 5
        with sessions.begin() as session:
            # The wait that has begun is a second; it shall last for as long as this test.
            moment = utc_now() + timedelta(minutes=15)
            began = update(SignInThrottle).where(SignInThrottle.failures == 5)
            session.execute(began.values(blocked_until=moment))
        assert guess(braked, login, "not the password", network) == 429
    # The right password waits as well from there, an open session and a known place do not.
    assert guess(braked, owner.login, PASSWORD, ABROAD) == 429
    assert owner.call("GET", "/accounts/me").status_code == 200
    back = braked.post("/api/v1/auth/token", json=credentials)
    assert back.status_code == 200, back.get_json()
    with sessions.begin() as session:
        minted = password_resets.mint_token(
            session, hash_email(owner.email), minutes=10, asked_at=utc_now()
        )
    assert isinstance(minted, password_resets.MintedReset)
    confirmation = {"token": minted.token, "password": "a new and better one"}
    door = "/api/v1/auth/password-reset/confirm"
    assert braked.post(door, json=confirmation, environ_base=ABROAD).status_code == 204
    assert guess(braked, owner.login, "a new and better one", ABROAD) == 200


def test_a_session_that_is_not_used_ends(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(client, RoleName.READER)

    def unused_for(days: float) -> None:
        with sessions.begin() as session:
            used_at = utc_now() - timedelta(days=days)
            session.execute(update(AccessToken).values(created_at=used_at, last_used_at=used_at))

    unused_for(13.9)
    assert len(reader.call("GET", "/auth/sessions").get_json()["items"]) == 1
    unused_for(14.1)
    assert reader.call("GET", "/auth/sessions").status_code == 401


def test_the_use_of_a_session_is_noted_once_a_minute_with_its_address(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(client, RoleName.READER)
    headers = {"Authorization": f"Bearer {reader.token}"}

    def use(seconds_after: float) -> AccessToken:
        with sessions.begin() as session:
            used_at = utc_now() - timedelta(seconds=seconds_after)
            session.execute(
                update(AccessToken).values(created_at=used_at, last_used_at=used_at, address="")
            )
        client.get("/api/v1/accounts/me", headers=headers, environ_base=ABROAD)
        with sessions() as session:
            return session.scalars(select(AccessToken)).one()

    assert use(50).address == ""
    assert use(61).address == ABROAD["REMOTE_ADDR"]
    (line,) = reader.call("GET", "/auth/sessions").get_json()["items"]
    assert line["address"] == ABROAD["REMOTE_ADDR"]


def test_all_sessions_but_the_present_one_are_ended_at_once(client: FlaskClient) -> None:
    reader = Caller(client, RoleName.READER)
    credentials = {"login": reader.login, "password": PASSWORD}
    for _ in range(2):
        client.post("/api/v1/auth/token", json=credentials)
    assert len(reader.call("GET", "/auth/sessions").get_json()["items"]) == 3
    assert reader.call("DELETE", "/auth/sessions").status_code == 204
    (line,) = reader.call("GET", "/auth/sessions").get_json()["items"]
    assert line["is_current"] is True


@pytest.mark.parametrize(
    ("door", "sent", "waits_for_disk"), [("client", 5, ["on"]), ("braked", 10, ["off", "on"])]
)
def test_a_login_is_few_statements_and_one_commit_that_waits_for_the_disk(
    request: pytest.FixtureRequest, door: str, sent: int, waits_for_disk: list[str]
) -> None:
    client: FlaskClient = request.getfixturevalue(door)
    app: ImprintApp = client.application  # type: ignore[assignment]
    assert app.context is not None
    reader = Caller(client, RoleName.READER)

    def log_in() -> None:
        credentials = {"login": reader.login, "password": PASSWORD}
        assert client.post("/api/v1/auth/token", json=credentials).status_code == 200

    commits: list[str] = []

    def note_commit(connection: Connection) -> None:
        shown = connection.exec_driver_sql("SHOW synchronous_commit")
        commits.append(shown.scalar_one())

    log_in()  # From here on the place is familiar.
    with noting_statements(app.context.engine) as noted:
        log_in()
    assert len(noted) == sent, noted
    event.listen(app.context.engine, "commit", note_commit)
    log_in()
    event.remove(app.context.engine, "commit", note_commit)
    assert commits == waits_for_disk
