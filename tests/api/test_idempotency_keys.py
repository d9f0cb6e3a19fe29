"""Promises of Idempotency-Keys: one effect for who chose the key, and no way to anybody else's."""

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import PASSWORD, Caller
from webapp.kit.roles import RoleName

COUNT = text("SELECT count(*) FROM idempotency_keys")


def register(client: FlaskClient, login: str, key: str = "1") -> Any:
    """Register an account under a key."""
    account = {"login": login, "email": f"{login}@example.org", "password": PASSWORD}
    return client.post("/api/v1/accounts", json=account, headers={"Idempotency-Key": key})


def test_two_strangers_may_choose_the_same_key(client: FlaskClient) -> None:
    first, second = register(client, "ann"), register(client, "bob")
    assert (first.status_code, second.status_code) == (201, 201)
    again = register(client, "ann")
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert register(client, "ann", "2").status_code == 409


def test_a_lost_right_ends_the_replay(client: FlaskClient, sessions: sessionmaker[Session]) -> None:
    editor, author = Caller(client, RoleName.EDITOR), Caller(client, RoleName.AUTHOR)
    item = author.call("POST", "/content", {"title": "Draft", "body": "secret"}).get_json()["id"]
    path = f"/content/{item}/trash"
    assert editor.call("POST", path, If_Match="*", Idempotency_Key="k").status_code == 200
    assert editor.call("POST", path, If_Match="*", Idempotency_Key="k").status_code == 200
    with sessions.begin() as session:
        demoted = "UPDATE users SET role_id = (SELECT id FROM roles WHERE name = 'author')"
        session.execute(text(f"{demoted} WHERE id = :id"), {"id": editor.id})
    refused = editor.call("POST", path, If_Match="*", Idempotency_Key="k")
    assert refused.status_code == 422
    assert "secret" not in refused.get_data(as_text=True)


def test_the_tag_that_was_read_is_a_part_of_the_request(client: FlaskClient) -> None:
    editor = Caller(client, RoleName.EDITOR)
    item = editor.call("POST", "/content", {"title": "x"}).get_json()["id"]
    path = f"/content/{item}/trash"
    assert editor.call("POST", path, If_Match='"1"', Idempotency_Key="k").status_code == 200
    assert editor.call("POST", path, If_Match='"2"', Idempotency_Key="k").status_code == 422
    assert editor.call("POST", path, If_Match='"1"', Idempotency_Key="k").status_code == 200


def test_a_key_fills_no_table_where_a_repeat_does_nothing_more(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(client, RoleName.READER)
    for key in ("a", "b"):
        headers = {"Idempotency_Key": key}
        assert reader.call("POST", "/notifications/read-all", **headers).status_code == 204
        reset = {"email": reader.email}
        assert reader.call("POST", "/auth/password-reset", reset, **headers).status_code == 202
        credentials = {"login": reader.login, "password": PASSWORD}
        assert reader.call("POST", "/auth/token", credentials, **headers).status_code == 200
    odd = reader.call("POST", "/notifications/read-all", Idempotency_Key="é")
    assert odd.status_code == 400
    with sessions() as session:
        assert session.scalar(COUNT) == 0


def test_a_repeated_login_gives_no_token_that_has_expired(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(client, RoleName.READER)
    credentials = {"login": reader.login, "password": PASSWORD}
    headers = {"Idempotency-Key": "k"}
    first = client.post("/api/v1/auth/token", json=credentials, headers=headers)
    again = client.post("/api/v1/auth/token", json=credentials, headers=headers)
    assert first.get_json() == again.get_json()
    with sessions.begin() as session:
        session.execute(text("UPDATE access_tokens SET expires_at = now() - interval '1 second'"))
    late = client.post("/api/v1/auth/token", json=credentials, headers=headers)
    assert late.status_code == 409
