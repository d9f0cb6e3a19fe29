"""Login, sessions, and forgotten passwords."""

from datetime import datetime
from typing import Annotated, Literal

from flask import Response, g, request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from webapp.api.accounts.accounts import EmailAddress, Login, Password
from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, public, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint, Responses
from webapp.api.clients import client_address, client_network
from webapp.api.edge import idempotency_key, keeps_no_answer, open_session, web_context
from webapp.api.fields import Id, Input, Omittable, PageQuery, Query
from webapp.api.password_door import of_passwords
from webapp.api.problems import problem_response
from webapp.kit.cursors import decode_cursor
from webapp.kit.json_values import check_text
from webapp.kit.passwords import MAXIMUM_TYPED
from webapp.kit.permissions import Permission
from webapp.services.accounts import (
    password_resets,
    pending_sign_ins,
    sessions,
    sign_in_throttles,
)
from webapp.services.accounts.opened_sessions import OpenedSession
from webapp.services.accounts.pending_sign_ins import BegunSignIn
from webapp.services.accounts.sessions import SessionLine

blueprint = Blueprint("auth", title="Login and sessions")

WRONG_CREDENTIALS: Responses = {
    "401": problem_response("The login, the password or the token is wrong.")
}


class Credentials(Input):
    """What a person gives to log in."""

    login: Annotated[str, Field(min_length=1, max_length=254), AfterValidator(check_text)]
    password: Annotated[
        str, Field(min_length=1, max_length=MAXIMUM_TYPED), AfterValidator(check_text)
    ]


class TokenAnswer(BaseModel):
    """A bearer token; it is shown here once and never again."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a scheme, not a secret
    expires_at: datetime


class SecondStepAnswer(BaseModel):
    """A login that wants a second factor; its token opens nothing but POST /auth/second-factor."""

    second_factor_token: str
    expires_at: datetime
    methods: list[str] = Field(description="What it takes: totp, passkey, recovery_code.")


class SessionAnswer(BaseModel):
    """One login session."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    user_agent: str
    address: str = Field(description="From where it was last used.")
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(
        description="To a minute; null where it was not used since the first one."
    )
    is_current: bool


class SessionPage(BaseModel):
    """A page of sessions."""

    items: list[SessionAnswer]
    next: str | None


class SessionPath(Query):
    """Which session."""

    session_id: Id


class ResetRequest(Input):
    """The address of the account whose password is forgotten."""

    email: EmailAddress
    login: Annotated[
        Omittable[Login],
        Field(description="Which of the accounts that claim an address that none has proven."),
    ] = None


class ResetAccepted(BaseModel):
    """The same answer for every address."""

    detail: str = "If there is an account with this address, a mail is on its way."


class ResetConfirmation(Input):
    """The token from the mail and the new password."""

    token: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_text)]
    password: Password


@blueprint.post(
    "/auth/token",
    responses={200: TokenAnswer, 202: SecondStepAnswer, **WRONG_CREDENTIALS},
    security=[],
)
@public
@of_passwords
@keeps_no_answer
def log_in(body: Credentials) -> Response:
    """Exchange a login and a password for a bearer token.

    Where the account has a second factor, the answer is 202, with a token for the second step.
    Where the account has IMPRINT_QUOTA_SESSIONS live sessions, the one least lately used ends.
    After some wrong passwords there is a wait, which grows; see Retry-After. Places from which the
    account was logged in to before have a wait of their own.
    """
    session, settings = open_session(), web_context().settings
    secret_key, attempt = settings.require_secret_key(), None
    if settings.rate_limits:
        attempt = sign_in_throttles.begin(session, secret_key, body.login, client_network())
        # Counted whatever happens from here on, so that tries at once are counted too.
        session.commit()
    login = sessions.log_in(session, body.login, body.password)
    if attempt is not None:
        is_whole = not login.has_second_factor
        sign_in_throttles.succeed(session, attempt, login.user_id, is_whole=is_whole)
    g.known_user_id = login.user_id
    if login.has_second_factor:
        begun = pending_sign_ins.begin(
            session, login, repeat_key=idempotency_key(), secret_key=secret_key
        )
        return answer(_shape_begun(begun), 202)
    opened = sessions.open_session(
        session,
        login,
        days=settings.access_token_days,
        user_agent=request.headers.get("User-Agent", ""),
        address=client_address(),
        repeat_key=idempotency_key(),
        secret_key=secret_key,
        most=settings.quota_sessions,
    )
    return answer_with_token(opened)


def answer_with_token(opened: OpenedSession) -> Response:
    """Show the token of a new session, once."""
    response = answer(TokenAnswer(access_token=opened.access_token, expires_at=opened.expires_at))
    response.headers["Cache-Control"] = "no-store"
    return response


def _shape_begun(begun: BegunSignIn) -> SecondStepAnswer:
    return SecondStepAnswer(
        second_factor_token=begun.token, expires_at=begun.expires_at, methods=begun.methods
    )


@blueprint.delete("/auth/token", responses={204: None, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.CREDENTIAL_MANAGE, for_enrolment=True)
def log_out() -> Response:
    """End the session whose token this request carries."""
    actor = current_actor()
    sessions.revoke_session(open_session(), actor.user_id, actor.session_id or 0)
    return no_content()


@blueprint.get("/auth/sessions", responses={200: SessionPage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.CREDENTIAL_MANAGE)
def list_sessions(query: PageQuery) -> Response:
    """List one's live sessions, oldest first."""
    actor, after_id = current_actor(), 0
    if query.cursor is not None:
        (after_id,) = decode_cursor(query.cursor, int)  # type: ignore[assignment]
    rows = sessions.list_sessions(
        open_session(),
        actor.user_id,
        after_id=after_id,
        limit=query.limit + 1,
        idle_days=web_context().settings.access_token_idle_days,
    )

    def shape(row: SessionLine) -> SessionAnswer:
        return SessionAnswer(
            id=row.id,
            user_agent=row.user_agent,
            address=row.address,
            created_at=row.created_at,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
            is_current=row.id == actor.session_id,
        )

    return answer(SessionPage(**page_of(rows, query.limit, shape, lambda row: (row.id,))))


@blueprint.delete("/auth/sessions", responses={204: None, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.CREDENTIAL_MANAGE)
def revoke_other_sessions() -> Response:
    """End all of one's sessions but the one whose token this request carries."""
    actor = current_actor()
    sessions.revoke_others(open_session(), actor.user_id, actor.session_id)
    return no_content()


@blueprint.delete(
    "/auth/sessions/<int:session_id>", responses={204: None, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.CREDENTIAL_MANAGE)
def revoke_session(path: SessionPath) -> Response:
    """End one of one's sessions."""
    sessions.revoke_session(open_session(), current_actor().user_id, path.session_id)
    return no_content()


@blueprint.post("/auth/password-reset", responses={202: ResetAccepted}, security=[])
@public
@of_passwords
@keeps_no_answer
def request_password_reset(body: ResetRequest) -> Response:
    """Ask for a mail with a reset token; the answer is the same for every address."""
    password_resets.request_reset(open_session(), body.email, body.login)
    return answer(ResetAccepted(), 202)


@blueprint.post(
    "/auth/password-reset/confirm", responses={204: None, **WRONG_CREDENTIALS}, security=[]
)
@public
@of_passwords
def confirm_password_reset(body: ResetConfirmation) -> Response:
    """Set a new password with a token from the mail; ends every session of the account."""
    set_password_with_token(body.token, body.password)
    return no_content()


def set_password_with_token(token: str, password: str) -> None:
    """Use a reset token, and know from here on from where its owner comes.

    Raises AuthenticationError and InvalidInputError.
    """
    session, settings = open_session(), web_context().settings
    user_id = password_resets.confirm_reset(
        session, token, password, site_words=settings.site_words
    )
    secret_key = settings.require_secret_key()
    sign_in_throttles.welcome(session, secret_key, user_id, client_network())
