"""The mail sink keeps exactly what was sent, before it says so."""

import signal
import smtplib
import subprocess
import sys
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from dev.mail_sink import MailSink
from dev.ports import free_port
from tests.patience import HANG_SECONDS

RAW = (
    "From: author@example.org\r\nTo: läser@example.org\r\nSubject: Grüße\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    "\r\n.a dot first\r\n..two dots\r\n\r\nschön\r\n"
).encode()
CLIENTS, MAILS_EACH = 8, 10


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[MailSink]:
    """A running sink in a folder whose name has a space."""
    with MailSink(tmp_path / "kept mail") as sink:
        yield sink


def connect(sink: MailSink) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", sink.port, timeout=HANG_SECONDS)


def test_keeps_each_byte(sink: MailSink) -> None:
    with connect(sink) as client:
        client.sendmail(
            "author@example.org",
            ["läser@example.org"],
            RAW,
            mail_options=["SMTPUTF8", "BODY=8BITMIME"],
        )
        # The answer has come, so the file is there.
        files = list(sink.directory.iterdir())

    assert [file.read_bytes() for file in files] == [RAW]
    assert files[0].suffix == ".eml"
    (message,) = sink.messages()
    assert message["Subject"] == "Grüße"
    assert message.get_content().splitlines() == [".a dot first", "..two dots", "", "schön"]


def test_keeps_the_order_of_one_connection_and_a_message_id(sink: MailSink) -> None:
    with connect(sink) as client:
        for number in range(12):
            message = EmailMessage()
            message["From"], message["To"] = "a@example.org", "b@example.org"
            message["Subject"], message["Message-ID"] = str(number), f"<{number}@example.org>"
            message.set_content("Text")
            client.send_message(message)

    kept = sink.messages()
    assert [message["Subject"] for message in kept] == [str(number) for number in range(12)]
    assert [message["Message-ID"] for message in kept] == [
        f"<{number}@example.org>" for number in range(12)
    ]


def test_loses_and_mixes_nothing_of_many_connections(sink: MailSink) -> None:
    def send(client_number: int) -> None:
        with connect(sink) as client:
            for number in range(MAILS_EACH):
                body = f"Subject: {client_number}.{number}\r\n\r\n{client_number}\r\n"
                client.sendmail("a@example.org", ["b@example.org"], body)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = {message["Subject"]: message.get_content().strip() for message in sink.messages()}
    assert kept == {
        f"{client}.{number}": str(client)
        for client in range(CLIENTS)
        for number in range(MAILS_EACH)
    }


def test_stops_under_an_open_connection_and_starts_again(sink: MailSink) -> None:
    client = connect(sink)
    client.sendmail("a@example.org", ["b@example.org"], "Subject: first\r\n\r\n")
    sink.stop()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.sendmail("a@example.org", ["b@example.org"], "Subject: lost\r\n\r\n")
    client.close()
    with pytest.raises(ConnectionRefusedError):
        connect(sink)

    sink.start()
    with connect(sink) as client:
        client.sendmail("a@example.org", ["b@example.org"], "Subject: second\r\n\r\n")

    assert [message["Subject"] for message in sink.messages()] == ["first", "second"]


def test_answers_with_an_error_when_it_cannot_keep_the_mail(sink: MailSink) -> None:
    sink.directory.rmdir()

    with connect(sink) as client, pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail("a@example.org", ["b@example.org"], "Subject: lost\r\n\r\n")

    assert refused.value.smtp_code == 452


def test_a_taken_port_is_an_error_at_once(sink: MailSink, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Address already in use"):
        MailSink(tmp_path / "second", sink.port).start()


def test_runs_as_a_program(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "dev.mail_sink", "--port", str(port), "--dir", "a folder"]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        command, cwd=tmp_path, env={"PYTHONPATH": str(root)}, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert f"smtp://127.0.0.1:{port}" in program.stdout.readline()
        with smtplib.SMTP("127.0.0.1", port, timeout=HANG_SECONDS) as client:
            client.sendmail("a@example.org", ["b@example.org"], "Subject: kept\r\n\r\n")
        program.send_signal(signal.SIGTERM)
        assert program.wait(HANG_SECONDS) == 0

    assert len(list((tmp_path / "a folder").glob("*.eml"))) == 1
