"""The links between one's account and issuers: listed, and ended."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp.models import Identity, User
from webapp.services import activity
from webapp.services.accounts import standing
from webapp.services.errors import ConflictError, NotFoundError

ONLY_WAY = (
    "This is the only way into the account. Prove its address first, so that a password can be set "
    "by mail, or link another issuer."
)
ONLY_DOOR = "This is the only way into the account, as long as passwords open nothing here."


@dataclass(frozen=True)
class IdentityLine:
    """A link as the owner of the account sees it; `issuer` is a url."""

    id: int
    issuer: str
    created_at: datetime
    last_used_at: datetime


def list_links(session: Session, user_id: int, *, after_id: int, limit: int) -> list[IdentityLine]:
    """Return the links of an account, oldest first, from above `after_id`."""
    statement = (
        select(Identity.id, Identity.issuer, Identity.created_at, Identity.last_used_at)
        .where(Identity.user_id == user_id, Identity.id > after_id)
        .order_by(Identity.id)
        .limit(limit)
    )
    return [IdentityLine(**row._asdict()) for row in session.execute(statement)]


def unlink(
    session: Session,
    user_id: int,
    identity_id: int,
    *,
    but_session: int | None,
    password_sign_in: bool,
) -> None:
    """End a link, and all sessions of the account but the one that asks.

    The account is locked, so that of two links that are ended at once the last is seen to be it.
    Raises NotFoundError where it is not theirs, and ConflictError where nothing else would let its
    owner in: no other link, and no password by mail, because that door is closed or the address is
    not proven.
    """
    proven_at = session.scalars(
        select(User.email_proven_at).where(User.id == user_id).with_for_update(key_share=True)
    ).one()
    deleted = session.scalar(
        delete(Identity)
        .where(Identity.id == identity_id, Identity.user_id == user_id)
        .returning(Identity.issuer)
    )
    if deleted is None:
        raise NotFoundError("You have no such link.")
    left = session.scalar(select(func.count()).where(Identity.user_id == user_id))
    if not left and not password_sign_in:
        raise ConflictError(ONLY_DOOR)
    if not left and proven_at is None:
        raise ConflictError(ONLY_WAY)
    ended = standing.revoke_sessions(session, user_id, but=but_session)
    activity.trace(
        session, user_id, "identity.unlink", identity_id=identity_id, ended_sessions=ended
    )
