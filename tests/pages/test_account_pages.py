"""Promises of the pages that account mails lead to: plain forms, and a look does nothing."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dev.mail_sink import MailSink
from tests.factories import PASSWORD, Caller, run_ready_jobs
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
    for path in ("/verify-email", "/reset-password"):
        forged = client.post(path, data={"password": "a new and better one"})
        assert forged.status_code in {401, 404}
        assert "Set-Cookie" not in forged.headers
    assert may_log_in(client, reader.login, PASSWORD)
