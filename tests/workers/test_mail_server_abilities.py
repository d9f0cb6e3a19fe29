"""The promise about a mail server that lacks what our settings ask of it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.patience import HANG_SECONDS
from webapp.adapters.mail import Mailer, MailText, Verdict, build_message


@contextmanager
def plain_server() -> Iterator[str]:
    """A mail server with no extension at all; it gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connected, _ = listening.accept()
            with connected, suppress(OSError):
                connected.sendall(b"220 hello\r\n")
                while connected.recv(1000):
                    connected.sendall(b"250 as you like\r\n")

        serving = threading.Thread(target=serve)
        serving.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        serving.join(HANG_SECONDS)


def test_a_server_without_logins_refuses_us_and_no_reader() -> None:
    message = build_message(
        MailText("subject", "text", "<p>text</p>"),
        sender="a@b.example",
        address="c@d.example",
        name="c",
        message_id="<1@b.example>",
    )
    with plain_server() as place, Mailer(f"smtp://user:hidden@{place}", 5) as mailer:
        answer = mailer.send(message)
    assert answer.verdict is Verdict.AWAY
    assert "hidden" not in answer.words
