"""Who may see an item, and so may be named in what is said of it."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from webapp.models import Content, Role, User
from webapp.models.arrays import is_one_of
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.holders import is_on
from webapp.services.content.item_reads import require_item
from webapp.services.content.visibility import ROLES_THAT_SEE_ALL, ROLES_THAT_SEE_OWN


@dataclass(frozen=True)
class Person:
    """An account as its colleagues know it."""

    id: int
    display_name: str


def list_people(
    session: Session, actor: Actor, content_id: int, *, begins_with: str, limit: int
) -> list[Person]:
    """Return who may see an item that the actor may see, by name; the first of them.

    `begins_with` is how a name begins, in whichever case. Raises NotFoundError.
    """
    require_item(session, actor, content_id)
    people = select(User.id, User.display_name).join(Role, Role.id == User.role_id)
    own = people.join(Content, Content.author_id == User.id).where(
        Content.id == content_id, Role.name.in_(ROLES_THAT_SEE_OWN), is_on()
    )
    seen = union(people.where(Role.name.in_(ROLES_THAT_SEE_ALL), is_on()), own).subquery()
    name = seen.c.display_name
    statement = select(seen.c.id, name).order_by(func.lower(name), seen.c.id).limit(limit)
    if begins_with:
        statement = statement.where(name.istartswith(begins_with, autoescape=True))
    return [Person(*row) for row in session.execute(statement)]


def find_strangers(session: Session, author_id: int, user_ids: Collection[int]) -> list[int]:
    """Return those of some numbers that are of no account that may see an author's items."""
    known = session.scalars(
        select(User.id)
        .join(Role, Role.id == User.role_id)
        .where(
            is_one_of(User.id, user_ids),
            is_on(),
            Role.name.in_(ROLES_THAT_SEE_ALL)
            | ((User.id == author_id) & Role.name.in_(ROLES_THAT_SEE_OWN)),
        )
    )
    return sorted(set(user_ids) - set(known))
