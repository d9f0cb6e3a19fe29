"""Whether an account works: switched off and on by those who run the place, frozen by its owner.

All of it is effective at once.
"""

from typing import Any, cast

import structlog
from sqlalchemy import CursorResult, delete, func, select, text, update
from sqlalchemy.orm import Session

from webapp.kit.roles import RoleName
from webapp.models import (
    AccessToken,
    AccountDeletion,
    AccountExport,
    ApiKey,
    BulkAction,
    CalendarFeed,
    EmailVerification,
    Erasure,
    PasswordResetToken,
    PendingSignIn,
    PreviewLink,
    ReviewLink,
    Role,
    User,
)
from webapp.services import activity
from webapp.services.accounts import last_admin
from webapp.services.accounts.left_plans import tell_of_left_plans
from webapp.services.errors import ConflictError, NotFoundError

log = structlog.get_logger()


def disable(session: Session, actor_id: int | None, user_id: int, reason: str) -> bool:
    """Switch an account off; returns False where it was off already, which changes nothing.

    Its sessions, API keys, mailed tokens and bulk actions end, so that none comes back when it is
    switched on again. The `reason` is for the record alone; `actor_id` is None for a command.
    Raises NotFoundError, and ConflictError where the last admin would be lost.
    """
    last_admin.take_turns(session)
    account = _lock(session, user_id)
    if account.disabled_at is not None:
        return False
    if account.role == RoleName.ADMIN.value:
        last_admin.refuse_losing(session, user_id)
    now = func.clock_timestamp()
    session.execute(update(User).where(User.id == user_id).values(disabled_at=now, updated_at=now))
    ended = revoke_sessions(session, user_id)
    revoke_api_keys(session, user_id)
    end_reset_tokens(session, user_id)
    end_address_changes(session, user_id)
    _stop_bulk_actions(session, user_id)
    tell_of_left_plans(session, user_id)
    activity.record(
        session, actor_id, "account.disable", "user", user_id, reason=reason, ended_sessions=ended
    )
    log.warning("account.disable", user_id=actor_id, subject_id=user_id, ended_sessions=ended)
    return True


def enable(session: Session, actor_id: int | None, user_id: int, reason: str = "") -> bool:
    """Switch an account on again, without any session; returns False where it was on already.

    One that its owner has frozen thaws, with the password that it has. Raises NotFoundError, and
    ConflictError for one that was erased.
    """
    account = _lock(session, user_id)
    if account.disabled_at is None and account.frozen_at is None:
        return False
    if session.get(Erasure, user_id) is not None:
        raise ConflictError("This account was erased; nobody can have it again.")
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(disabled_at=None, frozen_at=None, updated_at=func.clock_timestamp())
    )
    activity.record(session, actor_id, "account.enable", "user", user_id, reason=reason)
    log.warning("account.enable", user_id=actor_id, subject_id=user_id)
    return True


def freeze(session: Session, user_id: int) -> int:
    """Freeze an account, whose row is locked, until its password is reset; returns ended sessions.

    All ends that ends where it is switched off, but for changes of its address. So do its
    links to drafts and the copies of its data, and a wish to be deleted is taken back: whoever had
    the account may have asked for any of it. The last admin can be frozen too: a reset of the
    password thaws.
    """
    now = func.clock_timestamp()
    session.execute(update(User).where(User.id == user_id).values(frozen_at=now, updated_at=now))
    ended = revoke_sessions(session, user_id)
    revoke_api_keys(session, user_id)
    end_reset_tokens(session, user_id)
    _stop_bulk_actions(session, user_id)
    tell_of_left_plans(session, user_id)
    session.execute(
        update(PreviewLink)
        .where(PreviewLink.created_by_id == user_id, PreviewLink.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    # Of a guest who has not answered nothing is kept longer than a day after the end.
    session.execute(
        update(ReviewLink)
        .where(ReviewLink.created_by_id == user_id, ReviewLink.revoked_at.is_(None))
        .values(
            revoked_at=now,
            expires_at=func.least(ReviewLink.expires_at, now),
            guest_address=None,
        )
        .execution_options(synchronize_session=False)
    )
    for asked_for in (AccountExport, AccountDeletion):
        session.execute(delete(asked_for).where(asked_for.user_id == user_id))
    log.warning("account.freeze", subject_id=user_id, ended_sessions=ended)
    return ended


def thaw(session: Session, user_id: int) -> None:
    """Let an account work again whose owner has frozen it and has come back."""
    session.execute(update(User).where(User.id == user_id).values(frozen_at=None))
    activity.record(session, user_id, "account.thaw", "user", user_id)


def revoke_sessions(session: Session, user_id: int, *, but: int | None = None) -> int:
    """End all sessions of an account, but for the one with the id `but`; returns how many ended.

    So end the logins that wait for their second step. What ends all sessions ends the API keys as
    well; see `revoke_api_keys`.
    """
    session.execute(
        update(PendingSignIn)
        .where(PendingSignIn.user_id == user_id, PendingSignIn.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
    ended = session.execute(
        update(AccessToken)
        .where(
            AccessToken.user_id == user_id,
            AccessToken.revoked_at.is_(None),
            AccessToken.expires_at > func.clock_timestamp(),
            AccessToken.id.is_distinct_from(but),
        )
        .values(revoked_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], ended).rowcount


def revoke_api_keys(session: Session, user_id: int) -> None:
    """End all API keys of an account, and the feeds that its calendars read."""
    session.execute(
        delete(CalendarFeed)
        .where(CalendarFeed.user_id == user_id)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(ApiKey)
        .where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )


def end_reset_tokens(session: Session, user_id: int) -> None:
    """End every token that could set a password of an account."""
    session.execute(
        update(PasswordResetToken)
        .where(PasswordResetToken.user_id == user_id, PasswordResetToken.used_at.is_(None))
        .values(used_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )


def end_address_changes(session: Session, user_id: int) -> None:
    """End every request to give an account another address than it has."""
    present = select(User.email_hash).where(User.id == user_id).scalar_subquery()
    session.execute(
        update(EmailVerification)
        .where(
            EmailVerification.user_id == user_id,
            EmailVerification.ended_at.is_(None),
            EmailVerification.email_hash != present,
        )
        .values(ended_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )


def _lock(session: Session, user_id: int) -> Any:  # noqa: ANN401 - a row of these columns
    """Lock the row of an account and return when it was switched off or frozen, and its role."""
    row = session.execute(
        select(User.disabled_at, User.frozen_at, Role.name.label("role"))
        .join(Role)
        .where(User.id == user_id)
        .with_for_update(of=User)
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such account.")
    return row


def _stop_bulk_actions(session: Session, user_id: int) -> None:
    """Stop what an account has at work, so that none goes on once the account works again.

    One of which a batch is under way is passed over, because that may wait for the account's row;
    its next batch finds the account off.
    """
    running = (
        select(BulkAction)
        .where(BulkAction.made_by_id == user_id, text("bulk_actions.state = 'running'"))
        .order_by(BulkAction.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    for bulk in session.scalars(running).all():
        bulk.state, bulk.ending = "stopped", "The account that began it was switched off."
        bulk.ended_at = func.clock_timestamp()
        activity.record(
            session, None, "bulk_action.stop", "bulk_action", bulk.id,
            done=bulk.done, skipped=bulk.skipped, failed=bulk.failed,
        )  # fmt: skip
    session.flush()
