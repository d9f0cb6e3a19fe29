"""Who sent a request, and below which path, as far as the proxies in front can be believed."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
from flask import Flask, request
from structlog.contextvars import bound_contextvars, clear_contextvars

from webapp.api.errors import RequestError
from webapp.api.request_ids import choose_request_id
from webapp.kit.networks import plain_address, subscriber_of
from webapp.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()

PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
UNKNOWN = "unknown"


class BehindProxies:
    """A WSGI application that tells the one behind it what the trusted proxies say of a request.

    The client's address is the one that the outermost of the trusted proxies saw. The path in front
    of the API is what X-Forwarded-Prefix says, or the server, or else the base URL. The host is
    nobody's to say: the addresses in answers have none.
    """

    def __init__(self, following: "WSGIApplication", settings: Settings) -> None:
        """Believe as many proxies as the settings trust."""
        self._following = following
        self._proxies = settings.trusted_proxies
        self._prefix = urlsplit(settings.base_url).path.rstrip("/")
        self._has_warned = False

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Hand the request on, with REMOTE_ADDR and SCRIPT_NAME as they are for the client."""
        if self._proxies:
            self._believe(environ)
        elif "HTTP_X_FORWARDED_FOR" in environ and not self._has_warned:
            self._warn(environ)
        if self._prefix and not environ.get("SCRIPT_NAME"):
            environ["SCRIPT_NAME"] = self._prefix
        return self._following(environ, start_response)

    def _warn(self, environ: "WSGIEnvironment") -> None:
        """Tell the operator, under the id that this request has from here on."""
        self._has_warned = True
        request_id = choose_request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        environ["HTTP_X_REQUEST_ID"] = request_id
        # The thread still has the names of the request before in its context.
        clear_contextvars()
        with bound_contextvars(request_id=request_id, address=environ.get("REMOTE_ADDR")):
            log.warning("proxies.not_trusted", setting="IMPRINT_TRUSTED_PROXIES")

    def _believe(self, environ: "WSGIEnvironment") -> None:
        # Not read as a list of HTTP: a client's lone quotation mark would swallow what follows it.
        seen = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
        address = plain_address(seen[-self._proxies]) if len(seen) >= self._proxies else None
        if address is not None:
            environ["REMOTE_ADDR"] = address
        prefix = environ.get("HTTP_X_FORWARDED_PREFIX", "").rpartition(",")[2].strip().rstrip("/")
        if PREFIX.fullmatch(prefix):
            environ["SCRIPT_NAME"] = prefix


def refuse_hidden_clients(app: Flask, settings: Settings) -> None:
    """Refuse requests whose X-Forwarded-For holds bytes beyond ASCII, where a proxy is trusted.

    A server may not keep such a header, and with it what the proxy wrote behind the client's bytes;
    the request would then seem to be the proxy's own.
    """

    @app.before_request
    def refuse() -> None:
        chain = request.headers.get("X-Forwarded-For", "")
        if settings.trusted_proxies and not chain.isascii():
            raise RequestError(400, "X-Forwarded-For may hold ASCII only.")


def client_address() -> str:
    """Return the address of who sent this request, without a port, for logs and records."""
    return plain_address(request.remote_addr or "") or UNKNOWN


def client_network() -> str:
    """Return what to count the requests of one client by: IPv6 addresses cost them nothing."""
    address = client_address()
    return address if address == UNKNOWN else subscriber_of(address)
