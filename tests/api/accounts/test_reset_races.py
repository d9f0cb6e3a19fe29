"""Promise about one reset token in many hands: it sets one password."""

from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import Caller
from webapp.api.edge import ImprintApp
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email
from webapp.models import ActivityLog, Job
from webapp.services.accounts import password_resets

AT_ONCE = 20


def may_log_in(client: FlaskClient, login: str, password: str) -> bool:
    credentials = {"login": login, "password": password}
    return client.post("/api/v1/auth/token", json=credentials).status_code == 200


def test_of_twenty_confirmations_of_one_token_one_sets_its_password(
    app: ImprintApp, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(app.test_client(), RoleName.READER)
    with sessions.begin() as session:
        minted = password_resets.mint_token(
            session, hash_email(reader.email), minutes=10, asked_at=utc_now()
        )
    assert isinstance(minted, password_resets.MintedReset)
    won = []

    def confirm(turn: int) -> str:
        body = {"token": minted.token, "password": f"password of turn {turn} of many"}
        answer = app.test_client().post("/api/v1/auth/password-reset/confirm", json=body)
        if answer.status_code == 204:
            won.append(turn)
            return "set"
        return f"{answer.status_code} {answer.get_json()['detail']}"

    refused = f"401 {password_resets.WRONG_TOKEN}"
    assert at_once(confirm, AT_ONCE) == [refused] * (AT_ONCE - 1) + ["set"]
    client = app.test_client()
    passwords = [f"password of turn {turn} of many" for turn in (won[0], (won[0] + 1) % AT_ONCE)]
    assert [may_log_in(client, reader.login, password) for password in passwords] == [True, False]
    with sessions() as session:
        used = select(func.count()).where(ActivityLog.action == "password.reset.used")
        told = select(func.count()).where(Job.kind == "password_changed.send")
        assert (session.scalar(used), session.scalar(told)) == (1, 1)
