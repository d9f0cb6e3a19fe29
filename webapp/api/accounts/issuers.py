"""Single sign-on: who may say who somebody is, and the two steps of signing in through them.

The app of the site sends the browser to the issuer and gets it back at an address of its own, which
the settings name. It brings what came back here and gets a token in the answer: a token is never in
an address, and this API answers no browser on its way.
"""

from datetime import datetime
from typing import Annotated

import structlog
from flask import Response, g, request
from pydantic import AfterValidator, BaseModel, Field

from webapp.adapters.issuer_calls import IssuerUnavailableError
from webapp.adapters.issuer_exchange import IssuerRefusalError, Proof, SignInIssuer
from webapp.api.accounts.auth_tokens import TokenAnswer
from webapp.api.answers import answer
from webapp.api.auth import public
from webapp.api.blueprint import ACCOUNT_PROBLEMS, Blueprint, Responses
from webapp.api.clients import client_address, client_network
from webapp.api.edge import keeps_no_answer, open_session, web_context
from webapp.api.fields import Input, Query
from webapp.kit.issuers import IssuedPerson
from webapp.kit.json_values import check_text
from webapp.services.accounts import identities, issuer_sign_ins, sessions, sign_in_throttles
from webapp.services.accounts.issuer_sign_ins import WRONG_SIGN_IN
from webapp.services.errors import (
    AuthenticationError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)

log = structlog.get_logger()
blueprint = Blueprint("issuers", title="Single sign-on")

PROBLEMS: Responses = {
    status: ACCOUNT_PROBLEMS[status] for status in ("401", "403", "404")
}  # fmt: skip
Secret = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_text)]
Text = Annotated[str, Field(min_length=1, max_length=4_000), AfterValidator(check_text)]


class IssuerAnswer(BaseModel):
    """One issuer, for the button that begins a sign-in."""

    name: str
    title: str


class IssuerList(BaseModel):
    """All issuers, in the order of the settings, and whether passwords open anything."""

    items: list[IssuerAnswer]
    password_sign_in: bool


class IssuerPath(Query):
    """Which issuer."""

    issuer_name: Annotated[str, Field(max_length=40)]


class NewSignIn(Input):
    """Where the browser is to come back."""

    return_url: Annotated[
        Text,
        Field(description="One of the `return_urls` of the settings, letter by letter."),
    ]


class BegunAnswer(BaseModel):
    """Where to send the browser, and what to keep until it comes back."""

    authorization_url: str
    handle: str = Field(description="To be kept by the client, and shown to nobody.")
    expires_at: datetime


class ReturnedBody(Input):
    """What came back with the browser, and the handle that was kept."""

    handle: Secret
    state: Secret
    code: Text
    iss: Annotated[
        Text | None, Field(description="As it came; some issuers send it, and then it counts.")
    ] = None


@blueprint.get("/auth/issuers", responses={200: IssuerList}, security=[])
@public
def list_issuers() -> Response:
    """List those through whom one can sign in."""
    context = web_context()
    items = [
        IssuerAnswer(name=name, title=known.issuer.shown_title)
        for name, known in context.issuers.items()
    ]
    return answer(IssuerList(items=items, password_sign_in=context.settings.password_sign_in))


@blueprint.post(
    "/auth/issuers/<issuer_name>/sign-ins",
    responses={201: BegunAnswer, "404": PROBLEMS["404"]},
    security=[],
)
@public
@keeps_no_answer
def begin_sign_in(path: IssuerPath, body: NewSignIn) -> Response:
    """Begin to sign in: send the browser to the address in the answer, within ten minutes."""
    known = _known_issuer(path.issuer_name)
    if body.return_url not in known.issuer.return_urls:
        raise InvalidInputError("return_url", "is none of those that the settings name")
    session = open_session()
    secret_key = web_context().settings.require_secret_key()
    begun = issuer_sign_ins.begin(session, known.issuer.name, body.return_url, secret_key)
    session.commit()
    try:
        url = known.authorization_url(
            state=begun.state,
            nonce=begun.secrets.nonce,
            code_verifier=begun.secrets.code_verifier,
            return_url=body.return_url,
        )
    except IssuerUnavailableError as error:
        raise _unavailable(known, error) from error
    shown = BegunAnswer(authorization_url=url, handle=begun.handle, expires_at=begun.expires_at)
    return answer(shown, 201)


@blueprint.post(
    "/auth/issuers/<issuer_name>/token", responses={200: TokenAnswer, **PROBLEMS}, security=[]
)
@public
@keeps_no_answer
def finish_sign_in(path: IssuerPath, body: ReturnedBody) -> Response:
    """Exchange what came back with the browser for a bearer token, once.

    The session is one like any other. 403 says that the issuer has signed somebody in for whom no
    account opens here, whatever the cause; 401 that nothing is proven.
    """
    known = _known_issuer(path.issuer_name)
    session, settings = open_session(), web_context().settings
    returned = issuer_sign_ins.bring_back(
        session, known.issuer.name, state=body.state, handle=body.handle,
        secret_key=settings.require_secret_key(),
    )  # fmt: skip
    # Used up whatever happens from here on, and nothing is open while the issuer is asked.
    session.commit()
    person = _identify(
        known,
        Proof(
            code=body.code,
            code_verifier=returned.secrets.code_verifier,
            nonce=returned.secrets.nonce,
            return_url=returned.return_url,
            said_issuer=body.iss,
            now=returned.now,
        ),
    )
    return _open(person)


def _open(person: IssuedPerson) -> Response:
    """Open a session for the account of a person, as a login does."""
    session, settings = open_session(), web_context().settings
    user_id = identities.account_of(session, person, settings.new_account_role)
    g.known_user_id = user_id
    opened = sessions.open_for_owner(
        session,
        user_id,
        days=settings.access_token_days,
        user_agent=request.headers.get("User-Agent", ""),
        address=client_address(),
        most=settings.quota_sessions,
        issuer=person.issuer.name,
    )
    secret_key = settings.require_secret_key()
    sign_in_throttles.welcome(session, secret_key, user_id, client_network())
    return answer(TokenAnswer(access_token=opened.access_token, expires_at=opened.expires_at))


def _identify(known: SignInIssuer, proof: Proof) -> IssuedPerson:
    try:
        return known.identify(proof)
    except IssuerRefusalError as error:
        log.warning("issuer.refused", issuer=known.issuer.name, reason=str(error))
        raise AuthenticationError(WRONG_SIGN_IN) from error
    except IssuerUnavailableError as error:
        raise _unavailable(known, error) from error


def _unavailable(known: SignInIssuer, error: IssuerUnavailableError) -> UnavailableError:
    log.warning("issuer.unavailable", issuer=known.issuer.name, reason=str(error))
    return UnavailableError("The issuer cannot be asked now; try again soon.")


def _known_issuer(name: str) -> SignInIssuer:
    known = web_context().issuers.get(name)
    if known is None:
        raise NotFoundError("There is no such issuer.")
    return known
