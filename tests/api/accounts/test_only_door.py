"""Promises of an API whose only door is an issuer."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import func, update
from sqlalchemy.orm import Session, sessionmaker

from tests.api.accounts.issuer_apis import api_with
from tests.factories import PASSWORD, Caller
from tests.issuers import RETURN_URL, running_issuer, sign_in
from webapp.api.password_door import CLOSED, OF_PASSWORDS
from webapp.app import create_app
from webapp.kit.roles import RoleName
from webapp.models import User
from webapp.settings import Settings

ELSEWHERE: dict[str, Any] = {
    "name": "company",
    "url": "https://issuer.example.org",
    "client_id": "imprint",
    "return_urls": [RETURN_URL],
}
# Each with a body that opens it while passwords do.
OF_PASSWORDS_ALONE: dict[str, tuple[str, str, Any]] = {
    "auth.log_in": ("POST", "/api/v1/auth/token", {"login": "boss", "password": PASSWORD}),
    "accounts.register": (
        "POST",
        "/api/v1/accounts",
        {"login": "new", "email": "new@example.org", "password": PASSWORD},
    ),
    "auth.request_password_reset": (
        "POST", "/api/v1/auth/password-reset", {"email": "boss@example.org"},
    ),
    "auth.confirm_password_reset": (
        "POST", "/api/v1/auth/password-reset/confirm", {"token": "x", "password": PASSWORD},
    ),
    "passwords.change_password": (
        "PUT", "/api/v1/accounts/me/password",
        {"current_password": PASSWORD, "new_password": "another password for tests"},
    ),
    "factors.finish_sign_in": ("POST", "/api/v1/auth/second-factor", {}),
    "factors.ask_passkey": ("POST", "/api/v1/auth/second-factor/passkey-options", {}),
    "passkeys.ask_anybody": ("POST", "/api/v1/auth/passkeys/sign-in-options", None),
    "passkeys.sign_in": ("POST", "/api/v1/auth/passkeys/sign-in", {}),
    "reset_password_page": ("GET", "/reset-password", None),
    "reset_password": ("POST", "/reset-password", None),
}  # fmt: skip


def test_every_view_of_passwords_is_asked_for_below() -> None:
    app = create_app(Settings(_env_file=None, environment="development"))
    marked = {name for name, view in app.view_functions.items() if hasattr(view, OF_PASSWORDS)}
    assert marked == set(OF_PASSWORDS_ALONE)


@pytest.mark.parametrize("endpoint", OF_PASSWORDS_ALONE)
def test_where_issuers_are_the_only_door_nothing_of_passwords_opens(
    settings: Settings, endpoint: str
) -> None:
    method, path, body = OF_PASSWORDS_ALONE[endpoint]
    with api_with(settings, ELSEWHERE, password_sign_in=False) as client:
        owner = Caller(client, RoleName.READER)
        headers = {"Authorization": f"Bearer {owner.token}"}
        answers = [
            client.open(path, method=method, json=body),
            client.open(path, method=method, json=body, headers=headers),
            client.open(path, method=method, data="not JSON at all"),
        ]
        assert {answer.status_code for answer in answers} == {403}
        assert all(CLOSED in answer.get_data(as_text=True) for answer in answers)
        # Who is in stays in.
        assert owner.call("GET", "/accounts/me").status_code == 200
        listed = client.get("/api/v1/auth/issuers").get_json()
        assert listed["password_sign_in"] is False


def test_the_issuer_answers_for_the_second_factor(
    settings: Settings, tmp_path: Path, sessions: sessionmaker[Session]
) -> None:
    people = {"anna": {"email": "anna@example.org", "email_verified": True}}
    trusted: dict[str, Any] = {"trusts_addresses": True, "makes_accounts": True}

    def read_as_anna(client: FlaskClient) -> int:
        headers = {"Authorization": f"Bearer {sign_in(client, 'anna').get_json()['access_token']}"}
        return client.get("/api/v1/follows", headers=headers).status_code

    with running_issuer(tmp_path, people=people) as issuer:
        wanted: dict[str, Any] = {"second_factor_roles": "reader"}
        with api_with(settings, issuer.setting(**trusted), **wanted) as client:
            # Passwords open the account as well, so it has to have a factor of its own.
            assert read_as_anna(client) == 403
        with api_with(settings, issuer.setting(), password_sign_in=False, **wanted) as client:
            assert read_as_anna(client) == 200
        with sessions.begin() as session:
            session.execute(update(User).values(second_factor_at=func.clock_timestamp()))
        with api_with(settings, issuer.setting(), **wanted) as client:
            assert read_as_anna(client) == 200


def test_the_issuer_opens_and_an_operator_makes_an_admin_who_comes_in_by_it(
    settings: Settings, tmp_path: Path, commands: FlaskCliRunner
) -> None:
    made = commands.invoke(
        args=["accounts", "create-admin", "--login", "boss", "--email", "boss@example.org"],
        input=f"{PASSWORD}\n{PASSWORD}\n",
    )
    assert made.exit_code == 0, made.output
    people = {"boss": {"email": "boss@example.org", "email_verified": True}}
    with (
        running_issuer(tmp_path, people=people) as issuer,
        api_with(settings, issuer.setting(trusts_addresses=True), password_sign_in=False) as client,
    ):
        token = sign_in(client, "boss").get_json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        me = client.get("/api/v1/accounts/me", headers=headers).get_json()
    assert (me["login"], me["role"]) == ("boss", "admin")
