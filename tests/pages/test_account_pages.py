"""Promises of the pages that account mails lead to: plain forms, and a look does nothing."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dev.mail_sink import MailSink
from tests.factories import PASSWORD, Caller, run_ready_jobs
from webapp.jobs.account_messages import SendFactorNotice
from webapp.jobs.outbox import enqueue
from webapp.kit.roles import RoleName
from workers.context import WorkerContext

LINK = re.compile(r"http://127\.0\.0\.1:8000(/[a-z-]+\?token=\S+)")
FIELD = re.compile(r'<input type="hidden" name="token" value="([^"]+)">')


@pytest.fixture
def reader(client: FlaskClient) -> Caller:
    """A reader whose address is not proven."""
    return Caller(client, RoleName.READER)


def link_in_mail(worker: WorkerContext, mail_sink: MailSink, subject: str) -> str:
    """Run the jobs and return the path of the link in the newest mail with this subject."""
    run_ready_jobs(worker)
    mail = [mail for mail in mail_sink.messages() if mail["Subject"] == subject][-1]
    body = mail.get_body(("plain",))
    assert body is not None
    (link,) = LINK.findall(body.get_content())
    return str(link)


def send(client: FlaskClient, opened: TestResponse, **fields: str) -> TestResponse:
    """Send the form of a page as a browser without JavaScript does."""
    (token,) = FIELD.findall(opened.get_data(as_text=True))
    path = opened.request.path
    return client.post(path, data={"token": unescape(token), **fields})


def may_log_in(client: FlaskClient, login: str, password: str) -> bool:
    credentials = {"login": login, "password": password}
    return client.post("/api/v1/auth/token", json=credentials).status_code == 200


def test_an_address_is_confirmed_by_the_form_and_by_no_look_at_it(
    client: FlaskClient, worker: WorkerContext, mail_sink: MailSink, reader: Caller
) -> None:
    assert reader.call("POST", "/auth/verify-email/resend").status_code == 202
    link = link_in_mail(worker, mail_sink, "Confirm your address")
    for _ in range(2):
        opened = client.get(link)
        assert reader.login in opened.get_data(as_text=True)
    assert reader.call("GET", "/accounts/me").get_json()["email_verified"] is False
    assert send(client, opened).status_code == 200
    assert reader.call("GET", "/accounts/me").get_json()["email_verified"] is True
    again = send(client, opened)
    assert (again.status_code, client.get(link).status_code) == (404, 404)
    assert "unknown, used or expired" in again.get_data(as_text=True)


def test_a_password_is_set_by_the_form_which_says_what_is_wrong_with_it(
    client: FlaskClient, worker: WorkerContext, mail_sink: MailSink, reader: Caller
) -> None:
    client.post("/api/v1/auth/password-reset", json={"email": reader.email})
    link = link_in_mail(worker, mail_sink, "Set a new password")
    opened = client.get(link)
    for password, reason in (
        ("short", "12 to 128 characters"),
        ("password1234", "common password"),
        ("x" * 5_000, "12 to 128 characters"),
        ("long enough\x00 but", ""),
    ):
        refused = send(client, opened, password=password)
        shown = refused.get_data(as_text=True)
        assert refused.status_code == 422
        assert reason in shown
        assert 'aria-describedby="rule error" aria-invalid="true"' in shown
        assert "<title>Error: " in shown
    assert may_log_in(client, reader.login, PASSWORD)
    assert send(client, opened, password="a new and better one").status_code == 200
    assert may_log_in(client, reader.login, "a new and better one")
    assert not may_log_in(client, reader.login, PASSWORD)
    used = send(client, opened, password="yet another better one")
    assert used.status_code == 401
    assert "unknown, used or expired" in used.get_data(as_text=True)


def test_a_form_that_another_site_sends_changes_nothing(
    client: FlaskClient, reader: Caller
) -> None:
    """There is nothing to ride on: no cookie, and no token but the one in the mail."""
    for path in ("/verify-email", "/reset-password", "/freeze-account"):
        forged = client.post(path, data={"password": "a new and better one"})
        assert forged.status_code in {401, 404}
        assert "Set-Cookie" not in forged.headers
    assert may_log_in(client, reader.login, PASSWORD)


def test_a_notice_leads_to_a_page_that_freezes_the_account(
    client: FlaskClient, worker: WorkerContext, mail_sink: MailSink, reader: Caller
) -> None:
    changed = {"current_password": PASSWORD, "new_password": "of somebody else"}
    assert reader.call("PUT", "/accounts/me/password", changed).status_code == 204
    link = link_in_mail(worker, mail_sink, "Your password was changed")
    for _ in range(2):
        opened = client.get(link)
        assert opened.status_code == 200
        assert reader.login in opened.get_data(as_text=True)
    assert reader.call("GET", "/accounts/me").status_code == 200
    assert client.post("/freeze-account", data={}).status_code == 404
    for _ in range(2):
        done = send(client, opened)
        assert (done.status_code, "is frozen" in done.get_data(as_text=True)) == (200, True)
    assert reader.call("GET", "/accounts/me").status_code == 401
    assert not may_log_in(client, reader.login, "of somebody else")
    assert "is frozen" in client.get(link).get_data(as_text=True)
    # The same press asked for the mail that leads back.
    reset = link_in_mail(worker, mail_sink, "Set a new password")
    assert send(client, client.get(reset), password="of its owner again").status_code == 200
    assert may_log_in(client, reader.login, "of its owner again")
    again = send(client, opened)
    assert (again.status_code, client.get(link).status_code) == (404, 404)
    assert "unknown, used or expired" in again.get_data(as_text=True)
    assert may_log_in(client, reader.login, "of its owner again")


def test_the_notice_of_a_second_factor_leads_there_as_well(
    client: FlaskClient, worker: WorkerContext, mail_sink: MailSink, reader: Caller
) -> None:
    with worker.transaction() as session:
        enqueue(session, SendFactorNotice(user_id=reader.id, change="passkey_added"))
    opened = client.get(link_in_mail(worker, mail_sink, "Your second factor was changed"))
    assert reader.login in opened.get_data(as_text=True)
    assert send(client, opened).status_code == 200
    assert not may_log_in(client, reader.login, PASSWORD)


@pytest.mark.parametrize("is_proven", [True, False])
def test_the_former_address_takes_the_account_back_where_it_was_proven(
    client: FlaskClient,
    worker: WorkerContext,
    mail_sink: MailSink,
    reader: Caller,
    is_proven: bool,
) -> None:
    if is_proven:
        assert reader.call("POST", "/auth/verify-email/resend").status_code == 202
        own = link_in_mail(worker, mail_sink, "Confirm your address")
        assert send(client, client.get(own)).status_code == 200
    asked = {"email": "thief@example.org", "current_password": PASSWORD}
    assert reader.call("PUT", "/accounts/me/email", asked).status_code == 202
    theirs = link_in_mail(worker, mail_sink, "Confirm your address")
    assert send(client, client.get(theirs)).status_code == 200
    run_ready_jobs(worker)
    (notice,) = [m for m in mail_sink.messages() if "another address" in m["Subject"]]
    assert notice["To"].endswith(reader.email + (">" if is_proven else ""))
    body = notice.get_body(("plain",))
    assert body is not None
    links = LINK.findall(body.get_content())
    assert len(links) == is_proven
    if is_proven:
        opened = client.get(links[0])
        assert "becomes that of the account again" in opened.get_data(as_text=True)
        assert send(client, opened).status_code == 200
        reset = link_in_mail(worker, mail_sink, "Set a new password")
        assert reader.email in str(mail_sink.messages()[-1]["To"])
        assert send(client, client.get(reset), password="of its owner again").status_code == 200
        reader.token = client.post(
            "/api/v1/auth/token", json={"login": reader.login, "password": "of its owner again"}
        ).get_json()["access_token"]
        me = reader.call("GET", "/accounts/me").get_json()
        assert (me["email"], me["email_verified"]) == (reader.email, True)
