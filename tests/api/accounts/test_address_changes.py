"""Promises about another address: it is proven before it counts, and the former one is told."""

import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.at_once import at_once
from tests.factories import PASSWORD, Caller, run_ready_jobs
from tests.statements import noting_statements
from webapp.api.edge import ImprintApp
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog, EmailVerification, User
from workers.context import WorkerContext

TOKEN = re.compile(r"^Verification token: (\S+)", re.M)
NEW = "New.Address@example.org"


def ask(caller: Caller, email: str = NEW, password: str = PASSWORD) -> Any:
    """Ask for another address."""
    return caller.call("PUT", "/accounts/me/email", {"email": email, "current_password": password})


def mails_to(mail_sink: MailSink, address: str) -> list[str]:
    """Return the texts of all mails to an address, oldest first."""
    found = [mail for mail in mail_sink.messages() if address.lower() in str(mail["To"]).lower()]
    bodies = [mail.get_body(("plain",)) for mail in found]
    return [body.get_content() for body in bodies if body is not None]


def newest_token(worker: WorkerContext, mail_sink: MailSink, address: str) -> str:
    """Run the jobs and return the token in the newest mail to an address."""
    run_ready_jobs(worker)
    (token,) = TOKEN.findall(mails_to(mail_sink, address)[-1])
    return str(token)


def confirm(client: FlaskClient, token: str) -> int:
    return int(client.post("/api/v1/auth/verify-email", json={"token": token}).status_code)


def proven(
    client: FlaskClient, worker: WorkerContext, mail_sink: MailSink, role: RoleName
) -> Caller:
    """Return a new account whose address is proven."""
    caller = Caller(client, role)
    assert caller.call("POST", "/auth/verify-email/resend").status_code == 202
    assert confirm(client, newest_token(worker, mail_sink, caller.email)) == 204
    return caller


def address_of(caller: Caller) -> tuple[str, bool]:
    me = caller.call("GET", "/accounts/me").get_json()
    return me["email"], me["email_verified"]


def test_an_address_counts_when_it_is_proven_and_the_former_one_is_told(
    client: FlaskClient,
    worker: WorkerContext,
    mail_sink: MailSink,
    sessions: sessionmaker[Session],
) -> None:
    reader = proven(client, worker, mail_sink, RoleName.READER)
    assert ask(reader).status_code == 202
    token = newest_token(worker, mail_sink, NEW)
    assert client.get(f"/verify-email?token={token}").status_code == 200
    assert address_of(reader) == (reader.email, True)
    assert confirm(client, token) == 204
    assert confirm(client, token) == 401
    assert address_of(reader) == (NEW, True)
    run_ready_jobs(worker)
    told = mails_to(mail_sink, reader.email)[-1]
    assert "has another address now" in told
    assert NEW.lower() not in told.lower()
    client.post("/api/v1/auth/password-reset", json={"email": reader.email})
    before = len(mails_to(mail_sink, reader.email))
    run_ready_jobs(worker)
    assert len(mails_to(mail_sink, reader.email)) == before
    with sessions() as session:
        lines = select(ActivityLog).where(ActivityLog.action.like("email.change%"))
        found = session.scalars(lines.order_by(ActivityLog.id)).all()
    assert [line.action for line in found] == ["email.change.requested", "email.change"]
    assert not [line for line in found if "example.org" in f"{line.details}{line.changes}"]


def test_it_takes_the_password_and_no_key_suffices(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(client, RoleName.READER)
    asked = {"name": "agent", "scopes": ["manage"], "expires_in_days": 1, "password": PASSWORD}
    machine = Caller.__new__(Caller)
    machine.client = client
    machine.token = reader.call("POST", "/auth/api-keys", asked).get_json()["key"]
    assert ask(machine).status_code == 403
    assert ask(reader, password="not the password").status_code == 401
    assert ask(reader, email="no address").status_code == 422
    with sessions() as session:
        assert session.scalars(select(EmailVerification)).all() == []


def test_nothing_but_a_mail_tells_that_the_address_is_known(
    app: ImprintApp, client: FlaskClient, worker: WorkerContext, mail_sink: MailSink
) -> None:
    owner = proven(client, worker, mail_sink, RoleName.READER)
    stranger = Caller(client, RoleName.READER)
    assert app.context is not None
    answers, statements = [], []
    for email in (owner.email.upper(), "nobody@example.org"):
        with noting_statements(app.context.engine) as noted:
            answer = ask(stranger, email)
        answers.append((answer.status_code, answer.get_json()))
        statements.append(noted)
    assert answers[0] == answers[1] == (202, {"detail": "A mail is on its way."})
    assert statements[0] == statements[1]
    assert ask(stranger, owner.email).status_code == 202
    run_ready_jobs(worker)
    told = mails_to(mail_sink, owner.email)[-1]
    assert "There already is one with it" in told
    assert not TOKEN.findall(told)
    assert stranger.login not in told
    assert address_of(stranger) == (stranger.email, False)
    # Three requests an hour, whatever the addresses.
    for email in (owner.email, "nobody@example.org"):
        refused = ask(stranger, email)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 3_600


def test_of_two_accounts_that_take_one_address_at_once_one_has_it(
    app: ImprintApp,
    worker: WorkerContext,
    mail_sink: MailSink,
    sessions: sessionmaker[Session],
) -> None:
    client = app.test_client()
    callers = [Caller(client, RoleName.READER) for _ in range(2)]
    tokens = []
    for caller in callers:
        assert ask(caller).status_code == 202
        tokens.append(newest_token(worker, mail_sink, NEW))
    came = at_once(lambda turn: str(confirm(app.test_client(), tokens[turn])), 2)
    assert came == ["204", "401"]
    with sessions() as session:
        held = session.scalars(select(User.id).where(User.email == NEW)).all()
    assert sorted(address_of(caller)[0] == NEW for caller in callers) == [False, True]
    assert len(held) == 1


def test_a_change_of_the_password_ends_what_was_asked_for_with_the_old_one(
    client: FlaskClient, worker: WorkerContext, mail_sink: MailSink
) -> None:
    reader = Caller(client, RoleName.READER)
    assert reader.call("POST", "/auth/verify-email/resend").status_code == 202
    own = newest_token(worker, mail_sink, reader.email)
    body = {"current_password": PASSWORD, "new_password": "another password for tests"}
    assert reader.call("PUT", "/accounts/me/password", body).status_code == 204
    # The proof of the address that it has goes on; that of another one does not.
    assert confirm(client, own) == 204
    assert ask(reader, password="another password for tests").status_code == 202
    other = newest_token(worker, mail_sink, NEW)
    body = {"current_password": body["new_password"], "new_password": "a third one for tests"}
    assert reader.call("PUT", "/accounts/me/password", body).status_code == 204
    assert confirm(client, other) == 401
    assert address_of(reader) == (reader.email, True)
