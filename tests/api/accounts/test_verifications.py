"""Promises of registering and of proving an address over the API."""

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.factories import PASSWORD, Caller, run_ready_jobs
from webapp.app import create_app
from webapp.kit.roles import RoleName
from webapp.models import MailDelivery, User
from webapp.settings import Settings
from workers.context import WorkerContext

TOKEN = re.compile(r"^Verification token: (\S+)", re.M)


def register(client: FlaskClient, login: str, email: str) -> dict[str, object]:
    """Register and return the answer, with its status."""
    account = {"login": login, "email": email, "password": PASSWORD}
    answer = client.post("/api/v1/accounts", json=account)
    return {"status": answer.status_code, **answer.get_json()}


def mails_to(mail_sink: MailSink, address: str) -> list[str]:
    """Return the texts of all mails to an address, oldest first."""
    found = [mail for mail in mail_sink.messages() if address.lower() in str(mail["To"]).lower()]
    bodies = [mail.get_body(("plain",)) for mail in found]
    return [body.get_content() for body in bodies if body is not None]


def test_an_address_is_proven_by_the_mail_and_by_nobody_twice(
    client: FlaskClient, worker: WorkerContext, mail_sink: MailSink
) -> None:
    reader = Caller(client, RoleName.READER)
    assert reader.call("GET", "/accounts/me").get_json()["email_verified"] is False
    assert reader.call("POST", "/auth/verify-email/resend").status_code == 202
    run_ready_jobs(worker)
    (mail,) = mails_to(mail_sink, reader.email)
    (token,) = TOKEN.findall(mail)
    assert f"/verify-email?token={token}" in mail
    proof = {"token": token}
    assert client.post("/api/v1/auth/verify-email", json=proof).status_code == 204
    assert reader.call("GET", "/accounts/me").get_json()["email_verified"] is True
    again = client.post("/api/v1/auth/verify-email", json=proof)
    made_up = client.post("/api/v1/auth/verify-email", json={"token": "made up"})
    assert again.status_code == made_up.status_code == 401
    assert again.get_json()["detail"] == made_up.get_json()["detail"]
    assert reader.call("POST", "/auth/verify-email/resend").status_code == 409


def test_an_address_that_is_known_is_told_by_mail_alone(
    client: FlaskClient, worker: WorkerContext, mail_sink: MailSink
) -> None:
    owner = Caller(client, RoleName.READER)
    assert owner.call("POST", "/auth/verify-email/resend").status_code == 202
    run_ready_jobs(worker)
    (token,) = TOKEN.findall(mails_to(mail_sink, owner.email)[0])
    assert client.post("/api/v1/auth/verify-email", json={"token": token}).status_code == 204
    known = register(client, "stranger", owner.email.upper())
    unknown = register(client, "newcomer", "new@example.org")
    differing = {"id", "login", "email", "display_name", "created_at"}
    assert {k: v for k, v in known.items() if k not in differing} == {
        k: v for k, v in unknown.items() if k not in differing
    }
    assert set(known) == set(unknown)
    run_ready_jobs(worker)
    told = mails_to(mail_sink, owner.email)[-1]
    assert "There already is" in told
    assert not TOKEN.findall(told)
    assert "stranger" not in told
    for login in ("stranger", "newcomer"):
        opened = client.post("/api/v1/auth/token", json={"login": login, "password": PASSWORD})
        headers = {"Authorization": f"Bearer {opened.get_json()['access_token']}"}
        me = client.get("/api/v1/accounts/me", headers=headers).get_json()
        assert me["email_verified"] is False
        resent = client.post("/api/v1/auth/verify-email/resend", headers=headers)
        assert resent.status_code == 202


def test_a_resend_is_refused_when_asked_for_too_often(client: FlaskClient) -> None:
    reader = Caller(client, RoleName.READER)
    statuses = [reader.call("POST", "/auth/verify-email/resend").status_code for _ in range(4)]
    assert statuses == [202, 202, 202, 429]
    refused = reader.call("POST", "/auth/verify-email/resend")
    assert 0 < int(refused.headers["Retry-After"]) <= 3_600


def test_no_mail_goes_to_an_address_for_an_account_that_lost_it(
    client: FlaskClient,
    worker: WorkerContext,
    mail_sink: MailSink,
    sessions: sessionmaker[Session],
) -> None:
    editor = Caller(client, RoleName.EDITOR)
    owner = Caller(client, RoleName.READER)
    register(client, "stranger", owner.email)
    opened = client.post("/api/v1/auth/token", json={"login": "stranger", "password": PASSWORD})
    headers = {"Authorization": f"Bearer {opened.get_json()['access_token']}"}
    path = f"/api/v1/follows/author/{editor.id}"
    made = editor.call("POST", "/content", {"title": "First"}).get_json()
    editor.call("POST", f"/content/{made['id']}/publish", {"notify": False}, If_Match="*")
    assert client.put(path, headers=headers).status_code in {200, 201, 204}
    with sessions.begin() as session:
        session.get_one(User, owner.id).email_proven_at = session.scalar(
            select(User.created_at).where(User.id == owner.id)
        )
    made = editor.call("POST", "/content", {"title": "Second"}).get_json()
    editor.call("POST", f"/content/{made['id']}/publish", {}, If_Match="*")
    run_ready_jobs(worker)
    assert not [mail for mail in mails_to(mail_sink, owner.email) if "Second" in mail]
    with sessions() as session:
        found = session.execute(select(MailDelivery.state, MailDelivery.answer)).all()
    assert set(found) == {("suppressed", "account off, mail not wanted, or address of another")}


@pytest.fixture
def strict_client(request: pytest.FixtureRequest, settings: Settings) -> Iterator[FlaskClient]:
    """A client of an API that lets unverified accounts do what the parameter says."""
    app = create_app(settings.model_copy(update={"unverified_accounts": request.param}))
    yield app.test_client()
    assert app.context is not None
    app.context.readers.close()
    app.context.engine.dispose()


@pytest.mark.parametrize(
    ("strict_client", "reads", "writes"),
    [("everything", 200, 204), ("read", 200, 403), ("nothing", 403, 403)],
    indirect=["strict_client"],
)
def test_what_an_unverified_account_may_do_is_a_setting(
    strict_client: FlaskClient, sessions: sessionmaker[Session], reads: int, writes: int
) -> None:
    reader = Caller(strict_client, RoleName.READER)
    asked = {
        "GET /notifications": reads,
        "POST /notifications/read-all": writes,
        "GET /accounts/me": 200,
        "PATCH /accounts/me": 200,
        "POST /auth/verify-email/resend": 202,
        "GET /auth/sessions": 200,
    }

    def statuses() -> dict[str, int]:
        found = {}
        for line in asked:
            method, path = line.split()
            body = {"bio": "Here."} if method == "PATCH" else None
            found[line] = reader.call(method, path, body, If_Match="*").status_code
        return found

    assert statuses() == asked
    with sessions.begin() as session:
        session.get_one(User, reader.id).email_proven_at = session.scalar(select(User.created_at))
    assert statuses() == {
        "GET /notifications": 200,
        "POST /notifications/read-all": 204,
        "GET /accounts/me": 200,
        "PATCH /accounts/me": 200,
        "POST /auth/verify-email/resend": 409,
        "GET /auth/sessions": 200,
    }
