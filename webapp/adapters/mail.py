"""Mail: a connection that is kept, and a plain answer for each message."""

import re
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from enum import Enum
from types import TracebackType
from typing import Self

from webapp.adapters.mail_headers import (
    WRITTEN,
    UnmailableAddressError,
    address_of,
    mailbox_header,
    text_header,
)
from webapp.adapters.smtp_deadline import Deadline, DeadlineSecureSMTP, DeadlineSMTP
from webapp.kit.clock import utc_now
from webapp.kit.service_urls import read_smtp_url

IDLE_SECONDS = 10
MESSAGES_A_CONNECTION = 100
GOODBYE_SECONDS = 2.0

ENHANCED_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")  # RFC 3463
# Authentication is required, too weak, wrong, or needs encryption: some servers say so only when
# they hear the recipient.
CODES_ABOUT_THE_SENDER = frozenset({530, 534, 535, 538})


class Verdict(Enum):
    """What the server said in the end."""

    TAKEN = "taken"
    LATER = "later"
    NEVER = "never"
    AWAY = "away"


@dataclass(frozen=True)
class MailAnswer:
    """A verdict with the words that came with it; `is_refusal` where they are about the reader."""

    verdict: Verdict
    words: str
    is_refusal: bool = False


@dataclass(frozen=True)
class MailText:
    """One mail, ready to be addressed."""

    subject: str
    text: str
    html: str


def build_message(
    mail: MailText,
    *,
    sender: str,
    address: str,
    name: str,
    message_id: str,
    unsubscribe_url: str | None = None,
) -> EmailMessage:
    """Return the message; the same `message_id` marks a second copy as the same mail.

    Its body is quoted-printable, so that every mail server takes it. It asks for no answer of a
    machine (RFC 3834); one with an `unsubscribe_url` is bulk mail, and a click on that address ends
    it (RFC 8058). Raises UnmailableAddressError.
    """
    message = EmailMessage(policy=WRITTEN)
    message["From"] = _sender_header(sender)
    message["To"] = mailbox_header(name, address)
    message["Subject"] = text_header(mail.subject)
    message["Date"] = format_datetime(utc_now())
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if unsubscribe_url is not None:
        message["Precedence"] = "bulk"
        message["List-Unsubscribe"] = f"<{unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message


def _sender_header(sender: str) -> str:
    """Write the sender; what is wrong with it is no fault of the reader and costs no mail."""
    try:
        return mailbox_header(*parseaddr(sender))
    except UnmailableAddressError as error:
        raise RuntimeError(f"IMPRINT_MAIL_FROM cannot send mail: {error}") from error


class Mailer:
    """Hands messages to one SMTP server over a connection that it keeps while it works.

    Not safe for use by several threads. The URL is `smtp://`, `smtps://` (TLS from the start) or
    `smtp+starttls://`, with user and password where the server wants them. `message_seconds` bounds
    the whole of one `send`, with the connecting and every wait for the server; only the look-up of
    host names keeps the resolver's own timeouts. It has to be well below the lease of the job that
    sends, which has to be renewed right before.
    """

    def __init__(self, url: str, message_seconds: float) -> None:
        """Connect nowhere yet. Raises ValueError for a URL that names no mail server."""
        self._server = read_smtp_url(url)
        self._tls = ssl.create_default_context()
        self._seconds = message_seconds
        self._deadline = Deadline()
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

        `AWAY` means that nothing was tried with this reader: no connection could be made in time,
        or the server refuses this sender, whoever the reader is. A dialogue that breaks, or that
        overruns the time of the message, is `LATER`: the server may have taken the message.
        """
        self._deadline.set(self._seconds)
        try:
            connection = self._ready_connection()
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            # A name that the resolver cannot even look up is a UnicodeError.
            self._hang_up()
            return MailAnswer(Verdict.AWAY, _describe(error))
        try:
            # Who gets it is never left to what a parser makes of a name.
            sender, reader = address_of(message["From"]), address_of(message["To"])
            connection.send_message(message, sender, [reader])
        except (smtplib.SMTPSenderRefused, smtplib.SMTPHeloError) as error:
            self._hang_up()
            return MailAnswer(Verdict.AWAY, _describe(error))
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            return self._refused(error, code, words)
        except smtplib.SMTPDataError as error:
            return self._refused(error, error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            self._hang_up()
            return MailAnswer(Verdict.LATER, _describe(error))
        self._sent += 1
        self._used_at = time.monotonic()
        return MailAnswer(Verdict.TAKEN, "250 taken")

    def close(self) -> None:
        """Say goodbye to the server, if it still listens."""
        self._deadline.set(GOODBYE_SECONDS)
        self._hang_up()

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.quit()
            except (smtplib.SMTPException, OSError):
                connection.close()

    def _refused(self, error: Exception, code: int, words: bytes | str) -> MailAnswer:
        """Judge a refusal of one reader, and leave out its words: they may hold the address."""
        spoken = words.decode(errors="replace") if isinstance(words, bytes) else words
        verdict = Verdict.NEVER if code >= 500 else Verdict.LATER
        if code in CODES_ABOUT_THE_SENDER:
            self._hang_up()
            verdict = Verdict.AWAY
        status = ENHANCED_STATUS.match(spoken)
        parts = (str(code), status[0] if status else "", type(error).__name__)
        is_refusal = verdict is not Verdict.AWAY
        return MailAnswer(verdict, " ".join(filter(None, parts)), is_refusal=is_refusal)

    def _ready_connection(self) -> smtplib.SMTP:
        if self._sent >= MESSAGES_A_CONNECTION:
            self._hang_up()
        connection = self._connection
        if connection is not None and time.monotonic() - self._used_at > IDLE_SECONDS:
            try:
                connection.noop()
            except (smtplib.SMTPException, OSError):
                connection.close()
        # The library closes the socket itself when the server said 421 or nothing more.
        if connection is None or connection.sock is None or self._connection is None:
            connection = self._connection = self._connect()
            self._sent = 0
            self._used_at = time.monotonic()
            self._introduce(connection)
        return connection

    def _connect(self) -> smtplib.SMTP:
        host, port = self._server.host, self._server.port
        # One address after the other is tried with this timeout, and then the handshake.
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        each = self._deadline.seconds_left() / (len(addresses) + 1)
        if self._server.is_secure:
            return DeadlineSecureSMTP(host, port, self._deadline, each, self._tls)
        return DeadlineSMTP(host, port, self._deadline, each)

    def _introduce(self, connection: smtplib.SMTP) -> None:
        """Bring a new connection to where messages can be sent; the caller closes it on errors."""
        # Without this each command of the dialogue waits for the acknowledgement of the last one.
        if connection.sock is not None:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._server.scheme == "smtp+starttls":
            connection.starttls(context=self._tls)
        # Otherwise the first message would do it, and a server that refuses us would seem to
        # refuse its reader.
        connection.ehlo_or_helo_if_needed()
        if self._server.user:
            connection.login(self._server.user, self._server.password)


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
