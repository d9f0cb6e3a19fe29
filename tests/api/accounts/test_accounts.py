"""Promises of the account API."""

from unicodedata import normalize

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import PASSWORD, Caller
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email
from webapp.models import User
from webapp.services.accounts import password_resets


def test_a_person_registers_logs_in_and_looks_at_themselves(client: FlaskClient) -> None:
    account = {"login": "Maria", "email": "maria@example.org", "password": PASSWORD}
    made = client.post("/api/v1/accounts", json=account)
    assert made.status_code == 201
    assert made.get_json()["role"] == "reader"
    assert "password" not in made.get_data(as_text=True)
    answer = client.post("/api/v1/auth/token", json={"login": "maria", "password": PASSWORD})
    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.get_json()
    assert token["token_type"] == "Bearer"
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert client.get("/api/v1/accounts/me", headers=headers).get_json() == made.get_json()
    assert client.delete("/api/v1/auth/token", headers=headers).status_code == 204
    refused = client.get("/api/v1/accounts/me", headers=headers)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_a_login_that_is_taken_is_a_conflict_without_an_account(client: FlaskClient) -> None:
    account = {"login": "maria", "email": "maria@example.org", "password": PASSWORD}
    assert client.post("/api/v1/accounts", json=account).status_code == 201
    taken = client.post("/api/v1/accounts", json={**account, "email": "other@example.org"})
    assert taken.status_code == 409
    assert "maria" not in taken.get_data(as_text=True)


def test_a_password_is_counted_and_known_in_any_form_that_a_keyboard_makes(
    client: FlaskClient,
) -> None:
    greek = "".join(chr(0x1F80 + number * 29 % 48) for number in range(128))
    hangul = "".join(chr(0xAC01 + number * 41) for number in range(128))
    for number, kept in enumerate((greek, hangul, "株式会社の新しい合言葉です")):
        typed = {"株": "\u337fの新しい合言葉です"}.get(kept[0], normalize("NFD", kept))
        account = {"login": f"maria{number}", "email": f"maria{number}@example.org"}
        made = client.post("/api/v1/accounts", json={**account, "password": typed})
        assert made.status_code == 201, made.get_json()
        for form in (typed, kept):
            credentials = {"login": account["login"], "password": form}
            assert client.post("/api/v1/auth/token", json=credentials).status_code == 200
    for wrong in ("e\u0301x" * 5, "e\u0301x" * 64 + "y"):
        refused = client.post("/api/v1/accounts", json={**account, "password": wrong})
        assert [error["field"] for error in refused.get_json()["errors"]] == ["body.password"]


def test_sessions_are_listed_and_revoked(client: FlaskClient) -> None:
    reader, other = Caller(client, RoleName.READER), Caller(client, RoleName.READER)
    credentials = {"login": reader.login, "password": PASSWORD}
    second = client.post("/api/v1/auth/token", json=credentials).get_json()["access_token"]
    lines = reader.call("GET", "/auth/sessions").get_json()["items"]
    assert [line["is_current"] for line in lines] == [True, False]
    path = f"/auth/sessions/{lines[1]['id']}"
    assert other.call("DELETE", path).status_code == 404
    assert reader.call("DELETE", path).status_code == 204
    headers = {"Authorization": f"Bearer {second}"}
    assert client.get("/api/v1/accounts/me", headers=headers).status_code == 401
    assert reader.call("GET", "/accounts/me").status_code == 200


def test_a_repeated_login_with_one_key_gets_the_same_token(client: FlaskClient) -> None:
    reader = Caller(client, RoleName.READER)
    credentials = {"login": reader.login, "password": PASSWORD}
    headers = {"Idempotency-Key": "login-1"}
    answers = [
        client.post("/api/v1/auth/token", json=credentials, headers=headers).get_json()
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    credentials["password"] = "not the password"
    refused = client.post("/api/v1/auth/token", json=credentials, headers=headers)
    assert refused.status_code == 401


def test_a_reset_is_answered_alike_for_every_address(client: FlaskClient) -> None:
    reader = Caller(client, RoleName.READER)
    answers = [
        client.post("/api/v1/auth/password-reset", json={"email": email})
        for email in (reader.email, "nobody@example.org")
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].data == answers[1].data
    confirmation = {"token": "made up", "password": PASSWORD}
    refused = client.post("/api/v1/auth/password-reset/confirm", json=confirmation)
    assert refused.status_code == 401


def test_managers_list_users_and_give_roles(client: FlaskClient) -> None:
    manager, reader = Caller(client, RoleName.MANAGER), Caller(client, RoleName.READER)
    first = manager.call("GET", "/users?limit=1").get_json()
    rest = manager.call("GET", f"/users?cursor={first['next']}").get_json()
    logins = [user["login"] for user in first["items"] + rest["items"]]
    assert logins == [manager.login, reader.login]
    path = f"/users/{reader.id}/role"
    assert reader.call("PUT", path, {"role": "admin"}, If_Match="*").status_code == 403
    assert manager.call("PUT", path, {"role": "admin"}, If_Match="*").status_code == 403
    promoted = manager.call("PUT", path, {"role": "editor"}, If_Match="*")
    assert promoted.get_json()["role"] == "editor"
    nobody = manager.call("PUT", "/users/999999/role", {"role": "editor"}, If_Match="*")
    assert (nobody.status_code, manager.call("GET", "/users/999999").status_code) == (404, 404)
    assert manager.call("GET", f"/users/{reader.id}").get_json()["role"] == "editor"
    assert reader.call("POST", "/content", {"title": "May write now"}).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "short"}, "body.password"),
        ({"email": "nonsense"}, "body.email"),
        ({"login": "with space"}, "body.login"),
        ({"login": "a\x00b"}, "body.login"),
        ({"display_name": "a\x00b"}, "body.display_name"),
        ({"display_name": "   "}, "body.display_name"),
        ({"role": "admin"}, "body.role"),
        ({"email": 5}, "body.email"),
    ],
)
def test_what_is_wrong_with_an_account_is_named(
    client: FlaskClient, change: dict[str, object], field: str
) -> None:
    account = {"login": "maria", "email": "maria@example.org", "password": PASSWORD}
    answer = client.post("/api/v1/accounts", json={**account, **change})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]


@pytest.mark.parametrize("password", ["password1234", "newsroom.maria", "Maria@example.org"])
def test_a_password_that_would_be_guessed_is_refused_at_every_door(
    client: FlaskClient, sessions: sessionmaker[Session], password: str
) -> None:
    account = {"login": "newsroom.maria", "email": "maria@example.org", "password": password}
    refused = client.post("/api/v1/accounts", json=account)
    assert refused.status_code == 422
    (error,) = refused.get_json()["errors"]
    assert error["field"] == "body.password"
    assert "would be guessed" in error["reason"]
    assert (
        client.post("/api/v1/accounts", json={**account, "password": PASSWORD}).status_code == 201
    )
    with sessions.begin() as session:
        minted = password_resets.mint_token(
            session, hash_email("maria@example.org"), minutes=10, asked_at=utc_now()
        )
    assert isinstance(minted, password_resets.MintedReset)
    door, confirmation = "/api/v1/auth/password-reset/confirm", {"token": minted.token}
    refused = client.post(door, json={**confirmation, "password": password})
    assert refused.status_code == 422
    # The token is still good, and a wrong one tells nothing of the password that came with it.
    wrong = client.post(door, json={"token": "made up", "password": password})
    assert wrong.status_code == 401
    better = client.post(door, json={**confirmation, "password": "a new and better one"})
    assert better.status_code == 204


@pytest.mark.usefixtures("real_hashes")
def test_a_password_of_before_the_rules_still_opens_its_account(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(client, RoleName.READER)
    weaker = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)
    for old in ("1234567890", "\u1f82" * 256):
        with sessions.begin() as session:
            session.get_one(User, reader.id).password_hash = weaker.hash(old)
        credentials = {"login": reader.login, "password": old}
        for _ in range(2):
            assert client.post("/api/v1/auth/token", json=credentials).status_code == 200
        with sessions() as session:
            kept = session.get_one(User, reader.id).password_hash
        assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
