"""“This was not me”: how an owner stops an account by the link of a notice, in one step.

A notice of something that only an owner may do carries a token to where the owner reads mail.
Whoever uses it freezes the account: nobody can sign in, and nothing that was opened before opens
anything. A reset of the password thaws it, whose mail the same step asks for.

Notices of a change of address go to the address of before, and their tokens bring it back. So they
go before all that went out since to whoever has the account: they end the tokens of those mails,
and no other token ends one of theirs.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.orm import Session

from webapp.jobs.account_messages import SendPasswordReset
from webapp.jobs.leases import seconds_from_now
from webapp.jobs.outbox import enqueue
from webapp.kit.tokens import hash_token, new_token
from webapp.models import EmailVerification, FreezeToken, User
from webapp.services import activity
from webapp.services.accounts import addresses, standing, verifications
from webapp.services.errors import AuthenticationError

# As long as somebody may be away from their mail, and not so long that a mailbox that was given up
# brings an address back for ever.
TOKEN_DAYS = 7
WRONG_TOKEN = "This link is unknown, used or expired."  # noqa: S105 - a sentence


@dataclass(frozen=True)
class ShownFreeze:
    """What a person sees of a token: whose account it freezes, and whether it is frozen already.

    `brings_address_back` says that the account gets the address of before.
    """

    login: str
    brings_address_back: bool
    is_done: bool


def mint(session: Session, user_id: int, verification_id: int | None = None) -> str:
    """Make the token of a notice at the moment of sending, and return its only copy.

    One of before stays good: a notice may arrive twice, with a token each, and both do the same.
    """
    token = new_token()
    session.execute(
        insert(FreezeToken).values(
            user_id=user_id,
            verification_id=verification_id,
            token_hash=hash_token(token),
            expires_at=seconds_from_now(TOKEN_DAYS * 86_400.0),
        )
    )
    return token


def look_at(session: Session, token: str) -> ShownFreeze | None:
    """Return what a token would do or has done, changing nothing; None where it does nothing."""
    row = session.execute(
        select(User.login, User.frozen_at, FreezeToken.verification_id, FreezeToken.used_at)
        .join(User, User.id == FreezeToken.user_id)
        .where(*_is_good(token))
    ).one_or_none()
    if row is None or (row.used_at is not None and row.frozen_at is None):
        return None
    return ShownFreeze(row.login, row.verification_id is not None, row.used_at is not None)


def freeze(session: Session, token: str) -> None:
    """Use a token up and freeze the account that it is of.

    Used again while the account is frozen it changes nothing and says the same, because a button is
    easily pressed twice; when the account has thawed, it is a used one. The row of the user is
    locked first, so that a login, a change, a reset and this take turns, and of several uses at
    once the guarded update lets one through. Raises AuthenticationError.
    """
    held = select(FreezeToken.user_id).where(FreezeToken.token_hash == hash_token(token))
    user = session.execute(
        select(User.id, User.login, User.frozen_at)
        .where(User.id == held.scalar_subquery())
        .with_for_update()
    ).one_or_none()
    used = (
        update(FreezeToken)
        .where(*_is_good(token), FreezeToken.used_at.is_(None))
        .values(used_at=func.clock_timestamp())
        .returning(FreezeToken.verification_id)
    )
    row = session.execute(used).one_or_none()
    if row is None:
        if user is None or user.frozen_at is None or look_at(session, token) is None:
            raise AuthenticationError(WRONG_TOKEN)
        return
    assert user is not None  # noqa: S101 - a token has a user
    _end_what_goes_behind(session, user.id, row.verification_id)
    is_back = row.verification_id is not None and _bring_back(session, row.verification_id)
    verifications.end(session, user.id)
    ended = standing.freeze(session, user.id)
    activity.record(
        session, user.id, "account.freeze", "user", user.id,
        ended_sessions=ended, is_address_brought_back=is_back,
    )  # fmt: skip
    email_hash = session.scalars(select(User.email_hash).where(User.id == user.id)).one()
    enqueue(session, SendPasswordReset(email_hash=email_hash.hex(), login=user.login))


def _is_good(token: str) -> tuple[ColumnElement[bool], ...]:
    return (
        FreezeToken.token_hash == hash_token(token),
        FreezeToken.expires_at > func.clock_timestamp(),
    )


def _end_what_goes_behind(session: Session, user_id: int, verification_id: int | None) -> None:
    """End the tokens that brought no address back, and those of later changes of address."""
    goes_behind: ColumnElement[bool] = FreezeToken.verification_id.is_(None)
    if verification_id is not None:
        goes_behind = or_(goes_behind, FreezeToken.verification_id >= verification_id)
    session.execute(
        update(FreezeToken)
        .where(FreezeToken.user_id == user_id, FreezeToken.used_at.is_(None), goes_behind)
        .values(used_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )


def _bring_back(session: Session, verification_id: int) -> bool:
    """Give an account the address of before, which this token has just proven once more.

    Where another account has proven it since, it is claimed and no more, and this says False.
    """
    former = session.execute(
        select(EmailVerification.user_id, EmailVerification.former_email).where(
            EmailVerification.id == verification_id
        )
    ).one()
    try:
        addresses.prove(session, former.user_id, former.former_email)
    except addresses.AddressTakenError:
        addresses.claim(session, former.user_id, former.former_email)
        return False
    return True
