"""Forgotten passwords: asked for without a look-up, mailed by a worker, used once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, not_, or_, select, true, update
from sqlalchemy.orm import Session

from webapp.jobs.account_messages import SendPasswordChanged, SendPasswordReset
from webapp.jobs.leases import seconds_from_now
from webapp.jobs.outbox import enqueue
from webapp.kit.logins import one_form
from webapp.kit.tokens import hash_email, hash_token, new_token
from webapp.models import PasswordResetToken, User
from webapp.services import activity
from webapp.services.accounts import accounts, addresses, standing
from webapp.services.errors import AuthenticationError

# A mailbox gets at most this many reset mails in this time, however many are asked for.
MOST_MAILS = 3
MOST_MAILS_SECONDS = 300.0
WRONG_TOKEN = "This reset token is unknown, used or expired."  # noqa: S105 - a sentence


@dataclass(frozen=True)
class MintedReset:
    """A live reset token and the stored address that it goes to; never written anywhere else.

    `display_name` is empty until the address is proven: nobody gets words by mail that a stranger
    has put into an account under their address.
    """

    user_id: int
    address: str
    display_name: str
    token: str


@dataclass(frozen=True)
class PostponedReset:
    """The mailbox has got its share of mails; ask again after so many seconds."""

    seconds: float


def request_reset(session: Session, email: str, login: str | None = None) -> None:
    """Write the duty to mail a token, for the account with this `login` if one is named.

    Known and unknown addresses cost the same work here, so the answer tells nothing about them.
    """
    email_hash = hash_email(email).hex()
    enqueue(
        session,
        SendPasswordReset(email_hash=email_hash, login=None if login is None else one_form(login)),
    )
    activity.trace(session, None, "password.reset.requested", email_hash=email_hash[:16])


def mint_token(
    session: Session,
    email_hash: bytes,
    *,
    minutes: int,
    asked_at: datetime,
    login: str | None = None,
) -> MintedReset | PostponedReset | None:
    """Make a token for the account with this address, at the moment of sending.

    It is the account that has proven the address, or where none has, the oldest of those that claim
    it; `login` asks for one of these.
    The token is random and new at each call, and all older ones of the account end with it, so a
    start of a job that never got to its mail leaves nothing behind that works. One that is frozen
    gets a token, which is its way back. Returns None when there is no account that is on, or when a
    mail went out since `asked_at`: whoever asked then has it.
    A request beyond `MOST_MAILS` is postponed, never dropped, so a stranger who asks all the time
    can neither flood a mailbox nor keep its owner's request silent. The row of the user is locked,
    so that two jobs of one account take turns.
    """
    user = session.execute(
        select(User.id, User.email, User.display_name, User.email_proven_at)
        .where(
            User.email_hash == email_hash,
            User.disabled_at.is_(None),
            or_(User.email_proven_at.is_not(None), not_(addresses.is_anothers())),
            true() if login is None else User.login == login,
        )
        .order_by(User.email_proven_at, User.id)
        .limit(1)
        .with_for_update()
    ).one_or_none()
    if user is None:
        return None
    age = func.extract("epoch", func.clock_timestamp() - PasswordResetToken.mailed_at)
    mails = session.execute(
        select(PasswordResetToken.mailed_at, age.label("age"))
        .where(PasswordResetToken.user_id == user.id, PasswordResetToken.mailed_at.is_not(None))
        .order_by(PasswordResetToken.mailed_at.desc())
        .limit(MOST_MAILS)
    ).all()
    if mails and mails[0].mailed_at >= asked_at:
        return None
    if len(mails) == MOST_MAILS and (wait := MOST_MAILS_SECONDS - float(mails[-1].age)) > 0:
        return PostponedReset(wait)
    activity.record(session, None, "password.reset.requested", "user", user.id)
    return MintedReset(
        user_id=user.id,
        address=user.email,
        display_name=user.display_name if user.email_proven_at else "",
        token=_replace_tokens(session, user.id, minutes),
    )


def note_mailed(session: Session, token: str) -> None:
    """Note that the mail server took the mail with this token, or refused it for good."""
    session.execute(
        update(PasswordResetToken)
        .where(PasswordResetToken.token_hash == hash_token(token))
        .values(mailed_at=func.clock_timestamp())
    )


def confirm_reset(
    session: Session, token: str, password: str, *, site_words: tuple[str, ...] = ()
) -> int:
    """Use a token up and set the password; returns whose it is.

    Ends every session and every other token of the account, and mails its owner that it happened.
    An account that its owner has frozen thaws.
    The token came by mail, so it also proves the address. The row of the user is locked first, as
    by `mint_token`; of several confirmations at once the guarded update lets one through. Raises
    AuthenticationError, for the token of an account that was switched off too, and
    InvalidInputError for a password that would be guessed, which leaves the token good.
    """
    holder = select(PasswordResetToken.user_id).where(
        PasswordResetToken.token_hash == hash_token(token)
    )
    user = session.execute(
        select(User.id, User.email, User.email_proven_at, User.frozen_at)
        .where(User.id == holder.scalar_subquery(), User.disabled_at.is_(None))
        .with_for_update()
    ).one_or_none()
    used = (
        update(PasswordResetToken)
        .where(
            PasswordResetToken.token_hash == hash_token(token),
            PasswordResetToken.used_at.is_(None),
            PasswordResetToken.expires_at > func.clock_timestamp(),
        )
        .values(used_at=func.clock_timestamp())
        .returning(PasswordResetToken.id)
    )
    if user is None or session.scalar(used) is None:
        raise AuthenticationError(WRONG_TOKEN)
    if user.email_proven_at is None:
        try:
            addresses.prove(session, user.id, user.email)
        except addresses.AddressTakenError as error:
            raise AuthenticationError(WRONG_TOKEN) from error
    accounts.set_password(session, user.id, password, site_words=site_words)
    if user.frozen_at is not None:
        standing.thaw(session, user.id)
    activity.trace(session, user.id, "password.reset.used")
    enqueue(session, SendPasswordChanged(user_id=user.id))
    return int(user.id)


def _replace_tokens(session: Session, user_id: int, minutes: int) -> str:
    """End all tokens of an account and return its new one."""
    standing.end_reset_tokens(session, user_id)
    token = new_token()
    session.execute(
        insert(PasswordResetToken).values(
            user_id=user_id,
            token_hash=hash_token(token),
            expires_at=seconds_from_now(minutes * 60),
        )
    )
    return token
