"""The rule that somebody can always run the place: the last active admin cannot be lost."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.kit.roles import RoleName
from webapp.models import Role, User
from webapp.services.accounts.holders import is_on
from webapp.services.errors import ConflictError


def take_turns(session: Session) -> None:
    """Wait for every change of who is an admin that came before, until this transaction ends.

    Without it, two admins who demote or disable each other at once could leave none. Call it before
    anything of an account is read that the rule depends on, and before its row is locked.
    """
    session.execute(select(Role.id).where(Role.name == RoleName.ADMIN.value).with_for_update())


def refuse_losing(session: Session, user_id: int) -> None:
    """Raise ConflictError where no active admin is left without this account."""
    others = select(User.id).join(Role).where(
        Role.name == RoleName.ADMIN.value, User.id != user_id, is_on()
    )  # fmt: skip
    if session.scalar(others.limit(1)) is None:
        raise ConflictError("This is the last admin; make another one first.")
