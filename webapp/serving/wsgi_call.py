"""One call of a WSGI application: what it is given, and what it answers."""

import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed.wsgi import WSGIApplication
    from granian.rsgi import Scope

_SAME_FOR_ALL: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}
# Stands for a value that holds bytes beyond ASCII: the server tells its name and keeps the value to
# itself. Left out, such a header would seem not to have been sent.
UNREADABLE = "\xff"
_HEADERS = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class Answer:
    """The status, the headers and the body of an answer."""

    __slots__ = ("body", "headers", "status")

    def __init__(self) -> None:
        """Begin with what an application that says nothing would have said."""
        self.status = 500
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    def start(
        self,
        status: str,
        headers: list[tuple[str, str]],
        _error: "tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None" = None,  # noqa: E501
        /,
    ) -> Callable[[bytes], object]:
        """Take the status and the headers, as WSGI's `start_response`."""
        self.status = int(status[:3])
        self.headers = headers
        return self._write

    def _write(self, data: bytes) -> None:
        self.body += data


def call(application: "WSGIApplication", scope: "Scope", body: bytes) -> Answer:
    """Let the application answer a request; its answer is taken whole."""
    answer = Answer()
    parts = application(environ_of(scope, body), answer.start)
    try:
        answer.body += b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    return answer


def environ_of(scope: "Scope", body: bytes) -> dict[str, Any]:
    """Return WSGI's description of a request.

    Its texts hold bytes, each as one character. A header with an underscore in its name is left
    out: under WSGI it could not be told from the one with a hyphen, which a proxy in front may
    vouch for.
    """
    server, _, port = scope.server.rpartition(":")
    environ = {
        **_SAME_FOR_ALL,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string.encode().decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    for name, value in scope.headers.items():
        if "_" not in name:
            key = _key_of(name)
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    names = scope.headers.keys()
    for name in names:
        if "_" not in name:
            environ.setdefault(_key_of(name), UNREADABLE)
    if scope.authority and "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = scope.authority
    return environ


def _key_of(header: str) -> str:
    return _HEADERS.get(header) or f"HTTP_{header.replace('-', '_').upper()}"
