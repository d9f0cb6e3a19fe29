"""An SMTP server that keeps every mail as a file and delivers none.

Run it as `python -m dev.mail_sink --port 2525 --dir var/mail`, or use `MailSink` in a test. A mail
is in its file, byte for byte as it was sent, before the client reads its 250: a client that got
the answer finds the mail, and one that did not may find it all the same.
"""

import argparse
import asyncio
import itertools
import os
import signal
import socket
import threading
import weakref
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from dev.ports import LOOPBACK, free_port

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _FileHandler:
    """Writes each mail to `<directory>/<UTC time>-<sequence>.eml`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._sequence = itertools.count(1)

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks the hook up by this name.
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        received_at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        name = f"{received_at}-{next(self._sequence):06d}.eml"
        content = envelope.original_content
        if content is None:
            return "554 No message was sent"
        unfinished = self._directory / f".{name}.part"
        try:
            unfinished.write_bytes(content)
            os.replace(unfinished, self._directory / name)
        except OSError as error:
            return f"452 The mail could not be stored: {error.strerror}"
        return f"250 Stored as {name}"


class MailSink:
    """An SMTP server on 127.0.0.1, in a thread of this process, that fills `directory`.

    `port` is fixed where given, else a free one. Whoever starts it stops it; it ends with the
    process in any case.
    """

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory
        self.port = port or free_port()
        self._connections: weakref.WeakSet[SMTP] = weakref.WeakSet()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The URL to send mail to, in the form of the setting SMTP_URL."""
        return f"smtp://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Make the directory and listen; a client can connect when this returns.

        Raises OSError when the port is taken.
        """
        # There are password resets among the mails.
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        listening = socket.create_server((LOOPBACK, self.port), backlog=128)
        self._stopping = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._serve(listening),), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and drop the connections; the files stay. Harmless when not started."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._loop.close()
            self._thread = None

    def messages(self) -> list[EmailMessage]:
        """Return the mails kept so far, parsed, in the order of their arrival."""
        return [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in sorted(self.directory.glob("*.eml"))
            # glob also lists names that begin with a dot, and those are not complete yet.
            if not path.name.startswith(".")
        ]

    async def _serve(self, listening: socket.socket) -> None:
        # aiosmtpd's own Controller waits its whole timeout on a taken port, and its stop can wait
        # for clients that keep their connection open.
        handler = _FileHandler(self.directory)

        def connection() -> SMTP:
            # The name is given, because the default asks the resolver for the machine's.
            protocol = SMTP(handler, hostname="localhost", enable_SMTPUTF8=True, loop=self._loop)
            self._connections.add(protocol)
            return protocol

        server = await self._loop.create_server(connection, sock=listening)
        await self._stopping.wait()
        server.close()
        for protocol in list(self._connections):
            if protocol.transport is not None:
                protocol.transport.close()
        remaining = asyncio.all_tasks(self._loop) - {asyncio.current_task(self._loop)}
        for task in remaining:
            task.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m dev.mail_sink", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--dir", type=Path, required=True, help="where the mails are kept")
    options = parser.parse_args()
    # Blocked before the server's thread starts and inherits the mask, so that they end up here.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    with MailSink(options.dir, options.port) as sink:
        print(f"Keeping mail for {sink.url} in {sink.directory}", flush=True)
        signal.sigwait(_STOP_SIGNALS)


if __name__ == "__main__":
    main()
