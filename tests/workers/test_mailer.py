"""Promises about one hand-over to a mail server, and about the addresses that are let in."""

import socket
import threading
import time
from contextlib import suppress

import pytest
from click import BadParameter
from flask.testing import FlaskClient

from tests.factories import PASSWORD
from tests.patience import HANG_SECONDS
from webapp.adapters.mail import Mailer, MailText, Verdict, build_message
from webapp.bootstrap import worker_context
from webapp.cli.accounts import check_address
from webapp.settings import Settings

MESSAGE = build_message(
    MailText("subject", "text", "<p>text</p>"),
    sender="a@example.org",
    address="b@example.org",
    name="b",
    message_id="<1@example.org>",
)


def url_of(listening: socket.socket) -> str:
    """Return the URL of a server on this socket."""
    return f"smtp://127.0.0.1:{listening.getsockname()[1]}"


def test_single_bytes_buy_a_server_no_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            connected, _ = listening.accept()
            with connected, suppress(OSError):
                while True:
                    connected.sendall(b"2")
                    time.sleep(0.1)

        dripping = threading.Thread(target=drip)
        dripping.start()
        answer = Mailer(url_of(listening), 1.0).send(MESSAGE)
        dripping.join(HANG_SECONDS)
    assert answer.verdict is Verdict.AWAY
    assert not dripping.is_alive()


def test_a_server_that_does_not_even_greet_us_back_refuses_no_reader() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            connected, _ = listening.accept()
            with connected, suppress(OSError):
                connected.sendall(b"220 hello\r\n")
                while connected.recv(1000):
                    connected.sendall(b"554 go away\r\n")

        refusing = threading.Thread(target=refuse)
        refusing.start()
        answer = Mailer(url_of(listening), 5).send(MESSAGE)
        refusing.join(HANG_SECONDS)
    assert answer.verdict is Verdict.AWAY
    assert "go away" in answer.words


def test_a_worker_gives_one_mail_well_less_than_the_lease(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow = settings.model_copy(update={"smtp_url": url_of(silent), "lease_seconds": 2.0})
        context = worker_context(slow, application_name="tests")
        assert context.bulk_mailer.send(MESSAGE).verdict is Verdict.AWAY
        assert context.account_mailer.send(MESSAGE).verdict is Verdict.AWAY


def test_the_domain_of_an_address_is_stored_in_ascii(client: FlaskClient) -> None:
    account = {"login": "maria", "email": "a@exämple.com", "password": PASSWORD}
    answer = client.post("/api/v1/accounts", json=account)
    assert answer.get_json()["email"] == "a@xn--exmple-cua.com"
    assert check_address("a@exämple.com") == "a@xn--exmple-cua.com"


def test_an_address_that_no_mail_can_bear_is_refused_with_the_reason(client: FlaskClient) -> None:
    email = "jörg@example.com"
    account = {"login": "maria", "email": email, "password": PASSWORD}
    answer = client.post("/api/v1/accounts", json=account)
    assert answer.status_code == 422
    assert "before the @-sign" in answer.get_json()["errors"][0]["reason"]
    with pytest.raises(BadParameter, match="before the @-sign"):
        check_address(email)
