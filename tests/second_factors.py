"""A telephone with an authenticator app, for tests: it enrols itself and shows codes."""

import time
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import PASSWORD, Caller
from webapp.kit.one_time_codes import STEP_SECONDS, totp_code
from webapp.models import TotpFactor


class Telephone:
    """The app of one account, enrolled over the API."""

    def __init__(self, caller: Caller, sessions: sessionmaker[Session]) -> None:
        """Enrol the app of somebody who has signed in."""
        self.caller, self._sessions = caller, sessions
        made = caller.call("POST", "/auth/second-factors/totp", {"password": PASSWORD})
        assert made.status_code == 201, made.get_json()
        self.secret: str = made.get_json()["secret"]
        self.uri: str = made.get_json()["otpauth_uri"]
        confirmed = caller.call("POST", "/auth/second-factors/totp/confirm", {"code": self.code()})
        assert confirmed.status_code == 200, confirmed.get_json()
        self.recovery_codes: list[str] = confirmed.get_json()["recovery_codes"]
        self.forget()

    def code(self, steps_from_now: int = 0) -> str:
        """Return what the app shows now, or will in so many steps, or did."""
        return totp_code(self.secret, self.step() + steps_from_now)

    def step(self) -> int:
        """Return the time step of now."""
        return int(time.time()) // STEP_SECONDS

    def forget(self, last_step: int = 0) -> None:
        """Let the last code that was taken be of another step: one of long ago."""
        own = update(TotpFactor).where(TotpFactor.user_id == self.caller.id)
        with self._sessions.begin() as session:
            session.execute(own.values(last_step=last_step))


Network = dict[str, str]
HERE: Network = {"REMOTE_ADDR": "127.0.0.1"}


def log_in(
    caller: Caller, password: str = PASSWORD, network: Network = HERE, **headers: str
) -> Any:
    """Take the first step of a login."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    credentials = {"login": caller.login, "password": password}
    return caller.client.post(
        "/api/v1/auth/token", json=credentials, headers=named, environ_base=network
    )


def begin_login(caller: Caller, network: Network = HERE) -> str:
    """Take the first step of a login that wants a second one; returns its token."""
    answer = log_in(caller, network=network)
    assert answer.status_code == 202, answer.get_json()
    return str(answer.get_json()["second_factor_token"])


def second_step(
    caller: Caller, token: str, *, key: str | None = None, network: Network = HERE, **shown: Any
) -> Any:
    """Take the second step of a login."""
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"second_factor_token": token, **shown}
    return caller.client.post(
        "/api/v1/auth/second-factor", json=body, headers=headers, environ_base=network
    )
