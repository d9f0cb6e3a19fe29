"""The code flow with an issuer: where a browser is sent, and what the code that comes back proves.

OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3, with PKCE (RFC 7636).
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.client import OAuth2Client as OAuth2Protocol
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, KeySet

from webapp.adapters.issuer_calls import IssuerCalls, IssuerUnavailableError, read_object
from webapp.adapters.issuer_facts import IssuerFacts, Metadata
from webapp.kit.issuers import IssuedPerson, Issuer

# By how much the clocks of an issuer and of the database may differ.
LEEWAY_SECONDS = 60
# OpenID Connect Core 1.0, section 2 gives a subject no more.
LONGEST_SUBJECT = 255
LONGEST_CLAIM = 1_000
MOST_GROUPS = 2_000
# What an issuer says when the client is at fault, which no person can mend (RFC 6749, 5.2).
_OF_THE_CLIENT = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type"})


class IssuerRefusalError(Exception):
    """What came back proves nobody; the words are for the log."""


@dataclass(frozen=True)
class Proof:
    """What a client brings back from the issuer; nothing of it is written anywhere."""

    code: str = field(repr=False)
    code_verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    return_url: str
    # What the issuer called itself in the address of the browser (RFC 9207).
    said_issuer: str | None
    # The database's clock, in seconds since 1970.
    now: int


class SignInIssuer:
    """One issuer, as a process deals with it."""

    def __init__(
        self, issuer: Issuer, calls: IssuerCalls, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Ask nothing yet; `clock` tells how old is what was asked before."""
        self.issuer = issuer
        self._calls = calls
        self._facts = IssuerFacts(issuer, calls, clock)

    def authorization_url(
        self, *, state: str, nonce: str, code_verifier: str, return_url: str
    ) -> str:
        """Return the address that a browser is sent to. Raises IssuerUnavailableError."""
        endpoint = self._facts.metadata().authorization_endpoint
        client = OAuth2Protocol(
            None,
            client_id=self.issuer.client_id,
            scope=" ".join(self.issuer.scopes),
            redirect_uri=return_url,
            code_challenge_method="S256",
        )
        url: str = client.create_authorization_url(
            endpoint, state=state, nonce=nonce, code_verifier=code_verifier
        )[0]
        return url

    def identify(self, proof: Proof) -> IssuedPerson:
        """Exchange a code, and return who it is for, once all of it was checked.

        No transaction may be open. Raises IssuerRefusalError and IssuerUnavailableError.
        """
        metadata = self._facts.metadata()
        self._check_said_issuer(metadata, proof)
        with self._calls.client(self.issuer, auth_method=self._auth_method(metadata)) as client:
            tokens = _exchange(client, metadata, proof)
        claims = self._claims(tokens, proof)
        access_token = tokens.get("access_token")
        if metadata.userinfo_endpoint and access_token and not self._wanted() <= claims.keys():
            claims = self._with_userinfo(metadata.userinfo_endpoint, str(access_token), claims)
        return self._person(claims)

    def _check_said_issuer(self, metadata: Metadata, proof: Proof) -> None:
        said = proof.said_issuer
        if said is None and not metadata.authorization_response_iss_parameter_supported:
            return
        if said != self.issuer.url:
            message = "the address names another issuer, or none"
            raise IssuerRefusalError(message)

    def _auth_method(self, metadata: Metadata) -> str:
        if self.issuer.secret() is None:
            return "none"
        known = metadata.token_endpoint_auth_methods_supported
        return "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"

    def _claims(self, tokens: dict[str, Any], proof: Proof) -> dict[str, Any]:
        """Return what the ID token says, once its signature and all its claims were checked."""
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            message = "there is no ID token"
            raise IssuerRefusalError(message)
        try:
            token = jwt.decode(id_token, self._keys, algorithms=list(self.issuer.algorithms))
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self.issuer.url},
                    "aud": {"essential": True, "value": self.issuer.client_id},
                    "sub": {"essential": True},
                },
                params={
                    "nonce": proof.nonce,
                    "client_id": self.issuer.client_id,
                    "access_token": tokens.get("access_token"),
                },
            )
            claims.validate(now=proof.now, leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError) as error:
            raise IssuerRefusalError(f"the ID token is refused: {_words(error)}") from error
        return dict(claims)

    def _keys(self, token: GuestProtocol) -> KeySet:
        key_id = token.headers().get("kid")
        return self._facts.keys(key_id if isinstance(key_id, str) else None)

    def _wanted(self) -> set[str]:
        groups = {self.issuer.groups_claim} if self.issuer.rules_roles else set()
        return {"email", "email_verified"} | groups

    def _with_userinfo(self, url: str, access_token: str, claims: dict[str, Any]) -> dict[str, Any]:
        """Add what the issuer tells besides; what the ID token says goes first."""
        headers = {"Authorization": f"Bearer {access_token}"}
        with self._calls.client(self.issuer) as client:
            told = read_object(
                client.request("GET", url, headers=headers, withhold_token=True), "userinfo"
            )
        if told.get("sub") != claims["sub"]:
            # OpenID Connect Core 1.0, 5.3.2: it may be somebody else's.
            message = "the userinfo is about somebody else"
            raise IssuerRefusalError(message)
        return {**told, **claims}

    def _person(self, claims: dict[str, Any]) -> IssuedPerson:
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
            message = "the ID token has no subject that can be one"
            raise IssuerRefusalError(message)
        return IssuedPerson(
            issuer=self.issuer,
            subject=subject,
            email=_text(claims.get("email")) or None,
            has_verified_email=claims.get("email_verified") is True,
            name=_text(claims.get("name")),
            preferred_login=_text(claims.get("preferred_username")),
            groups=_groups(claims.get(self.issuer.groups_claim)),
        )


def sign_in_issuers(issuers: Iterable[Issuer]) -> dict[str, SignInIssuer]:
    """Return the issuers of a process by their names; their calls share one bound."""
    listed = list(issuers)
    if not listed:
        # What makes calls reads every certificate that it trusts, a third of the start of the API.
        return {}
    calls = IssuerCalls()
    return {issuer.name: SignInIssuer(issuer, calls) for issuer in listed}


def _exchange(client: OAuth2Client, metadata: Metadata, proof: Proof) -> dict[str, Any]:
    """Return what the issuer gives for the code."""
    try:
        tokens = client.fetch_token(
            metadata.token_endpoint,
            grant_type="authorization_code",
            code=proof.code,
            code_verifier=proof.code_verifier,
            redirect_uri=proof.return_url,
        )
    except OAuthError as error:
        said = str(error.error)[:100]
        if said in _OF_THE_CLIENT:
            raise IssuerUnavailableError(f"refuses this client: {said}") from error
        raise IssuerRefusalError(f"the code is refused: {said}") from error
    except (ValueError, TypeError) as error:
        message = "gives as its tokens what cannot be read"
        raise IssuerUnavailableError(message) from error
    return dict(tokens)


def _text(claim: Any) -> str:  # noqa: ANN401 - a claim can be any JSON
    return claim if isinstance(claim, str) and len(claim) <= LONGEST_CLAIM else ""


def _groups(claim: Any) -> frozenset[str]:  # noqa: ANN401 - a claim can be any JSON
    listed = [claim] if isinstance(claim, str) else claim
    if not isinstance(listed, list):
        return frozenset()
    return frozenset(group for group in listed[:MOST_GROUPS] if isinstance(group, str))


def _words(error: Exception) -> str:
    """Return the kind of an error and the claim it is about, which hold nothing of the token."""
    claim = getattr(error, "claim", None)
    return f"{type(error).__name__}" + (f" ({claim})" if isinstance(claim, str) else "")
