"""What tests do with passkeys over the API."""

from typing import Any

from flask.testing import FlaskClient

from tests.factories import PASSWORD, Caller
from tests.soft_authenticator import SoftAuthenticator


def ask_to_add(caller: Caller) -> dict[str, Any]:
    """Return what a browser makes a passkey with."""
    answer = caller.call("POST", "/auth/passkeys/creation-options", {"password": PASSWORD})
    assert answer.status_code == 200, answer.get_json()
    options: dict[str, Any] = answer.get_json()["options"]
    return options


def add(caller: Caller, device: SoftAuthenticator, name: str = "Telephone") -> Any:
    """Add the passkey of a device."""
    made = device.make(ask_to_add(caller))
    return caller.call("POST", "/auth/passkeys", {"name": name, "credential": made})


def added(caller: Caller, **device: Any) -> SoftAuthenticator:
    """Return a device whose passkey was added."""
    made = SoftAuthenticator(**device)
    assert add(caller, made).status_code == 201
    return made


def options_for(client: FlaskClient, token: str | None = None) -> dict[str, Any]:
    """Return what a passkey is asked with, for the second step of a login or to sign in alone."""
    if token is None:
        answer = client.post("/api/v1/auth/passkeys/sign-in-options")
    else:
        path, body = "/api/v1/auth/second-factor/passkey-options", {"second_factor_token": token}
        answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.get_json()
    options: dict[str, Any] = answer.get_json()["options"]
    return options


def sign_in(client: FlaskClient, said: dict[str, Any], key: str | None = None) -> Any:
    """Sign in by what a passkey says."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/api/v1/auth/passkeys/sign-in", json={"passkey": said}, headers=headers)
