"""What operators do with accounts by commands, without being logged in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, not_, select
from sqlalchemy.orm import Session

from webapp.jobs.account_messages import SendPasswordReset
from webapp.jobs.outbox import enqueue
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email, new_token
from webapp.models import AccessToken, Role, User
from webapp.services import activity
from webapp.services.accounts import accounts, password_resets, second_factors, standing
from webapp.services.accounts.holders import is_on
from webapp.services.accounts.password_resets import MintedReset
from webapp.services.errors import ConflictError, NotFoundError


@dataclass(frozen=True)
class AccountLine:
    """An account as an operator sees it in a list."""

    id: int
    login: str
    email: str
    display_name: str
    role: str
    created_at: datetime
    email_proven_at: datetime | None
    disabled_at: datetime | None
    frozen_at: datetime | None


@dataclass(frozen=True)
class AccountDetails:
    """One account, how many live sessions it has, and when one of them was last used.

    `second_factors` names what opens it beside the password.
    """

    account: AccountLine
    live_sessions: int
    last_used_at: datetime | None
    second_factors: list[str]


def list_lines(
    session: Session,
    *,
    role: RoleName | None = None,
    is_disabled: bool | None = None,
    after_id: int = 0,
    limit: int = 50,
) -> list[AccountLine]:
    """Return accounts in the order of their ids, from above `after_id`, filtered."""
    statement = _LINES.where(User.id > after_id).order_by(User.id).limit(limit)
    if role is not None:
        statement = statement.where(Role.name == role.value)
    if is_disabled is not None:
        statement = statement.where(not_(is_on()) if is_disabled else is_on())
    return [AccountLine(**row._asdict()) for row in session.execute(statement)]


def find(session: Session, login_or_id: str) -> AccountLine:
    """Return the account with a login, or with an id in digits. Raises NotFoundError."""
    of_login = _LINES.where(User.login == login_or_id.lower())
    row = session.execute(of_login).one_or_none()
    if row is None and login_or_id.isascii() and login_or_id.isdigit() and len(login_or_id) < 19:
        row = session.execute(_LINES.where(User.id == int(login_or_id))).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no account {login_or_id}.")
    return AccountLine(**row._asdict())


def describe(session: Session, login_or_id: str) -> AccountDetails:
    """Return one account with its live sessions and factors. Raises NotFoundError."""
    account = find(session, login_or_id)
    used_at = func.coalesce(AccessToken.last_used_at, AccessToken.created_at)
    live, last_used_at = session.execute(
        select(func.count(), func.max(used_at)).where(
            AccessToken.user_id == account.id,
            AccessToken.revoked_at.is_(None),
            AccessToken.expires_at > func.clock_timestamp(),
        )
    ).one()
    factors = second_factors.describe(session, account.id)
    return AccountDetails(account, live, last_used_at, factors.methods)


def end_sessions(session: Session, user_id: int) -> int:
    """End all sessions and API keys of an account; returns how many sessions."""
    ended = standing.revoke_sessions(session, user_id)
    standing.revoke_api_keys(session, user_id)
    activity.record(session, None, "session.revoke_all", "user", user_id, ended_sessions=ended)
    return ended


def reset_password(session: Session, account: AccountLine) -> None:
    """Make the password of an account useless, end its sessions, and mail its owner a link.

    Raises ConflictError for one that is switched off.
    """
    _void_password(session, account)
    enqueue(session, SendPasswordReset(email_hash=hash_email(account.email).hex()))


def mint_reset(session: Session, account: AccountLine, *, minutes: int) -> str:
    """Do the same, and return the only copy of a token instead of mailing one.

    Raises ConflictError, also where a token was mailed to the account so often that it has to wait.
    """
    _void_password(session, account)
    now: datetime | None = session.scalar(select(func.clock_timestamp()))
    assert now is not None  # noqa: S101 - PostgreSQL knows the time
    minted = password_resets.mint_token(
        session, hash_email(account.email), minutes=minutes, asked_at=now
    )
    if not isinstance(minted, MintedReset):
        raise ConflictError("Several reset mails went out just now; try again in 5 minutes.")
    return minted.token


def _void_password(session: Session, account: AccountLine) -> None:
    if account.disabled_at is not None:
        raise ConflictError("The account is switched off; switch it on first.")
    accounts.set_password(session, account.id, new_token())
    activity.record(session, None, "password.reset.ordered", "user", account.id)


_LINES = select(
    User.id, User.login, User.email, User.display_name, Role.name.label("role"), User.created_at,
    User.email_proven_at, User.disabled_at, User.frozen_at,
).join(Role, Role.id == User.role_id)  # fmt: skip
