"""Who is asking, and what they may see."""

from dataclasses import dataclass

from sqlalchemy import Select, select

from webapp.kit.roles import RoleName
from webapp.models import Content
from webapp.services.errors import ForbiddenError


@dataclass(frozen=True)
class Actor:
    """A logged-in account for the length of one request or one job."""

    user_id: int
    login: str
    role: RoleName
    session_id: int | None = None

    def may(self, role: RoleName) -> bool:
        """Say whether the actor may do what `role` may do."""
        return self.role.includes(role)

    def require(self, role: RoleName) -> None:
        """Raise ForbiddenError unless the actor may do what `role` may do."""
        if not self.may(role):
            raise ForbiddenError(f"This needs the role {role.value}; yours is {self.role.value}.")


def visible_content(actor: Actor) -> Select[Content]:
    """Return the one SELECT of the items that an actor may see: editors all, others their own."""
    statement = select(Content)
    if actor.may(RoleName.EDITOR):
        return statement
    return statement.where(Content.author_id == actor.user_id)
