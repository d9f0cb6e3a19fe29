"""Logins between their two steps: the password was right, and the second factor is awaited.

The token of such a login is in a table that no other request is looked up in, so it opens nothing
but its own second step.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.jobs.leases import seconds_from_now
from webapp.kit.passkey_sites import Site
from webapp.kit.passkeys import Assertion
from webapp.kit.tokens import hash_token, keyed_digest, new_token
from webapp.models import PendingSignIn, User
from webapp.services import activity
from webapp.services.accounts import opened_sessions, passkeys, second_factors, sessions
from webapp.services.accounts.holders import is_on
from webapp.services.accounts.opened_sessions import OpenedSession
from webapp.services.accounts.second_factors import Means, Proof, WrongSecondFactorError
from webapp.services.accounts.sessions import Login
from webapp.services.errors import AuthenticationError, ConflictError

PENDING_SECONDS = 300.0
WRONG_PASSKEY = "The passkey is unknown or was refused; ask anew."
WRONG_TOKEN = "This token is unknown, used or expired; log in again."  # noqa: S105 - a sentence


@dataclass(frozen=True)
class BegunSignIn:
    """A login that waits, with the only copy of its token and what its second step takes."""

    token: str = field(repr=False)
    expires_at: datetime
    methods: list[str]


@dataclass(frozen=True)
class HalfSignedIn:
    """Who is between the two steps."""

    user_id: int
    login: str


@dataclass(frozen=True)
class SessionTerms:
    """How long a session may last, and from where it is opened; see `opened_sessions.hand_out`."""

    days: int
    user_agent: str
    address: str
    most: int


def begin(
    session: Session, login: Login, *, repeat_key: str | None, secret_key: str
) -> BegunSignIn:
    """Let a login wait for its second step.

    With a `repeat_key` a repeated login gets the same token back, as in `sessions.open_session`.
    Raises ConflictError when the login of that key has ended, and AuthenticationError when the
    account has changed since its password was checked.
    """
    sessions.require_unchanged(session, login, has_second_factor=True)
    token = new_token()
    if repeat_key is not None:
        token = sessions.repeated_token(login, repeat_key, secret_key, "pending_sign_in")
    statement = (
        insert(PendingSignIn)
        .values(
            user_id=login.user_id,
            token_hash=hash_token(token),
            expires_at=seconds_from_now(PENDING_SECONDS),
        )
        .on_conflict_do_nothing(index_elements=["token_hash"])
        .returning(PendingSignIn.expires_at)
    )
    expires_at = session.scalar(statement) or session.scalar(
        select(PendingSignIn.expires_at).where(*_is_live(token))
    )
    if expires_at is None:
        raise ConflictError("The login of this Idempotency-Key has ended; use a new key.")
    activity.trace(session, login.user_id, "login.half_done")
    methods = second_factors.describe(session, login.user_id).methods
    return BegunSignIn(token, expires_at, methods)


def find(session: Session, token: str) -> HalfSignedIn:
    """Return whose login a token is of, ended or not. Raises AuthenticationError."""
    row = session.execute(
        select(User.id, User.login)
        .join(PendingSignIn, PendingSignIn.user_id == User.id)
        .where(
            PendingSignIn.token_hash == hash_token(token),
            PendingSignIn.expires_at > func.clock_timestamp(),
            is_on(),
        )
    ).one_or_none()
    if row is None:
        raise AuthenticationError(WRONG_TOKEN)
    return HalfSignedIn(row.id, row.login)


def finish(
    session: Session,
    half: HalfSignedIn,
    token: str,
    proof: Proof,
    means: Means,
    *,
    repeat_key: str | None,
    terms: SessionTerms,
) -> OpenedSession:
    """Open the session of a login by its second factor.

    The account is locked, so that its second steps take turns. With a `repeat_key` the same request
    once more gets the same token back, though its code is used up: that token is made of what only
    the first one held. Raises AuthenticationError, WrongSecondFactorError and ConflictError.
    """
    on = select(User.id).where(User.id == half.user_id, is_on())
    if session.scalar(on.with_for_update(key_share=True)) is None:
        raise AuthenticationError(WRONG_TOKEN)
    access_token = new_token()
    if repeat_key is not None:
        access_token = keyed_digest(token.encode(), "access_token", repeat_key, proof.text)
        repeated = opened_sessions.find_opened(session, half.user_id, access_token)
        if repeated is not None:
            return repeated
    ended = update(PendingSignIn).where(*_is_live(token)).values(ended_at=func.clock_timestamp())
    if session.scalar(ended.returning(PendingSignIn.id)) is None:
        raise AuthenticationError(WRONG_TOKEN)
    second_factors.prove(session, half.user_id, proof, means)
    return _open(session, half.user_id, access_token, terms)


def sign_in_by_passkey(
    session: Session,
    assertion: Assertion,
    site: Site,
    *,
    repeat_key: str | None,
    terms: SessionTerms,
) -> tuple[int, OpenedSession]:
    """Open a session by a passkey alone, which has verified its owner itself; returns whose.

    The same request once more under a `repeat_key` gets the same token back. Raises
    WrongSecondFactorError with one message for every cause.
    """
    user_id = passkeys.find_owner(session, assertion)
    on = select(User.id).where(User.id == user_id, is_on())
    if user_id is None or session.scalar(on.with_for_update(key_share=True)) is None:
        raise WrongSecondFactorError(user_id, WRONG_PASSKEY)
    access_token = new_token()
    if repeat_key is not None:
        signed = assertion.signature.encode()
        access_token = keyed_digest(signed, "passkey_access_token", repeat_key)
        repeated = opened_sessions.find_opened(session, user_id, access_token)
        if repeated is not None:
            return user_id, repeated
    if not passkeys.take(session, assertion, site, "sign_in", user_id):
        raise WrongSecondFactorError(user_id, WRONG_PASSKEY)
    return user_id, _open(session, user_id, access_token, terms)


def _open(session: Session, user_id: int, access_token: str, terms: SessionTerms) -> OpenedSession:
    return opened_sessions.hand_out(
        session,
        user_id,
        access_token,
        days=terms.days,
        user_agent=terms.user_agent,
        address=terms.address,
        most=terms.most,
    )


def _is_live(token: str) -> tuple[ColumnElement[bool], ...]:
    return (
        PendingSignIn.token_hash == hash_token(token),
        PendingSignIn.ended_at.is_(None),
        PendingSignIn.expires_at > func.clock_timestamp(),
    )
