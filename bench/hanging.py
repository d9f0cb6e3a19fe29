"""Public reads and /health while requests of other classes hang, against the same alone."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from select import select

import psycopg

from bench.articles import publish_some
from bench.reads import WEB, granian
from bench.results import Result, percentile
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, sessions_on
from dev.ports import LOOPBACK

HANGING = 50
TARGET_MILLISECONDS = 100
# One address may not log in so often, which is not what is measured.
WITHOUT_LIMITS = ("env", "IMPRINT_RATE_LIMITS=false")
# Less than a login waits for its turn, so that all hang from the beginning of a round to its end.
_ROUND_SECONDS = 3.0
_READS_A_ROUND = 200
_TIMEOUT_SECONDS = 30.0
_LOGIN = b'{"login":"nobody","password":"a long password"}'

Hanging = Callable[[int, str], AbstractContextManager[list[socket.socket]]]
Milliseconds = dict[str, list[float]]


def measure(bed: Testbed, sizes: Sizes, articles: str) -> list[Result]:
    """Ask one request after the other: alone, and beside each kind that hangs, round by round."""
    with bed.database("bench_hanging", articles) as url, ExitStack() as stack:
        with sessions_on(url)() as session:
            (slug,) = publish_some(session, 1)
        server = granian(bed, "web", WEB, url, workers=1, before=WITHOUT_LIMITS)
        _, port = stack.enter_context(server)
        names = {"/health": "/health", f"/api/v1/published/{slug}": "public read"}
        _round(port, url, _nothing, list(names))  # Connections and plans come into being.
        taken: dict[str, Milliseconds] = {kind: {} for kind in KINDS}
        for number in range(sizes.load_rounds):
            bed.say(f"hanging: round {number + 1} of {sizes.load_rounds}")
            for kind, hanging in KINDS.items():
                for path, milliseconds in _round(port, url, hanging, list(names)).items():
                    taken[kind].setdefault(path, []).extend(milliseconds)
    alone = taken.pop("alone")
    return [
        result
        for kind, measured in taken.items()
        for path, name in names.items()
        for result in _compare(f"{name} beside {kind}", measured[path], alone[path])
    ]


@contextmanager
def _nothing(_port: int, _url: str) -> Iterator[list[socket.socket]]:
    yield []


@contextmanager
def _stalled_bodies(port: int, _url: str) -> Iterator[list[socket.socket]]:
    """Promise more of each body than is sent."""
    with _sent(port, len(_LOGIN) + 1000) as sockets:
        yield sockets


@contextmanager
def _hanging_logins(port: int, url: str) -> Iterator[list[socket.socket]]:
    """Let whole logins wait for a lock on the table that they read."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with _sent(port, len(_LOGIN)) as sockets:
            yield sockets
        connection.rollback()


KINDS: dict[str, Hanging] = {
    "alone": _nothing,
    f"{HANGING} stalled bodies": _stalled_bodies,
    f"{HANGING} hanging logins": _hanging_logins,
}


@contextmanager
def _sent(port: int, length: int) -> Iterator[list[socket.socket]]:
    head = f"POST /api/v1/auth/token HTTP/1.1\r\nHost: {LOOPBACK}\r\nContent-Length: {length}\r\n"
    request = f"{head}Content-Type: application/json\r\n\r\n".encode() + _LOGIN
    with ExitStack() as stack:
        sockets = []
        for _ in range(HANGING):
            opened = stack.enter_context(socket.create_connection((LOOPBACK, port)))
            opened.sendall(request)
            sockets.append(opened)
        yield sockets


def _round(port: int, url: str, hanging: Hanging, paths: list[str]) -> Milliseconds:
    """Return how long each read took. Raises BenchError where something did not hang."""
    taken: Milliseconds = {path: [] for path in paths}
    with hanging(port, url) as sockets:
        ends_at = time.monotonic() + _ROUND_SECONDS
        for _ in range(_READS_A_ROUND):
            for path in paths:
                taken[path].append(_milliseconds(port, path))
            if time.monotonic() > ends_at:
                break
        answered, _, _ = select(sockets, [], [], 0)
    if answered:
        raise BenchError(f"{len(answered)} of {HANGING} requests were answered and did not hang.")
    return taken


def _milliseconds(port: int, path: str) -> float:
    """Ask on a connection of its own, as somebody who comes for the first time."""
    request = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n".encode()
    began = time.perf_counter()
    with socket.create_connection((LOOPBACK, port), _TIMEOUT_SECONDS) as opened:
        opened.sendall(request)
        answer = b"".join(iter(lambda: opened.recv(65536), b""))
    took = (time.perf_counter() - began) * 1000
    if not answer.startswith(b"HTTP/1.1 200"):
        raise BenchError(f"{path} was answered with {answer[:60]!r}")
    return took


def _compare(name: str, milliseconds: list[float], alone: list[float]) -> list[Result]:
    note = f"floor: the same with nothing that hangs; the slowest took {max(milliseconds):.0f} ms"
    return [
        Result(f"{name}, p{hundredth}", percentile(milliseconds, hundredth), "ms",
               percentile(alone, hundredth), TARGET_MILLISECONDS if hundredth == 99 else None,
               note=note if hundredth == 99 else "")
        for hundredth in (50, 99)
    ]  # fmt: skip
