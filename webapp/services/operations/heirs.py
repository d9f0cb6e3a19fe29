"""Who gets the items of an account that is erased."""

import structlog
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from webapp.kit.logins import one_form
from webapp.kit.roles import RoleName
from webapp.models import Role, User
from webapp.services.errors import InvalidInputError

log = structlog.get_logger()


def find_heir(session: Session, login: str, account_id: int) -> int:
    """Return the account with this login, which is to have the items of another one.

    Raises InvalidInputError for one that does not write, is off, or is not there, in one sentence.
    """
    heir_id = _writer(session, login)
    if heir_id is None or heir_id == account_id:
        raise InvalidInputError("heir", "has to be the login of another account that writes items")
    return heir_id


def heir_or_default(
    session: Session, heir_id: int | None, account_id: int, default_login: str
) -> int | None:
    """Return who gets the items in the end: the one who was named, or the one of the settings.

    None where neither writes any more: then the items stay with the account without a name.
    """
    if heir_id is not None and is_writer(session, heir_id):
        return heir_id
    default = _writer(session, default_login) if default_login else None
    if default_login and default is None:
        log.warning("content_heir.missing", account_id=account_id)
    return None if default == account_id else default


def is_writer(session: Session, user_id: int) -> bool:
    """Say whether an account is on and may have items."""
    return session.scalar(_writers().where(User.id == user_id)) is not None


def keeps_writing(session: Session, user_id: int) -> bool:
    """Say as `is_writer` whether an account may have items, and keep that so for the transaction.

    Whoever switches it off, takes its role or erases it waits, and then finds the items it got.
    """
    held = _writers().where(User.id == user_id).with_for_update(read=True, of=User)
    return session.scalar(held) is not None


def _writer(session: Session, login: str) -> int | None:
    return session.scalar(_writers().where(User.login == one_form(login)))


def _writers() -> Select[int]:
    roles = [role.value for role in RoleName if role.includes(RoleName.AUTHOR)]
    return select(User.id).join(Role).where(Role.name.in_(roles), User.disabled_at.is_(None))
