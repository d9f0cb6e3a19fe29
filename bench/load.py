"""Ask a server on this machine as often as it answers: `python -m bench.load`, one process of it.

The order comes as JSON on standard input: `port`, `paths` (asked in turn), `connections` (each
with one request under way), `starts_at` (by the monotonic clock) and `seconds`. The tally goes as
JSON to standard output. Only the standard library, and as little work a request as Python allows,
because what the asking takes of the processors is missing to the server.
"""

import json
import select
import socket
import sys
import time
from itertools import cycle
from typing import Any

LOOPBACK = "127.0.0.1"
MOST_SECONDS = 60.0
MOST_REQUESTS = 2_000_000
_CHUNK = 262_144
_TIMEOUT_SECONDS = 10.0


def main() -> None:
    """Carry out one order."""
    print(json.dumps(ask(**json.load(sys.stdin))))


def ask(
    port: int, paths: list[str], connections: int, starts_at: float, seconds: float
) -> dict[str, Any]:
    """Ask until the time is over; returns how many `answers` came, how many `failed` (any status
    but 200), how many `bytes`, and the `seconds` that it took."""
    requests = cycle(
        [f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\n\r\n".encode() for path in paths]
    )
    poll = select.poll()
    sockets = {}
    for _ in range(connections):
        opened = socket.create_connection((LOOPBACK, port), _TIMEOUT_SECONDS)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(opened.fileno(), select.POLLIN)
        sockets[opened.fileno()] = opened
    time.sleep(max(0.0, starts_at - time.monotonic()))
    began = time.monotonic()
    stop_at = began + min(seconds, MOST_SECONDS)
    for opened in sockets.values():
        opened.sendall(next(requests))
    answers = failed = received = 0
    waiting = len(sockets)
    while waiting:
        events = poll.poll(_TIMEOUT_SECONDS * 1000)
        if not events:
            raise SystemExit(f"The server was silent for {_TIMEOUT_SECONDS:g} s.")
        goes_on = time.monotonic() < stop_at and answers < MOST_REQUESTS
        for number, _event in events:
            ok, size = _read_answer(sockets[number])
            answers += 1
            failed += not ok
            received += size
            if goes_on:
                sockets[number].sendall(next(requests))
            else:
                waiting -= 1
                poll.unregister(number)
    took = time.monotonic() - began
    for opened in sockets.values():
        opened.close()
    return {"answers": answers, "failed": failed, "bytes": received, "seconds": took}


def _read_answer(opened: socket.socket) -> tuple[bool, int]:
    """Read one answer whole; returns whether it is a 200, and its size in bytes."""
    data = opened.recv(_CHUNK)
    while True:
        end = data.find(b"\r\n\r\n")
        if end >= 0:
            start = data.find(b"content-length: ", 0, end) + 16
            if start < 16:
                raise SystemExit(f"An answer without Content-Length: {data[:200]!r}")
            stop = data.find(b"\r", start)
            if len(data) >= end + 4 + int(data[start:stop]):
                return data.startswith(b"HTTP/1.1 200"), len(data)
        more = opened.recv(_CHUNK)
        if not more:
            raise SystemExit("The server closed a connection in the middle of an answer.")
        data += more


if __name__ == "__main__":
    main()
