"""Forgotten passwords: asked for without a look-up, mailed by a worker, used once."""

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.jobs.leases import seconds_from_now
from webapp.jobs.messages import SendPasswordChanged, SendPasswordReset
from webapp.jobs.outbox import enqueue
from webapp.kit.tokens import derived_token, hash_email, hash_token
from webapp.models import PasswordResetToken, User
from webapp.services import activity
from webapp.services.accounts import accounts
from webapp.services.errors import AuthenticationError

MOST_LIVE_TOKENS = 3


@dataclass(frozen=True)
class MintedReset:
    """A live reset token and the stored address that it goes to; never written anywhere else."""

    address: str
    display_name: str
    token: str


def request_reset(session: Session, email: str) -> None:
    """Write the duty to mail a token.

    Known and unknown addresses cost the same work here, so the answer tells nothing about them.
    """
    enqueue(session, SendPasswordReset(email_hash=hash_email(email).hex()))


def mint_token(
    session: Session, email_hash: bytes, *, minutes: int, secret_key: str, job_id: int
) -> MintedReset | None:
    """Make the token of one job for the account with this address, at the moment of sending.

    The token is derived from the secret key, the job and the address: a job that starts again,
    because its mail could not leave, gets the same token with `minutes` from now to live. Returns
    None when there is no active account, when the job's token was used already, or when the
    account has `MOST_LIVE_TOKENS` unused ones of other jobs: whoever asks more often has mail to
    read. The row of the user is locked, so that requests at once count each other's tokens.
    """
    user = session.execute(
        select(User.id, User.email, User.display_name)
        .where(User.email_hash == email_hash, User.disabled_at.is_(None))
        .with_for_update()
    ).one_or_none()
    if user is None:
        return None
    token = derived_token(secret_key, "password_reset", str(job_id), email_hash.hex())
    others = session.scalar(
        select(func.count())
        .select_from(PasswordResetToken)
        .where(
            PasswordResetToken.user_id == user.id,
            PasswordResetToken.token_hash != hash_token(token),
            PasswordResetToken.used_at.is_(None),
            PasswordResetToken.expires_at > func.clock_timestamp(),
        )
    )
    if (others or 0) >= MOST_LIVE_TOKENS or not _keep_live(session, user.id, token, minutes):
        return None
    return MintedReset(address=user.email, display_name=user.display_name, token=token)


def confirm_reset(session: Session, token: str, password: str) -> None:
    """Use a token up and set the password.

    Ends every session and every other token of the account, and mails its owner that it happened.
    Of several confirmations at once the guarded update lets one through. Raises
    AuthenticationError.
    """
    user_id = session.scalar(
        update(PasswordResetToken)
        .where(
            PasswordResetToken.token_hash == hash_token(token),
            PasswordResetToken.used_at.is_(None),
            PasswordResetToken.expires_at > func.clock_timestamp(),
        )
        .values(used_at=func.clock_timestamp())
        .returning(PasswordResetToken.user_id)
    )
    if user_id is None:
        raise AuthenticationError("This reset token is unknown, used or expired.")
    accounts.set_password(session, user_id, password)
    session.execute(
        update(PasswordResetToken)
        .where(PasswordResetToken.user_id == user_id, PasswordResetToken.used_at.is_(None))
        .values(used_at=func.clock_timestamp())
    )
    activity.record(session, user_id, "password.reset", "user", user_id)
    enqueue(session, SendPasswordChanged(user_id=user_id))


def _keep_live(session: Session, user_id: int, token: str, minutes: int) -> bool:
    """Store the token, or prolong it; False when it was used, which makes it worthless for good."""
    statement = insert(PasswordResetToken).values(
        user_id=user_id,
        token_hash=hash_token(token),
        expires_at=seconds_from_now(minutes * 60),
    )
    kept = statement.on_conflict_do_update(
        index_elements=[PasswordResetToken.token_hash],
        set_={"expires_at": statement.excluded.expires_at},
        where=PasswordResetToken.used_at.is_(None),
    )
    return session.scalar(kept.returning(PasswordResetToken.id)) is not None
