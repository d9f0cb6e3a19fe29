"""Accounts: making them, finding them, changing them."""

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.jobs.messages import RefreshPublications
from webapp.jobs.outbox import enqueue_anew
from webapp.kit.guessable_passwords import GuessablePasswordError, refuse_guessable
from webapp.kit.logins import one_form
from webapp.kit.passwords import hash_password
from webapp.kit.permissions import Permission
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email
from webapp.models import Role, User
from webapp.services import activity
from webapp.services.accounts import addresses, last_admin, standing
from webapp.services.accounts.actors import Account, Actor
from webapp.services.accounts.holders import is_on
from webapp.services.accounts.left_plans import tell_of_left_plans
from webapp.services.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    StaleRevisionError,
)

log = structlog.get_logger()


def register(
    session: Session,
    *,
    login: str,
    email: str,
    password: str,
    display_name: str,
    role: RoleName,
    site_words: tuple[str, ...] = (),
) -> Account:
    """Make an account.

    Raises ConflictError when the login is taken, and InvalidInputError for a password that would be
    guessed, also from `site_words`.

    That another account has the address is no matter here, and must not be: it would tell whose it
    is. Nothing is proven yet; see `addresses.prove`.
    """
    login = one_form(login)
    _refuse_guessable(password, (login, email, *site_words))
    statement = (
        insert(User)
        .values(
            login=login,
            email=email,
            email_hash=hash_email(email),
            password_hash=hash_password(password),
            display_name=display_name,
            role_id=select(Role.id).where(Role.name == role.value).scalar_subquery(),
        )
        .on_conflict_do_nothing(index_elements=["login"])
        .returning(User.id)
    )
    user_id = session.scalar(statement)
    if user_id is None:
        raise ConflictError("This login is taken.")
    activity.record(session, user_id, "account.register", "user", user_id, role=role.value)
    return get_account(session, user_id)


def get_account(session: Session, user_id: int, *, lock: bool = False) -> Account:
    """Return one account, locked until the transaction ends if asked for. Raises NotFoundError."""
    statement = _accounts().where(User.id == user_id)
    if lock:
        statement = statement.with_for_update(of=User, key_share=True)
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFoundError("There is no such account.")
    return _account(row)


def find_by_login(session: Session, login: str) -> Account | None:
    """Return the account with this login, in any form of its letters, or None."""
    row = session.execute(_accounts().where(User.login == one_form(login))).one_or_none()
    return None if row is None else _account(row)


def first_admin(session: Session) -> Account | None:
    """Return the oldest active admin, in whose name operators' commands act, or None."""
    statement = _accounts().where(Role.name == RoleName.ADMIN.value, is_on())
    row = session.execute(statement.order_by(User.id).limit(1)).one_or_none()
    return None if row is None else _account(row)


def list_accounts(session: Session, *, after_id: int, limit: int) -> list[Account]:
    """Return accounts in the order of their ids, from above `after_id`."""
    statement = _accounts().where(User.id > after_id).order_by(User.id).limit(limit)
    return [_account(row) for row in session.execute(statement)]


def change_profile(
    session: Session,
    user_id: int,
    is_seen: Callable[[Account], bool],
    *,
    display_name: str | None,
    bio: str | None,
) -> Account:
    """Change what an account shows of itself, if it is as the caller has seen it.

    None leaves a field as it is. A job brings a new name into the public documents of the account's
    items. Raises StaleRevisionError.
    """
    values = {"display_name": display_name, "bio": bio}
    given = {name: value for name, value in values.items() if value is not None}
    if display_name is not None:
        enqueue_anew(session, RefreshPublications(named="author", named_id=user_id))
    account = _get_as_seen(session, user_id, is_seen)
    if given:
        session.execute(
            update(User)
            .where(User.id == user_id)
            .values(**given, updated_at=func.clock_timestamp())
        )
        before = {"display_name": account.display_name, "bio": account.bio}
        changes = activity.difference(before, given)
        activity.record(session, user_id, "account.edit", "user", user_id, changes=changes)
    return get_account(session, user_id)


def set_role(
    session: Session,
    actor: Actor,
    user_id: int,
    is_seen: Callable[[Account], bool],
    role: RoleName,
) -> Account:
    """Give an account another role, if it is as the caller has seen it.

    A manager hands out roles up to their own, to accounts that do not stand above them. Raises
    NotFoundError, StaleRevisionError, ForbiddenError, and ConflictError where the last admin would
    be lost.
    """
    actor.require(Permission.USER_SET_ROLE)
    last_admin.take_turns(session)
    account = _get_as_seen(session, user_id, is_seen)
    if not actor.role.includes(role) or not actor.role.includes(account.role):
        raise ForbiddenError("You can neither give nor take a role above your own.")
    if account.role is RoleName.ADMIN and role is not RoleName.ADMIN:
        last_admin.refuse_losing(session, user_id)
    role_id = select(Role.id).where(Role.name == role.value).scalar_subquery()
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(role_id=role_id, updated_at=func.clock_timestamp())
    )
    roles = {"before": account.role.value, "after": role.value}
    changes = activity.difference({"role": account.role.value}, {"role": role.value})
    activity.record(session, actor.user_id, "account.set_role", "user", user_id, changes=changes)
    if not role.includes(account.role):
        tell_of_left_plans(session, user_id)
    log.info("role.change", user_id=actor.user_id, subject_id=user_id, **roles)
    return get_account(session, user_id)


def set_password(
    session: Session,
    user_id: int,
    password: str,
    *,
    site_words: tuple[str, ...] = (),
    but_session: int | None = None,
    field: str = "password",
) -> None:
    """Set a new password and end what the one before had opened, and what could set another one.

    These are the sessions, but for one, the API keys, the reset tokens, and the requests to take
    another address, which were asked for with the password of before. Raises InvalidInputError
    for the `field` of a password that would be guessed, also from `site_words`.
    """
    user = session.execute(select(User.login, User.email).where(User.id == user_id)).one()
    _refuse_guessable(password, (user.login, user.email, *site_words), field)
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(password_hash=hash_password(password), updated_at=func.clock_timestamp())
    )
    standing.revoke_sessions(session, user_id, but=but_session)
    standing.revoke_api_keys(session, user_id)
    standing.end_reset_tokens(session, user_id)
    standing.end_address_changes(session, user_id)


def vouch_for_address(session: Session, account: Account) -> Account:
    """Take the address of an account for proven, because an operator says so, and return it.

    Raises ConflictError where another account has proven it.
    """
    try:
        addresses.prove(session, account.id, account.email)
    except addresses.AddressTakenError as error:
        raise ConflictError("Another account has proven this address.") from error
    return get_account(session, account.id)


def _get_as_seen(session: Session, user_id: int, is_seen: Callable[[Account], bool]) -> Account:
    """Return an account, locked, as the caller has seen it. Raises StaleRevisionError."""
    account = get_account(session, user_id, lock=True)
    if not is_seen(account):
        raise StaleRevisionError("The account has changed since you read it; read it again.")
    return account


def _refuse_guessable(password: str, context: tuple[str, ...], field: str = "password") -> None:
    try:
        refuse_guessable(password, context)
    except GuessablePasswordError as error:
        raise InvalidInputError(field, str(error)) from error


def _accounts() -> Select[int, str, str, str, str, str, datetime, bool]:
    return select(
        User.id,
        User.login,
        User.email,
        User.display_name,
        User.bio,
        Role.name,
        User.created_at,
        User.email_proven_at.is_not(None),
    ).join(Role, Role.id == User.role_id)


def _account(row: Row[int, str, str, str, str, str, datetime, bool]) -> Account:
    user_id, login, email, display_name, bio, role, created_at, email_verified = row
    return Account(
        id=user_id,
        login=login,
        email=email,
        display_name=display_name,
        bio=bio,
        role=RoleName(role),
        created_at=created_at,
        email_verified=email_verified,
    )
