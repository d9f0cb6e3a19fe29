"""Promises about doors that anybody may knock at: they tell nothing of who is known there."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.factories import Caller, run_ready_jobs
from tests.statements import noting_statements
from webapp.api.edge import ImprintApp
from webapp.kit.roles import RoleName
from webapp.services.accounts import freezes, standing
from workers.context import WorkerContext


def ask_for_reset(client: FlaskClient, name: str, network: str) -> Any:
    body = {"email": f"{name}@example.org"}
    return client.post(
        "/api/v1/auth/password-reset", json=body, environ_base={"REMOTE_ADDR": network}
    )


def log_in_wrongly(client: FlaskClient, name: str, network: str) -> Any:
    body = {"login": name, "password": "not the password"}
    return client.post("/api/v1/auth/token", json=body, environ_base={"REMOTE_ADDR": network})


def names_of_every_standing(client: FlaskClient, sessions: sessionmaker[Session]) -> list[str]:
    """Make three accounts and return their logins, and one that nobody has."""
    known, disabled, frozen = (Caller(client, RoleName.READER) for _ in range(3))
    with sessions.begin() as session:
        standing.disable(session, None, disabled.id, "off")
        freezes.freeze(session, freezes.mint(session, frozen.id))
    return ["nobody", known.login, disabled.login, frozen.login]


@pytest.mark.parametrize(("knock", "status"), [(ask_for_reset, 202), (log_in_wrongly, 401)])
def test_the_answer_and_the_work_are_the_same_for_accounts_of_every_standing_and_for_none(
    braked: FlaskClient,
    sessions: sessionmaker[Session],
    knock: Callable[[FlaskClient, str, str], Any],
    status: int,
) -> None:
    app: ImprintApp = braked.application  # type: ignore[assignment]
    assert app.context is not None
    names = names_of_every_standing(braked, sessions)
    knock(braked, "somebody else", "192.0.2.9")  # Connections and the rest come into being.
    answers, statements = [], []
    for turn, name in enumerate(names):
        with noting_statements(app.context.engine) as noted:
            answer = knock(braked, name, f"192.0.{turn + 10}.1")
        told = {key: value for key, value in answer.get_json().items() if key != "request_id"}
        kept = {name for name, _ in answer.headers if name != "X-Request-ID"}
        answers.append((answer.status_code, told, kept))
        statements.append(noted)
    assert answers[0][0] == status
    assert answers[1:] == answers[:1] * 3
    assert statements[1:] == statements[:1] * 3
    assert len(statements[0]) > 1  # What is done, and its commit.


def test_a_used_a_wrong_and_an_expired_or_replaced_token_are_told_the_same(
    app: ImprintApp, worker: WorkerContext, mail_sink: MailSink
) -> None:
    client = app.test_client()
    reader = Caller(client, RoleName.READER)

    def new_token() -> str:
        client.post("/api/v1/auth/password-reset", json={"email": reader.email})
        run_ready_jobs(worker)
        mail = [mail for mail in mail_sink.messages() if mail["Subject"] == "Set a new password"]
        body = mail[-1].get_body(("plain",))
        assert body is not None
        (token,) = re.findall(r"^Token: (\S+)", body.get_content(), re.M)
        return str(token)

    def use(token: str) -> tuple[int, str]:
        body = {"token": token, "password": "another password for tests"}
        answer = client.post("/api/v1/auth/password-reset/confirm", json=body)
        return answer.status_code, (answer.get_json() or {}).get("detail", "")

    replaced = new_token()
    used = new_token()
    refusals = [use(replaced)]
    assert use(used) == (204, "")
    refusals += [use(used), use("made up")]
    expired = new_token()
    with worker.transaction() as session:
        session.connection().exec_driver_sql(
            "UPDATE password_reset_tokens SET expires_at = clock_timestamp()"
        )
    refusals.append(use(expired))
    assert set(refusals) == {(401, "This reset token is unknown, used or expired.")}
