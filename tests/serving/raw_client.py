"""HTTP over bare sockets: clients that stop in the middle, and many that wait at once."""

import json
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from dev.ports import LOOPBACK
from tests.patience import HANG_SECONDS


def request_bytes(
    method: str, path: str, body: bytes = b"", *, promised: int | None = None, head: str = ""
) -> bytes:
    """Return a request on the wire, with more bytes promised than there are where that is said."""
    length = len(body) if promised is None else promised
    lines = [f"{method} {path} HTTP/1.1", "Host: imprint", *([head] if head else [])]
    if length:
        lines += ["Content-Type: application/json", f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def sent(port: int, requests: list[bytes]) -> Iterator[list[socket.socket]]:
    """Send each request on a connection of its own; nothing is read yet."""
    sockets = []
    try:
        for request in requests:
            connection = socket.create_connection((LOOPBACK, port), timeout=HANG_SECONDS)
            connection.sendall(request)
            sockets.append(connection)
        yield sockets
    finally:
        for connection in sockets:
            connection.close()


def unanswered(sockets: list[socket.socket]) -> int:
    """Return on how many connections not a byte has come back."""
    readable, _, _ = select.select(sockets, [], [], 0)
    return len(sockets) - len(readable)


def receive(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one answer: status, headers with lower-case names, and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += _more(connection)
    return int(first.split()[1]), headers, body


def is_closed(connection: socket.socket) -> bool:
    """Wait for more, and say whether what came is the end of the connection."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def ask(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send one request and read its answer."""
    with sent(port, [request]) as (connection,):
        return receive(connection)


def as_json(value: object) -> bytes:
    """Return a JSON body."""
    return json.dumps(value).encode()


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("The connection ended before the answer did.")
    return data
