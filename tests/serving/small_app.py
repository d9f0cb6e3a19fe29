"""A small WSGI application behind the real server, with deadlines that a test can wait for.

Started by a test as `granian --interface rsgi tests.serving.small_app:app`.
"""

import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from webapp.api.answer_headers import AnswerHeaders
from webapp.serving.bodies import Bodies
from webapp.serving.classes import RequestClass
from webapp.serving.server import Server
from webapp.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Long beside the server's sweep of a quarter of a second.
HELD = RequestClass("held", threads=1, places=8, wait_seconds=1, answer_seconds=2)
SHORT = RequestClass("short", threads=2, places=400, wait_seconds=1, answer_seconds=30)
OTHERS = RequestClass("others", threads=1, places=8, wait_seconds=30, answer_seconds=30)
SHORT_SECONDS = 0.02
LARGEST_BODY, BUDGET = 1024, 8 * 1024

_released = threading.Event()
_begun: list[str] = []


def choose_class(_method: str, path: str, _query: str) -> RequestClass:
    """Return the class that a path names."""
    return {"/held": HELD, "/short": SHORT}.get(path, OTHERS)


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Note each request that is begun: hold it until it is let go, or be at it for a moment."""
    path, name = environ["PATH_INFO"], environ["QUERY_STRING"]
    body = b""
    if path == "/held":
        _begun.append(name)
        _released.wait()
    elif path == "/short":
        _begun.append(name)
        time.sleep(SHORT_SECONDS)
    elif path == "/release":
        _released.set()
    elif path == "/held-bytes":
        body = str(_bodies.held_bytes).encode()
    elif path == "/begun":
        body = " ".join(_begun).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


_bodies = Bodies(120, LARGEST_BODY, BUDGET)
app = Server(application, _bodies, AnswerHeaders(Settings()), (HELD, SHORT, OTHERS), choose_class)
