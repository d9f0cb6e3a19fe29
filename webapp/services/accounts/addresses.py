"""Whose an address is: any number of accounts may claim it, and the first that proves it has it."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from webapp.adapters.database_errors import constraint_of
from webapp.kit.tokens import hash_email
from webapp.models import User


@dataclass(frozen=True)
class Owner:
    """The account that has proven an address, and how its owner writes it."""

    user_id: int
    address: str


class AddressTakenError(Exception):
    """Another account has proven the address; never told to whoever asked."""


def is_anothers() -> ColumnElement[bool]:
    """Return the condition that an account other than the one selected has proven its address."""
    other = aliased(User)
    return exists().where(
        other.email_hash == User.email_hash,
        other.email_proven_at.is_not(None),
        other.id != User.id,
    )


def find_owner(session: Session, email_hash: bytes) -> Owner | None:
    """Return the account that has proven an address, or None."""
    owner = session.execute(
        select(User.id, User.email).where(
            User.email_hash == email_hash, User.email_proven_at.is_not(None)
        )
    ).one_or_none()
    return None if owner is None else Owner(owner.id, owner.email)


def prove_own(session: Session, user_id: int) -> None:
    """Take the address of an account for proven, because somebody trusted vouches for it.

    Raises IntegrityError, of the key `uq_users_email_hash_proven`, where another account has it.
    """
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(email_proven_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )


def claim(session: Session, user_id: int, email: str) -> None:
    """Let an account name an address that nothing shows to be its own."""
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(email=email, email_hash=hash_email(email), email_proven_at=None)
        .execution_options(synchronize_session=False)
    )


def prove(session: Session, user_id: int, email: str) -> None:
    """Give an account an address, because a secret that was mailed to it came back.

    Of two accounts that prove one address at once, the second waits for the first and loses: a
    unique key decides. Raises AddressTakenError, and the transaction goes on without the change.
    """
    try:
        with session.begin_nested():
            session.execute(
                update(User)
                .where(User.id == user_id)
                .values(
                    email=email,
                    email_hash=hash_email(email),
                    email_proven_at=func.clock_timestamp(),
                    updated_at=func.clock_timestamp(),
                )
                .execution_options(synchronize_session=False)
            )
    except IntegrityError as error:
        if constraint_of(error.orig) != "uq_users_email_hash_proven":
            raise
        raise AddressTakenError from error
