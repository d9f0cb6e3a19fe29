"""The two hottest reads, answered before Flask: one public item, and the newest page of them.

What Flask does around a view costs several times as much as the one statement of these reads. So
this layer answers the plain cases itself, with the headers and the figures that the views in
`webapp.api.publishing.published` give, and leaves every other case to them: a query string, an
If-Match, an item that is not there, a database that is away.
"""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import psycopg

from webapp.adapters.readers import ReaderConnections
from webapp.api.answers import REVALIDATE, digest_etag
from webapp.api.blueprint import API_PREFIX
from webapp.api.metrics import count_answer
from webapp.api.request_ids import choose_request_id
from webapp.kit.etags import holds_tag
from webapp.kit.slugs import is_slug
from webapp.services.publishing import published
from webapp.services.publishing.published import PublicDocument, PublicFilter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LIST_PATH = f"{API_PREFIX}/published"
ITEM_PATH = f"{LIST_PATH}/"
PAGE_SIZE = 20
READS = ("GET", "HEAD")
EVERYTHING = PublicFilter()


class PublicReads:
    """A WSGI application in front of another one, to which it hands what it does not answer."""

    def __init__(self, following: "WSGIApplication", readers: ReaderConnections) -> None:
        """Connect nowhere yet."""
        self._following = following
        self._readers = readers

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request, or let it pass."""
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(LIST_PATH) or not _is_plain(environ):
            return self._following(environ, start_response)
        started = time.perf_counter()
        document = self._read(path)
        if document is None:
            return self._following(environ, start_response)
        headers = [
            ("ETag", document.etag),
            ("Cache-Control", REVALIDATE),
            ("X-Request-ID", choose_request_id(environ.get("HTTP_X_REQUEST_ID", ""))),
        ]
        method: str = environ["REQUEST_METHOD"]
        seen = environ.get("HTTP_IF_NONE_MATCH")
        if seen is not None and holds_tag(seen, document.etag):
            status, body = "304 NOT MODIFIED", b""
        else:
            status, body = "200 OK", document.body if method == "GET" else b""
            headers.append(("Content-Type", "application/json"))
            headers.append(("Content-Length", str(len(document.body))))
        endpoint = "list_published" if path == LIST_PATH else "read_published"
        count_answer(method, f"published.{endpoint}", int(status[:3]), started)
        start_response(status, headers)
        return [body]

    def _read(self, path: str) -> PublicDocument | None:
        try:
            if path == LIST_PATH:
                return self._readers.run(_newest)
            slug = path.removeprefix(ITEM_PATH)
            if not is_slug(slug):
                return None
            return self._readers.run(lambda reader: published.read(reader, slug))
        except psycopg.Error:
            return None  # The view meets the same error and says what there is to say of it.


def _is_plain(environ: "WSGIEnvironment") -> bool:
    return (
        environ["REQUEST_METHOD"] in READS
        and not environ.get("QUERY_STRING")
        and "HTTP_IF_MATCH" not in environ
    )


def _newest(reader: published.Reader) -> PublicDocument:
    body = published.list_newest(reader, EVERYTHING, before=None, limit=PAGE_SIZE)
    return PublicDocument(body, digest_etag(body))
