"""What an issuer says of itself: where its endpoints are and which keys sign for it, kept a while.

- The metadata and the keys are asked for again when they are an hour old, and never served older.
- A key id that is not among the keys has them asked for at once, but no more than once a minute, so
  that forged tokens make no traffic.
- After a call that failed the issuer is left alone for five seconds, in which requests are refused
  without waiting.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, ValidationError

from webapp.adapters.issuer_calls import (
    WAIT_SECONDS,
    IssuerCalls,
    IssuerUnavailableError,
    read_object,
)
from webapp.kit.issuers import Issuer, PrivateUrl

KEPT_SECONDS = 3_600.0
KEYS_ANEW_SECONDS = 60.0
LEFT_ALONE_SECONDS = 5.0

Fact = TypeVar("Fact")


class Metadata(BaseModel):
    """What is used of an issuer's metadata (OpenID Connect Discovery 1.0, section 3; RFC 9207)."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    issuer: str
    authorization_endpoint: PrivateUrl
    token_endpoint: PrivateUrl
    jwks_uri: PrivateUrl
    userinfo_endpoint: PrivateUrl | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


@dataclass
class _Kept:
    value: Any
    fetched_at: float


class IssuerFacts:
    """The facts of one issuer in one process; threads take turns to ask for them."""

    def __init__(self, issuer: Issuer, calls: IssuerCalls, clock: Callable[[], float]) -> None:
        """Ask nothing yet, so that a process starts whether the issuer answers or not.

        `clock` gives seconds since some moment, and never goes back.
        """
        self._issuer = issuer
        self._calls = calls
        self._clock = clock
        self._turn = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._failed_at = float("-inf")

    def metadata(self) -> Metadata:
        """Return what the issuer says of its endpoints. Raises IssuerUnavailableError."""
        return self._get("metadata", KEPT_SECONDS, self._fetch_metadata)

    def keys(self, key_id: str | None) -> KeySet:
        """Return its keys, among which the one with this id is, unless the issuer has none such.

        Raises IssuerUnavailableError.
        """
        url = self.metadata().jwks_uri
        keys = self._get("keys", KEPT_SECONDS, lambda: self._fetch_keys(url))
        if key_id is None or any(key.kid == key_id for key in keys):
            return keys
        return self._get("keys", KEYS_ANEW_SECONDS, lambda: self._fetch_keys(url))

    def _get(self, name: str, age_seconds: float, fetch: Callable[[], Fact]) -> Fact:
        """Return a fact that is no older than this, asking for it where there is none."""
        found = self._young(name, age_seconds)
        if found is None:
            if not self._turn.acquire(timeout=WAIT_SECONDS):
                message = "is being asked already"
                raise IssuerUnavailableError(message)
            try:
                found = self._young(name, age_seconds) or self._ask(name, fetch)
            finally:
                self._turn.release()
        fact: Fact = found.value
        return fact

    def _young(self, name: str, age_seconds: float) -> _Kept | None:
        kept = self._kept.get(name)
        is_young = kept is not None and self._clock() - kept.fetched_at < age_seconds
        return kept if is_young else None

    def _ask(self, name: str, fetch: Callable[[], Any]) -> _Kept:
        if self._clock() - self._failed_at < LEFT_ALONE_SECONDS:
            message = "did not answer a moment ago"
            raise IssuerUnavailableError(message)
        try:
            kept = _Kept(fetch(), self._clock())
        except IssuerUnavailableError:
            self._failed_at = self._clock()
            raise
        self._kept[name] = kept
        return kept

    def _fetch_metadata(self) -> Metadata:
        url = f"{self._issuer.url.rstrip('/')}/.well-known/openid-configuration"
        with self._calls.client(self._issuer) as client:
            found = read_object(client.request("GET", url, withhold_token=True), "metadata")
        try:
            metadata = Metadata.model_validate(found)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)[0]
            raise IssuerUnavailableError(
                f"gives metadata that is wrong: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}"
            ) from error
        if metadata.issuer != self._issuer.url:
            message = "calls itself by another url than the setting, which has to be the same"
            raise IssuerUnavailableError(message)
        return metadata

    def _fetch_keys(self, url: str) -> KeySet:
        with self._calls.client(self._issuer) as client:
            found = read_object(client.request("GET", url, withhold_token=True), "keys")
        try:
            return KeySet.import_key_set(found)  # type: ignore[arg-type]  # It is checked there.
        except (JoseError, ValueError, KeyError, TypeError) as error:
            message = "gives keys that cannot be read"
            raise IssuerUnavailableError(message) from error
