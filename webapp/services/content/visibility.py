"""What an actor may see of the items, written once: editors all, others their own."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Select, bindparam, false, select

from webapp.kit.permissions import PERMISSIONS_OF_ROLE, Permission
from webapp.models import Content
from webapp.services.accounts.actors import Actor

ROLES_THAT_SEE_ALL, ROLES_THAT_SEE_OWN = (
    tuple(role.value for role, held in PERMISSIONS_OF_ROLE.items() if permission in held)
    for permission in (Permission.CONTENT_READ_ANY, Permission.CONTENT_READ_OWN)
)
"""The names of the roles whose accounts see all items, and those that they are the authors of."""

IS_SEEN = "(:sees_all OR content.author_id = :seen_by)"
"""The condition for statements that are built once, with its parameters `SEEN` by `seen_by`."""

SEEN = (
    bindparam("sees_all", type_=Boolean()),
    bindparam("seen_by", type_=BigInteger()),
)


def seen_by(actor: Actor) -> dict[str, Any]:
    """Return the parameters of `IS_SEEN`; an item of nobody is nobody's own."""
    sees_own = actor.may(Permission.CONTENT_READ_OWN)
    return {
        "sees_all": actor.may(Permission.CONTENT_READ_ANY),
        "seen_by": actor.user_id if sees_own else None,
    }


def visible_content(actor: Actor) -> Select[Content]:
    """Return the SELECT of the items that an actor may see."""
    statement = select(Content)
    seen = seen_by(actor)
    if seen["sees_all"]:
        return statement
    if seen["seen_by"] is not None:
        return statement.where(Content.author_id == seen["seen_by"])
    return statement.where(false())
