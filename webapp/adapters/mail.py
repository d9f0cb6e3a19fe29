"""Mail: a connection that is kept, and a plain answer for each message."""

import smtplib
import socket
import ssl
import time
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from enum import Enum
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from webapp.kit.clock import utc_now

IDLE_SECONDS = 10
MESSAGES_A_CONNECTION = 100


class Verdict(Enum):
    """What the server said in the end."""

    TAKEN = "taken"
    LATER = "later"
    NEVER = "never"
    AWAY = "away"


@dataclass(frozen=True)
class MailAnswer:
    """A verdict with the words that came with it."""

    verdict: Verdict
    words: str


@dataclass(frozen=True)
class MailText:
    """One mail, ready to be addressed."""

    subject: str
    text: str
    html: str


def build_message(
    mail: MailText, *, sender: str, address: str, name: str, message_id: str
) -> EmailMessage:
    """Return the message; the same `message_id` marks a second copy as the same mail.

    The standard library's policy refuses line breaks in headers, so nothing can be smuggled in.
    """
    message = EmailMessage(policy=SMTP)
    sender_name, sender_address = parseaddr(sender)
    message["From"] = Address(sender_name, addr_spec=sender_address)
    message["To"] = Address(" ".join(name.split()), addr_spec=address)
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = format_datetime(utc_now())
    message["Message-ID"] = message_id
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


class Mailer:
    """Hands messages to one SMTP server over a connection that it keeps while it works.

    Not safe for use by several threads. The URL is `smtp://`, `smtps://` (TLS from the start) or
    `smtp+starttls://`, with user and password where the server wants them. `timeout_seconds` bounds
    each wait for the server; it has to end well before the lease of the job that sends.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        """Connect nowhere yet."""
        self._url = urlsplit(url)
        self._timeout = timeout_seconds
        self._connection: smtplib.SMTP | None = None
        self._sent = 0
        self._used_at = 0.0

    def __enter__(self) -> Self:
        """Use as a context, so that the connection is closed at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()

    def send(self, message: EmailMessage) -> MailAnswer:
        """Hand one message over and say what the server said; never raises for its refusals.

        `AWAY` means that no connection could be made, so nothing was tried with this message. A
        connection that breaks in the middle is `LATER`: the server may have taken the message.
        """
        try:
            connection = self._ready_connection()
        except (smtplib.SMTPException, OSError) as error:
            return MailAnswer(Verdict.AWAY, f"{type(error).__name__}: {error}")
        try:
            refused = connection.send_message(message)
            self._sent += 1
            self._used_at = time.monotonic()
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            return self._refused(code, words)
        except smtplib.SMTPResponseException as error:
            return self._refused(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            return MailAnswer(Verdict.LATER, f"{type(error).__name__}: {error}")
        return MailAnswer(Verdict.TAKEN, "250 taken" if not refused else str(refused))

    def close(self) -> None:
        """Say goodbye to the server, if it still listens."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.quit()
            except (smtplib.SMTPException, OSError):
                connection.close()

    def _refused(self, code: int, words: bytes | str) -> MailAnswer:
        spoken = words.decode(errors="replace") if isinstance(words, bytes) else words
        if code == 421:
            self.close()
        verdict = Verdict.NEVER if code >= 500 else Verdict.LATER
        return MailAnswer(verdict, f"{code} {spoken}")

    def _ready_connection(self) -> smtplib.SMTP:
        if self._sent >= MESSAGES_A_CONNECTION:
            self.close()
        if self._connection is not None and time.monotonic() - self._used_at > IDLE_SECONDS:
            try:
                self._connection.noop()
            except (smtplib.SMTPException, OSError):
                self.close()
        if self._connection is None:
            self._connection = self._connect()
            self._sent = 0
        return self._connection

    def _connect(self) -> smtplib.SMTP:
        host, scheme = self._url.hostname or "127.0.0.1", self._url.scheme
        context = ssl.create_default_context()
        if scheme == "smtps":
            port = self._url.port or 465
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=self._timeout, context=context
            )
        else:
            connection = smtplib.SMTP(host, self._url.port or 25, timeout=self._timeout)
        # Without this each command of the dialogue waits for the acknowledgement of the last one.
        if connection.sock is not None:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if scheme == "smtp+starttls":
            connection.starttls(context=context)
        if self._url.username:
            connection.login(unquote(self._url.username), unquote(self._url.password or ""))
        return connection
