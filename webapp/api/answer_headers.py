"""The headers of every answer, whoever gives it: what browsers may do with it, and for whose pages.

A browser lets a page of another origin read an answer only where the answer says so. Imprint knows
callers by a header and by no cookie, so a page can do nothing there in the name of somebody whose
token it has not got.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from webapp.api.blueprint import API_PREFIX
from webapp.kit.web_origins import ANY
from webapp.settings import Settings

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]

# Answers are data: opened as a page they may load nothing, stand in nobody's frame, tell no other
# site where the reader came from, and be no script or picture of another site's page.
SAME_FOR_ALL: Headers = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
EXPOSED = (
    "Deprecation, ETag, Idempotency-Replayed, Imprint-Forecast-For, Location, RateLimit, "
    "RateLimit-Policy, Retry-After, X-Request-ID"
)
ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
ALLOWED_HEADERS = (
    "Agent-Session, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
    "X-Request-ID"
)
# Browsers keep the answer for two hours at most, whatever it says.
PREFLIGHT_SECONDS = 7200


class AnswerHeaders:
    """What the settings say of the headers of every answer."""

    def __init__(self, settings: Settings) -> None:
        """Promise HTTPS for as long as the settings say, where people reach the site by it."""
        self._origins = settings.cors_allowed_origins
        self._always = list(SAME_FOR_ALL)
        if settings.base_url.startswith("https:") and settings.hsts_seconds:
            age = f"max-age={settings.hsts_seconds}"
            self._always.append(("Strict-Transport-Security", age))

    def add(self, headers: Headers, path: str, origin: str) -> None:
        """Add to an answer about `path` what it does not say itself.

        `origin` is whose page asked, or empty.
        """
        said = {name.lower() for name, _ in headers}
        headers += [each for each in self._always if each[0].lower() not in said]
        if self._origins and path.startswith(API_PREFIX):
            self._admit(headers, origin)

    def is_preflight(self, environ: "WSGIEnvironment") -> bool:
        """Tell whether a browser asks what a page of an origin that is admitted may send."""
        return (
            environ["REQUEST_METHOD"] == "OPTIONS"
            and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
            and environ.get("PATH_INFO", "").startswith(API_PREFIX)
            and self._admits(environ.get("HTTP_ORIGIN", ""))
        )

    def _admits(self, origin: str) -> bool:
        return bool(origin) and (ANY in self._origins or origin in self._origins)

    def _admit(self, headers: Headers, origin: str) -> None:
        if ANY not in self._origins:
            # A cache must not hand one origin what was said to another, or to none.
            headers.append(("Vary", "Origin"))
        if self._admits(origin):
            allowed = ANY if ANY in self._origins else origin
            headers.append(("Access-Control-Allow-Origin", allowed))
            headers.append(("Access-Control-Expose-Headers", EXPOSED))


class WithAnswerHeaders:
    """A WSGI application that adds them to what another one answers."""

    def __init__(self, following: "WSGIApplication", answer_headers: AnswerHeaders) -> None:
        """Stand in front of `following`."""
        self._following = following
        self._headers = answer_headers

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a preflight, and hand every other request on."""
        path, origin = environ.get("PATH_INFO", ""), environ.get("HTTP_ORIGIN", "")

        def start(status: str, headers: Headers, exc_info: "OptExcInfo | None" = None, /) -> object:
            self._headers.add(headers, path, origin)
            if exc_info is None:
                return start_response(status, headers)
            return start_response(status, headers, exc_info)

        if self._headers.is_preflight(environ):
            start("204 NO CONTENT", _preflight_headers())
            return []
        return self._following(environ, start)  # type: ignore[arg-type]


def _preflight_headers() -> Headers:
    return [
        ("Access-Control-Allow-Methods", ALLOWED_METHODS),
        ("Access-Control-Allow-Headers", ALLOWED_HEADERS),
        ("Access-Control-Max-Age", str(PREFLIGHT_SECONDS)),
        ("Cache-Control", "no-store"),
    ]
