"""Login sessions: bearer tokens handed out, recognised and revoked."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Float,
    Select,
    bindparam,
    cast,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session

from webapp.adapters import built_statements
from webapp.jobs.leases import seconds_from_now
from webapp.kit.logins import one_form
from webapp.kit.passwords import (
    hash_password,
    needs_rehash,
    password_bound_secret,
    unmatchable_hash,
    verify_password,
)
from webapp.kit.tokens import hash_token, keyed_digest, new_token
from webapp.models import AccessToken, User
from webapp.services import activity
from webapp.services.accounts import standing
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.holders import (
    FindRow,
    account_of,
    actor_of,
    is_on,
    select_holder,
    with_account,
)
from webapp.services.accounts.opened_sessions import SECONDS_A_DAY, OpenedSession, hand_out
from webapp.services.errors import AuthenticationError, NotFoundError

# The use of a session is noted as often as this, so that most requests write nothing.
NOTE_USE_SECONDS = 60
WRONG_CREDENTIALS = "The login or the password is wrong."
_USED_AT = func.coalesce(AccessToken.last_used_at, AccessToken.created_at)

# What a login asks of the database is built once and runs past the ORM: to build it each time cost
# as much of a core as a quarter of the Argon2 hash, which is what a login should cost.
_CREDENTIALS = select(User.id, User.password_hash, User.second_factor_at, is_on().label("is_on"))
_Credentials = Select[int, str, datetime | None, bool]
_OF_LOGIN = _CREDENTIALS.where(User.login == bindparam("login"))
_OF_ID = _CREDENTIALS.where(User.id == bindparam("user_id"))
_HAS_FACTOR = User.second_factor_at.is_not(None)
_UNCHANGED = (
    select(User.id)
    .where(
        User.id == bindparam("user_id"),
        User.password_hash == bindparam("password_hash"),
        is_on(),
        func.coalesce(cast(bindparam("has_second_factor"), Boolean), _HAS_FACTOR) == _HAS_FACTOR,
    )
    .with_for_update(key_share=True)
)


@dataclass(frozen=True)
class SessionLine:
    """One session as its owner sees it in a list."""

    id: int
    user_agent: str
    address: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class Login:
    """An account whose password was right, the hash that it was right for, and the password.

    With `has_second_factor` the password is half of it; see `pending_sign_ins`.
    """

    user_id: int
    password_hash: str
    password: str = field(repr=False)
    has_second_factor: bool = False


class WrongCredentialsError(AuthenticationError):
    """A login failed; `user_id` is whose it would have been, for the record and for nobody else."""

    def __init__(self, user_id: int | None) -> None:
        """Say the same for every cause."""
        super().__init__(WRONG_CREDENTIALS)
        self.user_id = user_id


def log_in(session: Session, login: str, password: str) -> Login:
    """Check a login and a password.

    A hash of another form of the password gives way to one of the form of today. Raises
    WrongCredentialsError with one message for every cause, after the same work.
    """
    return _check(session, _OF_LOGIN, {"login": one_form(login)}, password)


def check_again(session: Session, user_id: int, password: str) -> Login:
    """Check the password of somebody who has signed in, once more.

    Raises WrongCredentialsError. What shall hold with it asks `require_unchanged` afterwards.
    """
    return _check(session, _OF_ID, {"user_id": user_id}, password)


def _check(
    session: Session, whose: _Credentials, parameters: dict[str, Any], password: str
) -> Login:
    row = built_statements.first(session.connection(), whose, parameters)
    password_hash = unmatchable_hash() if row is None else row.password_hash
    matches = verify_password(password_hash, password)
    if row is None or not matches or not row.is_on:
        raise WrongCredentialsError(None if row is None else row.id)
    if needs_rehash(password_hash, password):
        password_hash = _rehash(session, row.id, password_hash, password)
    return Login(row.id, password_hash, password, row.second_factor_at is not None)


def _rehash(session: Session, user_id: int, old_hash: str, password: str) -> str:
    """Replace a hash that is still there; returns the new one."""
    new_hash = hash_password(password)
    session.execute(
        update(User)
        .where(User.id == user_id, User.password_hash == old_hash)
        .values(password_hash=new_hash)
    )
    return new_hash


def open_session(
    session: Session,
    login: Login,
    *,
    days: int,
    user_agent: str,
    address: str = "",
    repeat_key: str | None,
    secret_key: str,
    most: int = 0,
) -> OpenedSession:
    """Hand out a token.

    With a `repeat_key` (the caller's Idempotency-Key) a repeated request gets the same token back,
    although only its hash is stored; see `repeated_token`. Raises ConflictError when the session
    of that key has ended, and AuthenticationError when the password was changed since it was
    checked: a login must not outlive the reset that it raced with. So it does for an account that
    has a second factor, whose sessions are opened by `pending_sign_ins`.

    Of more live sessions than `most` (0: any number), those that were used least lately end. The
    account is locked, so that logins at once take turns.
    """
    require_unchanged(session, login, has_second_factor=False)
    token = new_token()
    if repeat_key is not None:
        token = repeated_token(login, repeat_key, secret_key, "access_token")
    return hand_out(
        session, login.user_id, token, days=days, user_agent=user_agent, address=address, most=most
    )


def open_for_owner(
    session: Session,
    user_id: int,
    *,
    days: int,
    user_agent: str,
    address: str,
    most: int,
    issuer: str,
) -> OpenedSession:
    """Hand out a token to whom an issuer has signed in, who answers for all factors.

    Raises AuthenticationError where the account does not work any more. The rest is as for
    `open_session`.
    """
    locked = select(User.id).where(User.id == user_id, is_on())
    if session.scalar(locked.with_for_update(key_share=True)) is None:
        raise AuthenticationError(WRONG_CREDENTIALS)
    return hand_out(
        session,
        user_id,
        new_token(),
        days=days,
        user_agent=user_agent,
        address=address,
        most=most,
        issuer=issuer,
    )


def repeated_token(login: Login, repeat_key: str, secret_key: str, purpose: str) -> str:
    """Return the one token of an account and an Idempotency-Key, for one purpose.

    It takes the password to make it, besides the secret key, so it gives nobody anything who could
    not log in anyway.
    """
    bound = password_bound_secret(login.password, login.password_hash, purpose)
    return keyed_digest(bound, secret_key, str(login.user_id), repeat_key)


def require_unchanged(
    session: Session, login: Login, *, has_second_factor: bool | None = None
) -> None:
    """Keep the account as it was when its password was checked, until the transaction ends.

    Raises AuthenticationError where it has changed since, and where it is given and wrong whether
    the account has a second factor.
    """
    seen = {
        "user_id": login.user_id,
        "password_hash": login.password_hash,
        "has_second_factor": has_second_factor,
    }
    if built_statements.first(session.connection(), _UNCHANGED, seen) is None:
        raise AuthenticationError(WRONG_CREDENTIALS)


_HOLDER = select_holder(
    AccessToken,
    AccessToken.token_hash,
    is_use_noted=seconds_from_now(-NOTE_USE_SECONDS) < _USED_AT,
)
_HOLDER_IN_USE = _HOLDER.where(
    seconds_from_now(bindparam("idle_seconds", type_=Float())) < _USED_AT
)
_HOLDER_WITH_ACCOUNT = with_account(_HOLDER)
_HOLDER_IN_USE_WITH_ACCOUNT = with_account(_HOLDER_IN_USE)


def find_actor(
    find: FindRow, token: str, *, idle_days: int = 0, wants_account: bool = False
) -> Actor | None:
    """Return who holds this token.

    None when it is unknown, revoked, expired, was not used for `idle_days` (0: however long), or
    its account is off. With `wants_account` the same read brings what the account shows of itself.
    """
    parameters: dict[str, Any] = {"secret_hash": hash_token(token)}
    statement = _HOLDER_WITH_ACCOUNT if wants_account else _HOLDER
    if idle_days:
        statement = _HOLDER_IN_USE_WITH_ACCOUNT if wants_account else _HOLDER_IN_USE
        parameters["idle_seconds"] = -float(idle_days * SECONDS_A_DAY)
    row = find(statement, parameters)
    if row is None:
        return None
    account = account_of(row) if wants_account else None
    return actor_of(row, session_id=row.id, account=account)


def _in_use(idle_days: int) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that a session was used in the last `idle_days`; none for 0."""
    return (seconds_from_now(-idle_days * SECONDS_A_DAY) < _USED_AT,) if idle_days else ()


def note_use(session: Session, session_id: int, address: str = "") -> None:
    """Note that a session is in use, and from where.

    Commit before anything else is locked, so none can wait.
    """
    session.execute(
        update(AccessToken)
        .where(AccessToken.id == session_id)
        .values(last_used_at=func.clock_timestamp(), address=address)
        .execution_options(synchronize_session=False)
    )


def list_sessions(
    session: Session, user_id: int, *, after_id: int, limit: int, idle_days: int = 0
) -> list[SessionLine]:
    """Return the live sessions of an account, oldest first, from above `after_id`."""
    statement = (
        select(
            AccessToken.id,
            AccessToken.user_agent,
            AccessToken.address,
            AccessToken.created_at,
            AccessToken.expires_at,
            AccessToken.last_used_at,
        )
        .where(
            AccessToken.user_id == user_id,
            AccessToken.id > after_id,
            AccessToken.revoked_at.is_(None),
            AccessToken.expires_at > func.clock_timestamp(),
            *_in_use(idle_days),
        )
        .order_by(AccessToken.id)
        .limit(limit)
    )
    return [SessionLine(**row._asdict()) for row in session.execute(statement)]


def revoke_session(session: Session, user_id: int, session_id: int) -> None:
    """End one session of an account. Raises NotFoundError when it is not theirs or has ended."""
    revoked = session.scalar(
        update(AccessToken)
        .where(
            AccessToken.id == session_id,
            AccessToken.user_id == user_id,
            AccessToken.revoked_at.is_(None),
        )
        .values(revoked_at=func.clock_timestamp())
        .returning(AccessToken.id)
    )
    if revoked is None:
        raise NotFoundError("You have no such session.")
    activity.trace(session, user_id, "session.revoke", session_id=session_id)


def revoke_others(session: Session, user_id: int, but: int | None) -> None:
    """End all sessions of an account but one."""
    ended = standing.revoke_sessions(session, user_id, but=but)
    activity.trace(session, user_id, "session.revoke", ended_sessions=ended)
