"""What follows from each change of an account's second factors."""

from typing import Any

import structlog
from sqlalchemy import case, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from webapp.jobs.account_messages import FactorChange, SendFactorNotice
from webapp.jobs.outbox import enqueue
from webapp.models import Passkey, RecoveryCode, TotpFactor, User
from webapp.services import activity

log = structlog.get_logger()


def follow(
    session: Session,
    user_id: int,
    change: FactorChange,
    *,
    actor_id: int | None,
    **details: Any,  # noqa: ANN401
) -> None:
    """Bring the account into line with its factors, and tell its owner and the activity log.

    The account has to be locked. Recovery codes go with the last factor.
    """
    has_any = or_(
        exists().where(TotpFactor.user_id == user_id, TotpFactor.confirmed_at.is_not(None)),
        exists().where(Passkey.user_id == user_id),
    )
    since = func.coalesce(User.second_factor_at, func.clock_timestamp())
    second_factor_at = session.scalar(
        update(User)
        .where(User.id == user_id)
        .values(second_factor_at=case((has_any, since), else_=None))
        .returning(User.second_factor_at)
        .execution_options(synchronize_session=False)
    )
    if second_factor_at is None:
        session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    action = f"second_factor.{change}"
    log.info(action, user_id=user_id, **details)
    activity.record(session, actor_id, action, "user", user_id, **details)
    enqueue(session, SendFactorNotice(user_id=user_id, change=change))


def lock(session: Session, user_id: int) -> None:
    """Let the changes of one account's factors take turns, until the transaction ends."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
