"""Proofs of an address: asked for, mailed by a worker, and used once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, select, true, update
from sqlalchemy.orm import Session

from webapp.jobs.account_messages import SendAddressChanged, SendEmailVerification
from webapp.jobs.leases import seconds_from_now
from webapp.jobs.outbox import enqueue
from webapp.kit.tokens import hash_email, hash_token, new_token
from webapp.models import EmailVerification, User
from webapp.services import activity
from webapp.services.accounts import addresses, standing
from webapp.services.accounts.holders import is_on
from webapp.services.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    TooManyTriesError,
)

TOKEN_SECONDS = 86_400.0
# What an account may ask for, and what a mailbox gets whoever asks, in this time.
MOST_MAILS = 3
MOST_MAILS_SECONDS = 3_600.0
WRONG_TOKEN = "This link is unknown, used or expired."  # noqa: S105 - a sentence


@dataclass(frozen=True)
class MintedVerification:
    """A live token and the address that it goes to; never written anywhere else.

    Without a token the mail tells the owner of the address that an account has it already.
    """

    user_id: int
    address: str
    token: str | None


@dataclass(frozen=True)
class PostponedVerification:
    """The mailbox has got its share of mails; ask again after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Requested:
    """A request that a job is at."""

    id: int
    user_id: int
    email: str
    email_hash: bytes


@dataclass(frozen=True)
class LockedUser:
    """What matters here of an account whose row is locked."""

    id: int
    email: str
    email_hash: bytes
    email_proven_at: datetime | None
    is_on: bool


@dataclass(frozen=True)
class ShownVerification:
    """What a person sees of a live token before using it."""

    login: str
    address: str


def begin(session: Session, user_id: int, email: str) -> None:
    """Write the duty to mail a token to an address that an account is to have.

    The same for an address that another account has, in work and answer; the mail decides.
    """
    verification_id = session.scalar(
        insert(EmailVerification)
        .values(user_id=user_id, email=email, email_hash=hash_email(email))
        .returning(EmailVerification.id)
    )
    enqueue(session, SendEmailVerification(verification_id=verification_id))


def request_again(session: Session, user_id: int) -> None:
    """Write the duty to mail a new token to the address of an account.

    Raises ConflictError where it is proven already, and TooManyTriesError.
    """
    user = _lock(session, user_id)
    if user.email_proven_at is not None:
        raise ConflictError("The address of this account is proven already.")
    request(session, user_id, user.email)


def request(
    session: Session, user_id: int, email: str, action: str = "email.verification.requested"
) -> None:
    """Begin anew, unless this was asked for too often; `action` is what the log calls it.

    The account has to be locked. Raises TooManyTriesError beyond `MOST_MAILS` of one account.
    """
    age = func.extract("epoch", func.clock_timestamp() - EmailVerification.created_at)
    asked = select(age).where(EmailVerification.user_id == user_id)
    ages = session.scalars(asked.order_by(EmailVerification.id.desc()).limit(MOST_MAILS)).all()
    if len(ages) == MOST_MAILS and (wait := MOST_MAILS_SECONDS - float(ages[-1])) > 0:
        raise TooManyTriesError("Mails to prove an address were asked for too often.", wait)
    begin(session, user_id, email)
    activity.record(session, user_id, action, "user", user_id)


def mint(
    session: Session, verification_id: int
) -> MintedVerification | PostponedVerification | None:
    """Make the token of a request, at the moment of sending.

    It is random and new at each call, and ends all older ones of the account. Returns None for a
    request that is over: used, replaced by a newer one, a day old, or of an account that is off or
    gone. A mailbox gets `MOST_MAILS` in an hour, whoever asks for them; requests beyond wait.
    """
    requested = session.execute(
        select(
            EmailVerification.id,
            EmailVerification.user_id,
            EmailVerification.email,
            EmailVerification.email_hash,
        ).where(EmailVerification.id == verification_id)
    ).one_or_none()
    if requested is None:
        return None
    asked = Requested(**requested._asdict())
    # Two jobs of one mailbox take turns, so that each counts the mail of the other.
    lock_key = int.from_bytes(asked.email_hash[:8], "big", signed=True)
    session.execute(select(func.pg_advisory_xact_lock(lock_key)))
    user = _lock(session, asked.user_id)
    if not user.is_on or not _is_wanted(session, asked):
        return None
    if (wait := _seconds_to_wait(session, asked)) > 0:
        return PostponedVerification(wait)
    owner = addresses.find_owner(session, asked.email_hash)
    is_known = owner is not None and owner.user_id != user.id
    token = None if is_known else new_token()
    session.execute(
        update(EmailVerification)
        .where(EmailVerification.id == asked.id)
        .values(
            token_hash=None if token is None else hash_token(token),
            minted_at=func.clock_timestamp(),
            expires_at=seconds_from_now(TOKEN_SECONDS),
        )
        .execution_options(synchronize_session=False)
    )
    end(session, user.id, before=asked.id)
    return MintedVerification(user.id, owner.address if is_known and owner else asked.email, token)


def look_at(session: Session, token: str) -> ShownVerification | None:
    """Return what a live token would do, changing nothing; None for one that would do nothing."""
    shown = session.execute(
        select(User.login, EmailVerification.email)
        .join(User, User.id == EmailVerification.user_id)
        .where(*_is_live(token), is_on())
    ).one_or_none()
    return None if shown is None else ShownVerification(shown.login, shown.email)


def confirm(session: Session, token: str) -> None:
    """Use a token up: its address is proven, and the account's from now on.

    Of several confirmations at once one gets through, and of two accounts that prove one address
    the first. Where the account had another address, a mail tells it there. Raises
    AuthenticationError with one message for every cause.
    """
    holder = select(EmailVerification.user_id).where(
        EmailVerification.token_hash == hash_token(token)
    )
    user_id = session.scalar(holder)
    user = None if user_id is None else _lock(session, user_id)
    used = (
        update(EmailVerification)
        .where(*_is_live(token))
        .values(ended_at=func.clock_timestamp())
        .returning(EmailVerification.id, EmailVerification.email)
    )
    row = session.execute(used).one_or_none()
    if user is None or not user.is_on or row is None:
        raise AuthenticationError(WRONG_TOKEN)
    try:
        addresses.prove(session, user.id, row.email)
    except addresses.AddressTakenError as error:
        raise AuthenticationError(WRONG_TOKEN) from error
    end(session, user.id)
    if hash_email(row.email) != user.email_hash:
        _leave_former_address(session, row.id, user)
    activity.trace(session, user.id, "email.proven")


def _leave_former_address(session: Session, verification_id: int, user: LockedUser) -> None:
    """Keep the address that an account had before, and write the duty to tell it there."""
    session.execute(
        update(EmailVerification)
        .where(EmailVerification.id == verification_id)
        .values(former_email=user.email, former_email_proven_at=user.email_proven_at)
        .execution_options(synchronize_session=False)
    )
    # What was mailed to the former address must not open the account any more.
    standing.end_reset_tokens(session, user.id)
    enqueue(session, SendAddressChanged(verification_id=verification_id))
    activity.record(session, user.id, "email.change", "user", user.id)


def _lock(session: Session, user_id: int) -> LockedUser:
    """Lock the row of an account. Raises NotFoundError."""
    row = session.execute(
        select(User.id, User.email, User.email_hash, User.email_proven_at, is_on().label("is_on"))
        .where(User.id == user_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such account.")
    return LockedUser(**row._asdict())


def _is_live(token: str) -> tuple[ColumnElement[bool], ...]:
    return (
        EmailVerification.token_hash == hash_token(token),
        EmailVerification.ended_at.is_(None),
        EmailVerification.expires_at > func.clock_timestamp(),
    )


def _is_wanted(session: Session, asked: Requested) -> bool:
    """Say whether a request is neither over nor as old as its token may get."""
    wanted = select(EmailVerification.id).where(
        EmailVerification.id == asked.id,
        EmailVerification.ended_at.is_(None),
        EmailVerification.created_at > seconds_from_now(-TOKEN_SECONDS),
    )
    return session.scalar(wanted) is not None


def _seconds_to_wait(session: Session, request: Requested) -> float:
    """Return for how long the mailbox of a request has had its share of mails, or 0."""
    age = func.extract("epoch", func.clock_timestamp() - EmailVerification.minted_at)
    mails = select(age).where(
        EmailVerification.email_hash == request.email_hash,
        EmailVerification.minted_at.is_not(None),
        EmailVerification.id != request.id,
    )
    newest = mails.order_by(EmailVerification.minted_at.desc()).limit(MOST_MAILS)
    ages = session.scalars(newest).all()
    return MOST_MAILS_SECONDS - float(ages[-1]) if len(ages) == MOST_MAILS else 0.0


def end(session: Session, user_id: int, *, before: int | None = None) -> None:
    """End the requests of an account, or those of them that came before the one with this id."""
    session.execute(
        update(EmailVerification)
        .where(
            EmailVerification.user_id == user_id,
            EmailVerification.ended_at.is_(None),
            true() if before is None else EmailVerification.id < before,
        )
        .values(ended_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
