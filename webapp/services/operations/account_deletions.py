"""An owner asks to be deleted: a wish that waits, can be taken back, and is then carried out."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.jobs.account_messages import (
    DeleteAccount,
    SendAccountDeletion,
    SendAccountDeletionCancelled,
)
from webapp.jobs.leases import seconds_from_now
from webapp.jobs.outbox import enqueue
from webapp.kit.roles import RoleName
from webapp.models import AccountDeletion, Role, User
from webapp.services import activity
from webapp.services.accounts import last_admin, sessions
from webapp.services.accounts.sessions import Login
from webapp.services.errors import ConflictError, NotFoundError
from webapp.services.operations import erasure, heirs

SECONDS_A_DAY = 86_400
# How long a deletion waits that would lose the last admin: until another one was made.
ANOTHER_ADMIN_SECONDS = 86_400.0


@dataclass(frozen=True)
class Deletion:
    """A wish to be deleted; `heir` is the login of who gets the items, where one was named."""

    asked_at: datetime
    due_at: datetime
    heir: str | None


@dataclass(frozen=True)
class DeletionNotice:
    """What the owner is told when it was asked for, and where; an unproven address gets no name."""

    user_id: int
    address: str
    display_name: str
    due_at: datetime


def ask(session: Session, login: Login, *, heir_login: str | None, days: int) -> Deletion:
    """Write the wish of an owner, whose password was checked, and the duty to carry it out.

    The account works until then. Raises AuthenticationError where the password was changed
    meanwhile, InvalidInputError for an heir who cannot be one, and ConflictError for the last admin
    and where it was asked for before.
    """
    user_id = login.user_id
    last_admin.take_turns(session)
    sessions.require_unchanged(session, login)
    role = select(Role.name).join(User).where(User.id == user_id)
    if session.scalar(role) == RoleName.ADMIN.value:
        last_admin.refuse_losing(session, user_id)
    heir_id = None if heir_login is None else heirs.find_heir(session, heir_login, user_id)
    written = session.execute(
        insert(AccountDeletion)
        .values(user_id=user_id, heir_id=heir_id, due_at=seconds_from_now(days * SECONDS_A_DAY))
        .on_conflict_do_nothing(index_elements=["user_id"])
        .returning(AccountDeletion.id, AccountDeletion.due_at)
    ).one_or_none()
    if written is None:
        raise ConflictError("You have asked for it already; take that back to ask anew.")
    enqueue(session, DeleteAccount(deletion_id=written.id), run_at=written.due_at)
    enqueue(session, SendAccountDeletion(user_id=user_id, deletion_id=written.id))
    activity.trace(
        session, user_id, "account.deletion.ask", due_at=written.due_at.isoformat(), heir_id=heir_id
    )
    return show(session, user_id)


def show(session: Session, user_id: int) -> Deletion:
    """Return the wish of an owner. Raises NotFoundError where there is none."""
    found = session.execute(
        select(AccountDeletion.asked_at, AccountDeletion.due_at, User.login.label("heir"))
        .outerjoin(User, User.id == AccountDeletion.heir_id)
        .where(AccountDeletion.user_id == user_id)
    ).one_or_none()
    if found is None:
        raise NotFoundError("You have not asked to be deleted.")
    return Deletion(**found._asdict())


def cancel(session: Session, user_id: int) -> None:
    """Take the wish back. Raises NotFoundError where there is none (any more)."""
    taken_back = delete(AccountDeletion).where(AccountDeletion.user_id == user_id)
    if session.scalar(taken_back.returning(AccountDeletion.id)) is None:
        raise NotFoundError("You have not asked to be deleted.")
    enqueue(session, SendAccountDeletionCancelled(user_id=user_id))
    activity.trace(session, user_id, "account.deletion.cancel")


def find_notice(session: Session, deletion_id: int) -> DeletionNotice | None:
    """Return what the owner is to be told, None where the wish was taken back or carried out."""
    found = session.execute(
        select(
            User.id.label("user_id"), User.email.label("address"), AccountDeletion.due_at,
            case((User.email_proven_at.is_not(None), User.display_name), else_="").label(
                "display_name"
            ),
        )
        .join(User, User.id == AccountDeletion.user_id)
        .where(AccountDeletion.id == deletion_id)
    ).one_or_none()  # fmt: skip
    return None if found is None else DeletionNotice(**found._asdict())


def carry_out(session: Session, deletion_id: int, *, default_heir: str) -> float:
    """Begin the erasure that an owner has asked for; returns in how many seconds to ask again.

    That is 0 where it is done, or was taken back. The row of the wish decides: it is taken back,
    and nothing happens here, or carried out, and taking it back finds none.
    """
    last_admin.take_turns(session)
    # The account comes before the wish, as where it is frozen, so that the two cannot deadlock.
    whose = select(AccountDeletion.user_id).where(AccountDeletion.id == deletion_id)
    session.execute(select(User.id).where(User.id == whose.scalar_subquery()).with_for_update())
    wish = session.execute(
        select(
            AccountDeletion.user_id,
            AccountDeletion.heir_id,
            func.extract("epoch", AccountDeletion.due_at - func.clock_timestamp()).label("wait"),
        )
        .where(AccountDeletion.id == deletion_id)
        .with_for_update()
    ).one_or_none()
    if wish is None:
        return 0.0
    if wish.wait > 0:
        return float(wish.wait)
    heir_id = heirs.heir_or_default(session, wish.heir_id, wish.user_id, default_heir)
    try:
        erasure.begin(session, wish.user_id, actor_id=wish.user_id, heir_id=heir_id)
    except ConflictError:
        return ANOTHER_ADMIN_SECONDS
    session.execute(delete(AccountDeletion).where(AccountDeletion.id == deletion_id))
    return 0.0
