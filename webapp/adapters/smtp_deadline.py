"""SMTP connections whose waits all end at one moment, however slowly the server speaks."""

import io
import smtplib
import socket
import ssl
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class Deadline:
    """The moment at which a piece of work has to be over."""

    def __init__(self) -> None:
        """Begin in the past: work that sets no deadline has no time."""
        self._at = 0.0

    def set(self, seconds: float) -> None:
        """Give the work this many seconds from now."""
        self._at = time.monotonic() + seconds

    def seconds_left(self) -> float:
        """Return what is left, which is more than 0. Raises TimeoutError when nothing is."""
        left = self._at - time.monotonic()
        if left <= 0:
            message = "the time for this message is over"
            raise TimeoutError(message)
        return left


class _Replies(io.RawIOBase):
    """What the server says, read with a timeout that shrinks: single bytes buy it no time."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._socket = connected
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        self._socket.settimeout(self._deadline.seconds_left())
        return self._socket.recv_into(buffer)


class DeadlineSMTP(smtplib.SMTP):
    """An SMTP connection that breaks off at its deadline, which may be moved between messages.

    `connect_seconds` bounds the attempt at each of the host's addresses. After the deadline every
    command closes the connection and raises SMTPServerDisconnected.
    """

    def __init__(self, host: str, port: int, deadline: Deadline, connect_seconds: float) -> None:
        """Connect and wait for the greeting. Raises SMTPException and OSError."""
        self._deadline = deadline
        super().__init__(host, port, timeout=connect_seconds)

    def send(self, s: "ReadableBuffer | str") -> None:
        """Send bytes, for as long as there is time."""
        if self.sock is not None:
            try:
                self.sock.settimeout(self._deadline.seconds_left())
            except TimeoutError as error:
                self.close()
                raise smtplib.SMTPServerDisconnected(str(error)) from error
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Wait for a reply, for as long as there is time."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Replies(self.sock, self._deadline))
        return super().getreply()


class DeadlineSecureSMTP(DeadlineSMTP, smtplib.SMTP_SSL):
    """The same over TLS from the start."""

    def __init__(
        self,
        host: str,
        port: int,
        deadline: Deadline,
        connect_seconds: float,
        context: ssl.SSLContext,
    ) -> None:
        """Connect, shake hands and wait for the greeting. Raises SMTPException and OSError."""
        self._deadline = deadline
        smtplib.SMTP_SSL.__init__(self, host, port, timeout=connect_seconds, context=context)
