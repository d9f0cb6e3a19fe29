"""Calls to an issuer over HTTP, bounded in time, size and number."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from authlib.integrations.httpx_client import OAuth2Client

from webapp.kit.issuers import Issuer

# For a name, a connection and TLS; for each piece of what is sent and comes; and for all of it.
CONNECT_SECONDS = 3.0
PIECE_SECONDS = 4.0
WHOLE_SECONDS = 8.0
# The keys and the metadata of the large issuers have some ten KiB.
MOST_BYTES = 262_144
# At once, in a process: an issuer that hangs leaves threads to other requests.
MOST_CALLS = 2
WAIT_SECONDS = 2.0


class IssuerUnavailableError(Exception):
    """The issuer cannot be reached, or does not answer as one; it may in a while."""


class _BoundedStream(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            size += len(piece)
            if size > MOST_BYTES:
                raise IssuerUnavailableError(f"answers with more than {MOST_BYTES} bytes")
            if time.monotonic() > self._deadline:
                raise IssuerUnavailableError(f"takes longer than {WHOLE_SECONDS} seconds")
            yield piece

    def close(self) -> None:
        self._stream.close()


class _BoundedTransport(httpx2.BaseTransport):
    """Takes no more of an answer than the bounds above, and stays open behind each client.

    What comes packed is refused: it would be of any size once unpacked.
    """

    def __init__(self) -> None:
        self._inner = httpx2.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        deadline = time.monotonic() + WHOLE_SECONDS
        response = self._inner.handle_request(request)
        stream = response.stream
        if "content-encoding" in response.headers or not isinstance(stream, httpx2.SyncByteStream):
            response.close()
            message = "packs its answer, which it was not asked for"
            raise IssuerUnavailableError(message)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_BoundedStream(stream, deadline),
            extensions=response.extensions,
        )

    def close_for_good(self) -> None:
        self._inner.close()


class IssuerCalls:
    """Makes the calls of one process."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._free = threading.BoundedSemaphore(MOST_CALLS)
        self._transport = _BoundedTransport()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._transport.close_for_good()

    @contextmanager
    def client(self, issuer: Issuer, *, auth_method: str | None = None) -> Iterator[OAuth2Client]:
        """Lend a client for a call or two, and turn all that goes wrong into one error.

        Who has one must not ask for another, or those who do wait for each other. The
        environment's proxies are not asked: the settings alone say where requests go. Raises
        IssuerUnavailableError.
        """
        if not self._free.acquire(timeout=WAIT_SECONDS):
            message = "is asked by as many requests already as may wait for it"
            raise IssuerUnavailableError(message)
        try:
            with OAuth2Client(
                client_id=issuer.client_id,
                client_secret=issuer.secret(),
                token_endpoint_auth_method=auth_method,
                scope=" ".join(issuer.scopes),
                code_challenge_method="S256",
                transport=self._transport,
                timeout=httpx2.Timeout(PIECE_SECONDS, connect=CONNECT_SECONDS),
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                trust_env=False,
                follow_redirects=False,
            ) as client:
                yield client
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise IssuerUnavailableError(f"cannot be reached: {type(error).__name__}") from error
        finally:
            self._free.release()


def read_object(response: httpx2.Response, what: str) -> dict[str, Any]:
    """Return the JSON object of an answer. Raises IssuerUnavailableError."""
    if response.status_code != 200:
        raise IssuerUnavailableError(f"answers {response.status_code} when asked for its {what}")
    try:
        found = response.json()
    except ValueError as error:
        raise IssuerUnavailableError(f"gives as its {what} what is not JSON") from error
    if not isinstance(found, dict):
        raise IssuerUnavailableError(f"gives as its {what} no JSON object")
    return found
