"""The role that an issuer's groups give: applied at each sign-in, up and down.

Where an issuer rules roles, its word goes first: a role that was given by hand to somebody whom it
signs in lasts until they sign in again. One that rules none leaves every role alone.
"""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp.kit.roles import RoleName
from webapp.models import Role, User
from webapp.services import activity
from webapp.services.accounts import last_admin
from webapp.services.errors import ConflictError


def apply(session: Session, user_id: int, role: RoleName, issuer_name: str) -> None:
    """Give an account the role that the issuer's groups stand for.

    The last admin stays one, which is noted, so that nobody can lock everybody out from there. Call
    it before the account is locked.
    """
    if _role_of(session, user_id) is role:
        return
    last_admin.take_turns(session)
    before = _role_of(session, user_id)
    if before is role:
        return
    if before is RoleName.ADMIN:
        try:
            last_admin.refuse_losing(session, user_id)
        except ConflictError:
            activity.record(
                session, None, "role.kept", "user", user_id, issuer=issuer_name, wanted=role.value
            )
            return
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(
            role_id=select(Role.id).where(Role.name == role.value).scalar_subquery(),
            updated_at=func.clock_timestamp(),
        )
    )
    changes = activity.difference({"role": before.value}, {"role": role.value})
    activity.record(
        session, None, "account.set_role", "user", user_id, changes=changes, issuer=issuer_name
    )


def _role_of(session: Session, user_id: int) -> RoleName:
    name = select(Role.name).join(User, User.role_id == Role.id).where(User.id == user_id)
    return RoleName(session.scalars(name).one())
